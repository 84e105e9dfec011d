import { Effect } from "effect"
import type { Benchmark, Goal, Measured, Options } from "#bench/Benchmark.ts"
import { figure, figures } from "#bench/figures.ts"
import { layerSurroundings } from "#bench/fleet.ts"
import { keyed } from "#bench/keys.ts"
import { type LiveSize, live, liveUnits } from "./live.ts"
import { loud, loudUnits } from "./loud.ts"
import { publishing, publishingUnits } from "./publishing.ts"

const sizes = {
  quick: { looks: 5, loudLines: 10_000, repetitions: 2, live: [1, 20].map((runs) => ({ runs, windowMillis: 2000 })) },
  full: {
    looks: 20,
    loudLines: 50_000,
    repetitions: 3,
    live: [1, 100, 1000].map((runs) => ({ runs, windowMillis: 20_000 }))
  }
}

/** Of lines that live runs write, so many are to be read in their own window. */
const SHARE_READ = 0.9

const liveGoals = (runs: number): Readonly<Record<string, Goal>> => ({
  "lag.p50": { op: "<=", value: 2500 },
  linesPerSecond: { op: ">=", value: SHARE_READ * runs },
  busiest: { op: "<=", value: 10 },
  memory: { op: "<=", value: 300 },
  refused: { op: "=", value: 0 },
  failed: { op: "=", value: 0 }
})

const measureRunning = (size: LiveSize, { say }: Options) =>
  Effect.gen(function* () {
    yield* say(`${size.runs} live runs, a line a second each, three windows of ${size.windowMillis / 1000} s`)
    const { failed, refused, windows } = yield* live(size).pipe(Effect.provide(layerSurroundings({ quotas: "aws" })))
    const prefix = `live.${size.runs}`
    return {
      figures: keyed(prefix, {
        ...figures(liveUnits, windows),
        refused: figure("calls", [refused]),
        failed: figure("runs", [failed])
      }),
      goals: keyed(prefix, liveGoals(size.runs))
    }
  })

const measurePublishing = (looks: number, repetitions: number) =>
  Effect.map(
    Effect.replicateEffect(publishing(looks).pipe(Effect.scoped, Effect.provide(layerSurroundings())), repetitions),
    (all) => figures(publishingUnits, all)
  )

const measure = (options: Options) =>
  Effect.gen(function* () {
    const { live: liveSizes, looks, loudLines, repetitions } = options.isFull ? sizes.full : sizes.quick
    yield* options.say(`publishing ${looks * 40} looks of 1,000 lines`)
    const published = yield* measurePublishing(looks, repetitions)
    yield* options.say(`one run that writes ${loudLines} lines at once`)
    const one = loud(loudLines).pipe(Effect.scoped, Effect.provide(layerSurroundings({ quotas: "aws" })))
    const loudly = figures(loudUnits, yield* Effect.replicateEffect(one, repetitions))
    const alive = yield* Effect.forEach(liveSizes, (size) => Effect.scoped(measureRunning(size, options)))
    return {
      figures: Object.assign(
        {},
        keyed("publishing", published),
        keyed("loud", loudly),
        ...alive.map(({ figures }) => figures)
      ),
      ratios: {
        "publishing.overBare": published.linesPerSecond.median / published.bareLinesPerSecond.median
      },
      goals: Object.assign(
        {
          ...(options.isFull ? { "publishing.linesPerSecond": { op: ">=", value: 200_000 } } : {}),
          "publishing.lost": { op: "=", value: 0 },
          "loud.lateMillis": { op: "<=", value: 10_000 },
          "loud.lost": { op: "=", value: 0 }
        },
        ...alive.map(({ goals }) => goals)
      )
    } satisfies Measured
  })

/** What the log-streamer takes: the publishing half by itself, one run that writes as fast as it can, and many live ones. */
export const logs: Benchmark = {
  name: "logs",
  title: "logs: lines published a second, how late they are, and the reads they cost",
  measure
}
