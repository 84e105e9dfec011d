import { join } from "node:path"
import { Effect } from "effect"
import type { Benchmark, Figure } from "#bench/Benchmark.ts"
import { figure, figures } from "#bench/figures.ts"
import { layerSurroundings, serviceNames } from "#bench/fleet.ts"
import { bytesBelow } from "#bench/resources.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { LocalAws, sdkEnv } from "#test/support/LocalAws.ts"
import { tempFolder } from "#test/support/NatsServer.ts"
import { bundleInto, packagesBytes } from "./installed.ts"
import { type Start, startOf, startOfNode } from "./program.ts"

/**
 * Each service as the image has it, beside a fleet's streams that are there already: until `/ready` says so, and its
 * memory when it has nothing to do; `node.*` is a program of one line. What an installation takes on disk, Node itself,
 * nats-server and optional packages aside.
 *
 * Keys: `<service>.ready`, `<service>.memory`, `node.ready`, `node.memory`, `installed.bundle`, `installed.packages`;
 * ratios: `<service>.ready.overNode`, `<service>.memory.overNode`.
 */
const measure: Benchmark["measure"] = ({ isFull, say }) =>
  Effect.gen(function* () {
    const folder = yield* tempFolder("bundle")
    yield* bundleInto(folder)
    const env = { ...sdkEnv((yield* LocalAws).url), NATS_URL: (yield* NatsServer).url }
    const start = (name: string) => startOf(join(folder, "lib", `${name}.js`), env)
    yield* Effect.forEach(serviceNames, start, { discard: true })
    const repetitions = Array.from({ length: isFull ? 5 : 3 })
    const all: Record<string, Figure> = {}
    const ratios: Record<string, number> = {}
    const node = startFigures("node", yield* Effect.forEach(repetitions, () => startOfNode))
    for (const name of serviceNames) {
      yield* say(`start-up: ${name}`)
      const own = startFigures(name, yield* Effect.forEach(repetitions, () => start(name)))
      Object.assign(all, own)
      ratios[`${name}.ready.overNode`] = medianOf(own, `${name}.ready`) / medianOf(node, "node.ready")
      ratios[`${name}.memory.overNode`] = medianOf(own, `${name}.memory`) / medianOf(node, "node.memory")
    }
    const installed = {
      "installed.bundle": figure("MB", [megabytes(bytesBelow(folder))]),
      "installed.packages": figure("MB", [megabytes(yield* packagesBytes)])
    }
    return { figures: { ...all, ...node, ...installed }, ratios, goals: {} }
  }).pipe(Effect.provide(layerSurroundings()))

const startFigures = (name: string, starts: ReadonlyArray<Start>): Readonly<Record<string, Figure>> =>
  figures(
    { [`${name}.ready`]: "ms", [`${name}.memory`]: "MB" },
    starts.map(({ memory, ready }) => ({ [`${name}.ready`]: ready, [`${name}.memory`]: memory }))
  )

const medianOf = (all: Readonly<Record<string, Figure>>, key: string): number => all[key]?.median ?? Number.NaN

const megabytes = (bytes: number): number => bytes / 2 ** 20

export const startUp: Benchmark = {
  name: "start-up",
  title: "time to ready and memory of each service, and size on disk",
  measure
}
