import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { Effect } from "effect"
import { LocalAws, launchedTasks, register, sdkEnv } from "#test/support/LocalAws.ts"
import { tempFolder } from "#test/support/NatsServer.ts"
import { environment } from "./environment.ts"
import type { Mode, Order, Peer } from "./Peer.ts"
import { subnet } from "./prefect.ts"
import { megabytesOf, readEvents, runProgram, startProgram, tellOrder, untilReady } from "./processes.ts"
import { familyOf, programSeconds } from "./programs.ts"
import { timingsOf } from "./timings.ts"

/** The scheduler hardly sleeps, and none of its limits is in the way. */
const fastest = {
  AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME: "0.01",
  AIRFLOW__SCHEDULER__MAX_TIS_PER_QUERY: "1000",
  AIRFLOW__SCHEDULER__MAX_DAGRUNS_TO_CREATE_PER_LOOP: "1000",
  AIRFLOW__SCHEDULER__MAX_DAGRUNS_PER_LOOP_TO_SCHEDULE: "1000",
  AIRFLOW__CORE__PARALLELISM: "2000",
  AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG: "2000",
  AIRFLOW__CORE__MAX_ACTIVE_RUNS_PER_DAG: "2000",
  AIRFLOW__CORE__DEFAULT_POOL_TASK_SLOT_COUNT: "2000"
}

const settingsOf = (folder: string, subnetId: string) => ({
  AIRFLOW_HOME: folder,
  PYTHONPATH: import.meta.dirname,
  PEER_FOLDER: folder,
  PEER_SECONDS: JSON.stringify(programSeconds),
  AIRFLOW__CORE__EXECUTOR: "airflow_executor.TellingExecutor",
  AIRFLOW__CORE__LOAD_EXAMPLES: "False",
  AIRFLOW__CORE__DAGS_FOLDER: join(import.meta.dirname, "dags"),
  AIRFLOW__API_AUTH__JWT_SECRET: randomBytes(32).toString("hex"),
  AIRFLOW__AWS_ECS_EXECUTOR__CLUSTER: "default",
  AIRFLOW__AWS_ECS_EXECUTOR__CONTAINER_NAME: "main",
  AIRFLOW__AWS_ECS_EXECUTOR__REGION_NAME: "us-east-1",
  AIRFLOW__AWS_ECS_EXECUTOR__TASK_DEFINITION: familyOf(1),
  AIRFLOW__AWS_ECS_EXECUTOR__SUBNETS: subnetId
})

const start = Effect.fnUntraced(function* (mode: Mode) {
  const home = yield* environment("airflow")
  const folder = yield* tempFolder("airflow")
  // Airflow registers no definitions: they have to be there.
  for (const seconds of programSeconds) {
    yield* register(familyOf(seconds), [], { entryPoint: ["simulate", "--seconds", String(seconds)] })
  }
  const env = {
    ...settingsOf(folder, yield* subnet),
    ...sdkEnv((yield* LocalAws).url),
    AWS_DEFAULT_REGION: "us-east-1",
    ...(mode === "fastest" ? fastest : {})
  }
  const airflow = join(home, "bin", "airflow")
  yield* runProgram(airflow, ["db", "migrate"], env)
  yield* runProgram(airflow, ["dags", "reserialize"], env)
  const scheduler = yield* startProgram([airflow, "scheduler", "--skip-serve-logs"], env, join(folder, "scheduler.log"))
  const requests = join(import.meta.dirname, "airflow_requests.py")
  yield* startProgram([join(home, "bin", "python"), requests], env, join(folder, "requests.log"))
  yield* untilReady(folder)
  const memory = megabytesOf([scheduler])
  return {
    order: (order: Order) => tellOrder(folder, order),
    timings: Effect.map(launchedTasks, (tasks) => timingsOf(readEvents(folder), tasks)),
    memory: Effect.all({ worker: memory, all: memory })
  }
})

/** Its scheduler with SQLite, which calls the executor; the API server and the processor of DAGs are not needed here. */
export const airflow: Peer = { name: "airflow", start }
