import { Clock, Effect } from "effect"
import { type Surroundings, startFleet } from "#bench/fleet.ts"
import { Filters, Streams } from "#ecs-core/Subjects.ts"
import { launchedTasks } from "#test/support/LocalAws.ts"
import { request, stored } from "#test/support/runs.ts"
import type { Mode, Order, Peer } from "./Peer.ts"
import { childrenCalled, megabytesOf } from "./processes.ts"

const jobOf = (seconds: number) => ({
  image: "local/shell",
  command: ["simulate", "--seconds", String(seconds)],
  runTimeoutSeconds: 7200
})

/** Faster than AWS allows; local-aws has no quotas then. */
const lifted = { FLEET_AWS_RUN_TASK_PER_SECOND: "10000", FLEET_AWS_RUN_TASK_BURST: "10000" }

const start = Effect.fnUntraced(function* (mode: Mode) {
  const { running } = yield* startFleet(1, mode === "fastest" ? lifted : {})
  const handedIn = new Map<string, number>()
  const context = yield* Effect.context<Surroundings>()
  const one = (seconds: number) =>
    Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      handedIn.set(yield* request(jobOf(seconds)), at)
    })
  const order = (runs: Order) =>
    Effect.forEach(runs, ({ gapMillis, seconds }) => Effect.andThen(one(seconds), Effect.sleep(gapMillis)), {
      concurrency: runs.every(({ gapMillis }) => gapMillis === 0) ? 10 : 1,
      discard: true
    }).pipe(Effect.orDie, Effect.provideContext(context))
  const timings = Effect.gen(function* () {
    const byRun = new Map((yield* launchedTasks).map((task) => [task.startedBy?.split("/")[1] ?? "", task]))
    const ends = yield* stored(Streams.fleet, Filters.runFinished)
    const noticed = new Map(ends.map(({ subject, time }) => [subject.split(".")[2] ?? "", time]))
    return [...handedIn].map(([run, handedInAt]) => {
      const [task, noticedAt] = [byRun.get(run), noticed.get(run)]
      return {
        handedInAt,
        ...(task === undefined ? {} : { arrivedAt: task.createdAt }),
        ...(task?.endedAt === undefined ? {} : { endedAt: task.endedAt }),
        ...(noticedAt === undefined ? {} : { noticedAt }),
        isFailed: task === undefined && noticedAt !== undefined
      }
    })
  }).pipe(Effect.provideContext(context))
  const pids = running.map(({ pid }) => pid)
  const servers = yield* childrenCalled("nats-server")
  return { order, timings, memory: Effect.all({ worker: megabytesOf(pids), all: megabytesOf([...pids, ...servers]) }) }
})

/** Its four services and a nats-server; its fastest setting is a pace without a limit. */
export const ecsFleet: Peer = { name: "fleet", start }
