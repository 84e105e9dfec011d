import { Effect, Fiber } from "effect"
import type { Benchmark, Figure, Goal } from "#bench/Benchmark.ts"
import { figure, figures } from "#bench/figures.ts"
import { layerSurroundings } from "#bench/fleet.ts"
import { holdRuns } from "./held.ts"
import { notice, takeOver, windowOf } from "./watching.ts"

/**
 * Long tasks in the hands of one watcher, and of two. What they take is measured in windows as long as a whole round of
 * questions; meanwhile some of the tasks end. Nothing else of the fleet runs, but the comparison of ECS's tasks with the
 * live runs does, as always.
 *
 * Keys: `<tasks>.<one|two>.memory` (most resident memory of a watcher, start included), `.cpu` and `.server` (cores, of
 * all watchers, of nats-server), `.describe`, `.list` and `.reads`, the sum (calls per minute of all), `.takeOver` (seconds from the start
 * until all tasks are held and looked at), `.noticed.half`, `.noticed.longest` (seconds until an end is told: the round).
 */
const measure: Benchmark["measure"] = ({ isFull, say }) =>
  Effect.gen(function* () {
    const all: Record<string, Figure> = {}
    for (const plan of isFull ? full : quick) {
      for (const watchers of [1, 2] as const) {
        const name = `${plan.tasks}.${watchers === 1 ? "one" : "two"}`
        yield* say(`in-flight: ${plan.tasks} tasks, watchers: ${watchers}`)
        const found = yield* oneCase(plan, watchers)
        for (const [key, value] of Object.entries(found)) all[`${name}.${key}`] = value
      }
    }
    return { figures: all, ratios: {}, goals: isFull ? goals : {} }
  })

interface Plan {
  readonly tasks: number
  /** As the requests say it; a long task is asked about up to six times as rarely, and every 30 s at least. */
  readonly pollIntervalSeconds: number
  readonly windowSeconds: number
  readonly windows: number
}

const quick: ReadonlyArray<Plan> = [{ tasks: 1000, pollIntervalSeconds: 1, windowSeconds: 6, windows: 3 }]

const full: ReadonlyArray<Plan> = [
  { tasks: 1000, pollIntervalSeconds: 5, windowSeconds: 60, windows: 3 },
  { tasks: 10_000, pollIntervalSeconds: 5, windowSeconds: 60, windows: 3 },
  { tasks: 100_000, pollIntervalSeconds: 60, windowSeconds: 60, windows: 3 }
]

/** AWS's quota of DescribeTasks and ListTasks together, per minute. */
const READ_QUOTA = 1200

const goals: Readonly<Record<string, Goal>> = {
  "10000.one.reads": { op: "<=", value: READ_QUOTA / 2 },
  "10000.two.reads": { op: "<=", value: READ_QUOTA / 2 },
  "100000.one.memory": { op: "<=", value: 1024 },
  "100000.one.cpu": { op: "<=", value: 1 }
}

/** Tasks that end meanwhile. */
const ENDS = 50

const oneCase = ({ pollIntervalSeconds, tasks, windowSeconds, windows }: Plan, watchers: number) =>
  Effect.gen(function* () {
    const arns = yield* holdRuns(tasks, pollIntervalSeconds)
    const { running, seconds } = yield* takeOver(watchers, tasks)
    const step = Math.floor(tasks / ENDS)
    const noticing = yield* Effect.forkScoped(notice(arns.filter((_, at) => at % step === 0).slice(0, ENDS)))
    const measured = yield* Effect.forEach(Array.from({ length: windows }), () => windowOf(running, windowSeconds))
    const { half, longest } = yield* Fiber.join(noticing)
    const units = {
      cpu: "cores",
      server: "cores",
      memory: "MB",
      describe: "calls/min",
      list: "calls/min",
      reads: "calls/min"
    } as const
    return {
      ...figures(units, measured),
      takeOver: figure("s", [seconds]),
      "noticed.half": figure("s", [half]),
      "noticed.longest": figure("s", [longest])
    } satisfies Record<string, Figure>
  }).pipe(Effect.scoped, Effect.provide(layerSurroundings()))

export const inFlight: Benchmark = { name: "in-flight", title: "tasks held by one and by two watchers", measure }
