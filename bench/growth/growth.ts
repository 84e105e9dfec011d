import { Effect } from "effect"
import type { Benchmark, Figure, Goal } from "#bench/Benchmark.ts"
import { figures, median } from "#bench/figures.ts"
import { layerSurroundings } from "#bench/fleet.ts"
import { type Commands, type CpuPerRun, openStore, originals, type Store } from "./store.ts"

/**
 * Stores with a hundred to a hundred thousand finished runs: what one more run costs all services together, and how long
 * a person waits for `fleet ps` and `fleet describe`. The fleet makes some runs itself; the others are copies of all that
 * these have left. Each store has a server and services of its own, and they have their turns one after the other, batch
 * by batch: what slows the machine down for a while slows all of them down, and growth is judged within each round.
 *
 * Keys: `cpu.<runs>.all`, `.dispatcher`, `.launcher`, `.watcher`, `.log-streamer`, `.server` (nats-server), milliseconds
 * per run; `<ps|psAll|describe>.<runs>`, milliseconds; ratios `cpu.growth`, `server.growth`: the largest store over that
 * of a thousand runs.
 */
const measure: Benchmark["measure"] = ({ isFull, say }) =>
  Effect.gen(function* () {
    const { batchRuns, finished, rounds: count, warmUp } = isFull ? full : quick
    const left = yield* originals(ORIGINALS)
    const stores = yield* Effect.forEach(finished, (each) =>
      Effect.andThen(say(`growth: a store of ${each} finished runs`), openStore(left, each, warmUp))
    )
    const rounds = yield* Effect.forEach(Array.from({ length: count }), (_, at) =>
      Effect.andThen(say(`growth: round ${at + 1} of ${count}`), roundOf(stores, at, batchRuns))
    )
    return {
      figures: Object.assign({}, ...stores.map(({ finished }, at) => figuresOf(finished, rounds, at))),
      ratios: { "cpu.growth": growthOf(stores, rounds, "all"), "server.growth": growthOf(stores, rounds, "server") },
      goals: { "cpu.growth": { op: "<=", value: 1.25 } satisfies Goal }
    }
  }).pipe(Effect.provide(layerSurroundings()))

/** Runs that the fleet makes itself, to be copied. */
const ORIGINALS = 20

/** The store that the largest one is compared with. */
const BASE = 1000

interface Plan {
  readonly finished: ReadonlyArray<number>
  readonly warmUp: number
  readonly rounds: number
  readonly batchRuns: number
}

const quick: Plan = { finished: [BASE, 10_000], warmUp: 100, rounds: 3, batchRuns: 60 }

const full: Plan = { finished: [100, BASE, 10_000, 100_000], warmUp: 600, rounds: 5, batchRuns: 300 }

interface Turn {
  readonly cpu: CpuPerRun
  readonly commands: Commands
}

type Rounds = ReadonlyArray<ReadonlyArray<Turn>>

const turnOf = (store: Store, name: string, runs: number) =>
  Effect.gen(function* () {
    return { cpu: yield* store.batch(name, runs), commands: yield* store.commands } satisfies Turn
  })

/** Every other round the other way round: what comes first, or last, is not always the same store. */
const roundOf = (stores: ReadonlyArray<Store>, at: number, runs: number) => {
  const inOrder = at % 2 === 0 ? stores : stores.toReversed()
  const turns = Effect.forEach(inOrder, (store) => turnOf(store, `round-${at}`, runs))
  return Effect.map(turns, (found) => (at % 2 === 0 ? found : found.toReversed()))
}

/** Of the store at this place. */
const figuresOf = (finished: number, rounds: Rounds, at: number): Readonly<Record<string, Figure>> => {
  const turns = rounds.flatMap((round) => round[at] ?? [])
  const values = turns.map(({ commands, cpu }) =>
    Object.fromEntries([
      ...Object.entries(cpu).map(([key, value]) => [`cpu.${finished}.${key}`, value] as const),
      ...Object.entries(commands).map(([key, value]) => [`${key}.${finished}`, value] as const)
    ])
  )
  return figures(Object.fromEntries(Object.keys(values[0] ?? {}).map((key) => [key, "ms"])), values)
}

const growthOf = (stores: ReadonlyArray<Store>, rounds: Rounds, of: keyof CpuPerRun): number => {
  const base = stores.findIndex(({ finished }) => finished === BASE)
  return median(rounds.map((round) => (round.at(-1)?.cpu[of] ?? Number.NaN) / (round[base]?.cpu[of] ?? Number.NaN)))
}

export const growth: Benchmark = {
  name: "growth",
  title: "CPU time per run, and commands, as finished runs pile up",
  measure
}
