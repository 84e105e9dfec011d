import { join } from "node:path"
import { DescribeSubnetsCommand } from "@aws-sdk/client-ec2"
import { Effect, Schedule } from "effect"
import { ec2Client, LocalAws, launchedTasks, register, sdkEnv } from "#test/support/LocalAws.ts"
import { tempFolder } from "#test/support/NatsServer.ts"
import { freePort } from "#test/support/ports.ts"
import { environment } from "./environment.ts"
import type { Mode, Order, Peer } from "./Peer.ts"
import { megabytesOf, readEvents, startProgram, tellOrder, untilReady } from "./processes.ts"
import { startQueue } from "./queue.ts"
import { timingsOf } from "./timings.ts"

/** A subnet of the default VPC, for whoever has to name one. */
export const subnet = Effect.gen(function* () {
  const ec2 = yield* ec2Client
  const { Subnets = [] } = yield* Effect.promise(() => ec2.send(new DescribeSubnetsCommand({})))
  return Subnets[0]?.SubnetId ?? ""
})

/** Polls ten times a second, and neither registers definitions nor asks for networks. */
const fastest = Effect.gen(function* () {
  const definition = yield* register("peers", [])
  const awsvpcConfiguration = { subnets: [yield* subnet], assignPublicIp: "ENABLED" }
  return {
    PREFECT_WORKER_QUERY_SECONDS: "0.1",
    PEER_VARIABLES: JSON.stringify({ task_definition_arn: definition, container_name: "main" }),
    PEER_NETWORK: JSON.stringify({ awsvpcConfiguration })
  }
})

const healthy = (url: string) =>
  Effect.tryPromise(async () => {
    if (!(await fetch(`${url}/health`)).ok) throw new Error("Prefect's server is not ready")
  }).pipe(Effect.retry(Schedule.spaced("200 millis")), Effect.timeout("90 seconds"))

const start = Effect.fnUntraced(function* (mode: Mode) {
  const home = yield* environment("prefect")
  const folder = yield* tempFolder("prefect")
  const port = yield* Effect.promise(freePort)
  const own = { PREFECT_HOME: folder, PREFECT_SERVER_ANALYTICS_ENABLED: "false", DO_NOT_TRACK: "1" }
  const address = ["--host", "127.0.0.1", "--port", String(port)]
  const server = yield* startProgram(
    [join(home, "bin", "prefect"), "server", "start", ...address],
    own,
    join(folder, "server.log")
  )
  const api = `http://127.0.0.1:${port}/api`
  yield* healthy(api)
  const env = {
    ...own,
    ...sdkEnv((yield* LocalAws).url),
    ...(mode === "fastest" ? yield* fastest : {}),
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ENDPOINT_URL_SQS: yield* startQueue,
    PREFECT_API_URL: api,
    PEER_FOLDER: folder
  }
  const script = join(import.meta.dirname, "prefect_worker.py")
  const worker = yield* startProgram([join(home, "bin", "python"), script], env, join(folder, "worker.log"))
  yield* untilReady(folder)
  return {
    order: (order: Order) => tellOrder(folder, order),
    timings: Effect.map(launchedTasks, (tasks) => timingsOf(readEvents(folder), tasks)),
    memory: Effect.all({ worker: megabytesOf([worker]), all: megabytesOf([worker, server]) })
  }
})

/** Its server with SQLite, and a worker of an ECS work pool with the default job template. */
export const prefect: Peer = { name: "prefect", start }
