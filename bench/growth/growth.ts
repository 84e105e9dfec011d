import { Effect } from "effect"
import type { Benchmark, Figure, Goal } from "../Benchmark.ts"
import { passAll } from "../bulk.ts"
import { figures } from "../figures.ts"
import { layerSurroundings } from "../fleet.ts"
import { runAll } from "../load.ts"
import { copiedId, copyRuns, leftOf } from "./copies.ts"
import { measureStage, runsOf, type Sizes, type Stage, withFleet } from "./stage.ts"

/**
 * One store that grows, from a hundred finished runs to a hundred thousand: what a run costs all services together, and
 * how long a person waits for `fleet ps` and `fleet describe`. The fleet makes some runs itself; the others are copies of
 * all that these have left. At each size the services are started anew, and run a few hundred jobs before it counts.
 *
 * Keys: `cpu.<runs>.all`, `.dispatcher`, `.launcher`, `.watcher`, `.log-streamer`, `.server` (nats-server), milliseconds
 * per run; `<ps|psAll|describe>.<runs>`; ratios `cpu.growth`: the largest store over that of a thousand runs; `server.growth`.
 */
const measure: Benchmark["measure"] = ({ isFull, say }) =>
  Effect.gen(function* () {
    const { sizes, stores } = isFull ? full : quick
    const originals = runsOf("original", ORIGINALS)
    yield* withFleet(() => runAll(originals))
    const left = yield* leftOf(originals.map(({ runId }) => runId))
    let there = 0
    const all: Record<string, Figure> = {}
    for (const store of stores) {
      yield* say(`growth: ${store} finished runs`)
      yield* copyRuns(left, there, store)
      there = store
      yield* passAll
      Object.assign(all, stageFigures(store, yield* measureStage(`of-${store}`, copiedId(store - 1), sizes)))
    }
    const growth = (of: string) => medianOf(all, `cpu.${there}.${of}`) / medianOf(all, `cpu.${BASE}.${of}`)
    return {
      figures: all,
      ratios: { "cpu.growth": growth("all"), "server.growth": growth("server") },
      goals: { "cpu.growth": { op: "<=", value: 1.25 } satisfies Goal }
    }
  }).pipe(Effect.provide(layerSurroundings()))

/** Runs that the fleet makes itself, to be copied. */
const ORIGINALS = 20

/** The store that larger ones are compared with. */
const BASE = 1000

interface Plan {
  readonly stores: ReadonlyArray<number>
  readonly sizes: Sizes
}

const quick: Plan = {
  stores: [BASE, 10_000],
  sizes: { warmUp: 200, batches: 3, batchRuns: 100, commands: 3 }
}

const full: Plan = {
  stores: [100, BASE, 10_000, 100_000],
  sizes: { warmUp: 600, batches: 5, batchRuns: 300, commands: 5 }
}

export const stageFigures = (store: number, { batches, commands }: Stage): Readonly<Record<string, Figure>> => ({
  ...prefixed((key) => `cpu.${store}.${key}`, "ms", batches),
  ...prefixed((key) => `${key}.${store}`, "ms", commands)
})

const prefixed = (
  name: (key: string) => string,
  unit: string,
  repetitions: ReadonlyArray<Readonly<Record<string, number>>>
): Readonly<Record<string, Figure>> => {
  const named = repetitions.map((each) =>
    Object.fromEntries(Object.entries(each).map(([key, value]) => [name(key), value]))
  )
  const keys = Object.keys(named[0] ?? {})
  return figures(Object.fromEntries(keys.map((key) => [key, unit])), named)
}

const medianOf = (all: Readonly<Record<string, Figure>>, key: string): number => all[key]?.median ?? Number.NaN

export const growth: Benchmark = {
  name: "growth",
  title: "CPU time per run and commands as finished runs pile up",
  measure
}
