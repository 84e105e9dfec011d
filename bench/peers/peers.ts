import { Effect } from "effect"
import type { Benchmark, Measured, Options } from "#bench/Benchmark.ts"
import { layerSurroundings } from "#bench/fleet.ts"
import { keyed } from "#bench/keys.ts"
import { airflow } from "./airflow.ts"
import { ecsFleet } from "./ecsFleet.ts"
import { environment } from "./environment.ts"
import type { Mode, Peer, RunningPeer } from "./Peer.ts"
import { prefect } from "./prefect.ts"
import { atOnce, type Figures, inFlight, onePerSecond, warmUp } from "./scenarios.ts"

interface Size {
  readonly warmUp: number
  readonly runs: number
  /** Each in flight at the same time as those before. */
  readonly inFlight: ReadonlyArray<number>
  readonly atOnce: number
  readonly modes: ReadonlyArray<Mode>
}

const sizes: Readonly<Record<"quick" | "full", Size>> = {
  quick: { warmUp: 10, runs: 12, inFlight: [10], atOnce: 20, modes: ["defaults"] },
  full: { warmUp: 100, runs: 60, inFlight: [100, 1000], atOnce: 200, modes: ["defaults", "fastest"] }
}

/** At its defaults Airflow runs sixteen tasks of a DAG at a time. */
const mayHold = (peer: Peer, mode: Mode, count: number): boolean =>
  peer.name !== "airflow" || mode === "fastest" || count <= 16

const nameOf = (peer: Peer, mode: Mode): string => (peer.name === "fleet" ? "fleet" : `${peer.name}.${mode}`)

const memories = (peer: Peer, mode: Mode, running: RunningPeer, { inFlight: counts }: Size, options: Options) =>
  Effect.gen(function* () {
    const found: Record<string, Figures[string]> = {}
    let held = 0
    for (const count of counts.filter((count) => mayHold(peer, mode, count))) {
      const { all, isWhole, seconds, worker } = yield* inFlight(running, count - held, options)
      if (!isWhole) break
      held = count
      Object.assign(found, keyed(`inFlight.${count}`, { memory: worker, memoryOfAll: all, seconds }))
    }
    return found
  })

const quiet = (peer: Peer, mode: Mode, size: Size, options: Options) =>
  Effect.gen(function* () {
    yield* options.say(
      `${nameOf(peer, mode)}: ${size.runs} runs one by one, then ${size.inFlight.join(" and ")} in flight`
    )
    const running = yield* peer.start(mode)
    yield* warmUp(running, size.warmUp)
    const steady = yield* onePerSecond(running, size.runs, options)
    return { ...steady, ...(yield* memories(peer, mode, running, size, options)) }
  }).pipe(Effect.scoped)

const throttled = (peer: Peer, mode: Mode, size: Size, { say }: Options) =>
  Effect.gen(function* () {
    yield* say(`${nameOf(peer, mode)}: ${size.atOnce} runs at once under AWS's quotas`)
    return keyed("quotas", yield* atOnce(yield* peer.start(mode), size.atOnce))
  }).pipe(Effect.scoped, Effect.provide(layerSurroundings({ quotas: "aws" })))

const ratiosOf = (figures: Figures): Readonly<Record<string, number>> => {
  const over = (key: string) =>
    (figures[key]?.median ?? Number.NaN) / (figures["fleet.handIn.p50"]?.median ?? Number.NaN)
  const keys = Object.keys(figures).filter((key) => key.endsWith(".handIn.p50") && !key.startsWith("fleet."))
  return Object.fromEntries(keys.map((key) => [key.replace("handIn.p50", "handInOverFleet"), over(key)]))
}

const SOONER = 50

const measure = (options: Options) =>
  Effect.gen(function* () {
    const size = options.isFull ? sizes.full : sizes.quick
    yield* Effect.forEach(["prefect", "airflow"] as const, environment)
    const all = [
      { peer: ecsFleet, mode: "fastest" as Mode, throttledMode: "defaults" as Mode },
      ...size.modes.flatMap((mode) => [prefect, airflow].map((peer) => ({ peer, mode, throttledMode: mode })))
    ]
    const one = ({ mode, peer, throttledMode }: (typeof all)[number]) =>
      Effect.gen(function* () {
        const calm = yield* quiet(peer, mode, size, options)
        return keyed(nameOf(peer, mode), { ...calm, ...(yield* throttled(peer, throttledMode, size, options)) })
      })
    const figures: Figures = Object.assign({}, ...(yield* Effect.forEach(all, one)))
    return {
      figures,
      ratios: ratiosOf(figures),
      goals: {
        "prefect.defaults.handInOverFleet": { op: ">=", value: SOONER },
        "airflow.defaults.handInOverFleet": { op: ">=", value: SOONER },
        "fleet.lost": { op: "=", value: 0 },
        "fleet.quotas.notLaunched": { op: "=", value: 0 }
      }
    } satisfies Measured
  }).pipe(Effect.provide(layerSurroundings()))

/** Prefect's ECS worker and Airflow's ECS executor beside ecs-fleet, all against the same local-aws, one after another. */
export const peers: Benchmark = {
  name: "peers",
  title: "peers: Prefect's ECS worker and Airflow's ECS executor against the same local-aws",
  measure
}
