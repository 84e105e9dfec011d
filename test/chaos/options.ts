import { parseArgs } from "node:util"
import { Result } from "effect"
import type { ServiceName } from "#ecs-core/Subjects.ts"
import { serviceNames } from "#test/chaos/Replicas.ts"

export interface ChaosOptions {
  /** Requests to publish. */
  readonly runs: number
  /** Milliseconds between two kills of a service; 0 = none. */
  readonly killEveryMillis: number
  /** Decides which service is killed, and local-aws's luck. */
  readonly seed: number
  /** Three clustered servers with three copies of every stream, whose leader is killed twice. */
  readonly isClustered: boolean
  /** Only this service is killed; absent = any. */
  readonly only: ServiceName | undefined
  /** Each run writes so many lines; absent = a mix of programs. */
  readonly lines: number | undefined
  /** All runs belong to a pool that may have so many tasks at a time; absent = no limit. */
  readonly limited: number | undefined
  /** Runs that are not over at one time. */
  readonly atOnce: number
  /** Given up when nothing more ends for so long. */
  readonly stallSeconds: number
}

export interface SoakOptions {
  readonly minutes: number
  readonly perSecond: number
}

const flags = {
  runs: { type: "string", default: "1000" },
  "kill-every": { type: "string" },
  seed: { type: "string", default: "1" },
  cluster: { type: "boolean", default: false },
  only: { type: "string" },
  lines: { type: "string" },
  limited: { type: "string" },
  "at-once": { type: "string" },
  "stall-seconds": { type: "string", default: "120" }
} as const

const soakFlags = {
  minutes: { type: "string", default: "30" },
  "per-second": { type: "string", default: "10" }
} as const

type Read<A> = Result.Result<A, string>

const numberOf = (name: string, value: string, minimum: number, maximum: number): number => {
  const number = Number(value)
  if (!Number.isFinite(number) || number < minimum || number > maximum)
    throw new Error(`--${name} must be ${minimum} to ${maximum}, not ${value}`)
  return number
}

const reading = <A>(read: () => A, usage: string): Read<A> =>
  Result.try({ try: read, catch: (error) => `${error instanceof Error ? error.message : String(error)}\n${usage}` })

const serviceOf = (value: string): ServiceName => {
  const known = serviceNames.find((name) => name === value)
  if (known === undefined) throw new Error(`--only must be one of ${serviceNames.join(", ")}, not ${value}`)
  return known
}

const chaosUsage =
  "Usage: npm run chaos -- --runs N [--kill-every MS] [--only SERVICE] [--lines N] [--limited N] [--seed S] [--cluster] [--at-once N]"

/**
 * Kills come every 300 ms; on a cluster, where the servers are what dies, none unless asked for. The runs of a limited
 * pool are all requested before the first of them is over, so that they queue.
 */
export const readChaosOptions = (args: ReadonlyArray<string>): Read<ChaosOptions> =>
  reading(() => {
    const { values } = parseArgs({ args: [...args], options: flags })
    return {
      runs: Math.trunc(numberOf("runs", values.runs, 1, 100_000)),
      killEveryMillis: numberOf("kill-every", values["kill-every"] ?? (values.cluster ? "0" : "300"), 0, 3_600_000),
      seed: Math.trunc(numberOf("seed", values.seed, 0, 2 ** 32 - 1)),
      isClustered: values.cluster,
      only: values.only === undefined ? undefined : serviceOf(values.only),
      lines: values.lines === undefined ? undefined : Math.trunc(numberOf("lines", values.lines, 1, 1_000_000)),
      limited: values.limited === undefined ? undefined : Math.trunc(numberOf("limited", values.limited, 1, 1000)),
      atOnce: Math.trunc(
        numberOf("at-once", values["at-once"] ?? (values.limited === undefined ? "50" : values.runs), 1, 100_000)
      ),
      stallSeconds: numberOf("stall-seconds", values["stall-seconds"], 1, 3600)
    }
  }, chaosUsage)

export const readSoakOptions = (args: ReadonlyArray<string>): Read<SoakOptions> =>
  reading(() => {
    const { values } = parseArgs({ args: [...args], options: soakFlags })
    return {
      minutes: numberOf("minutes", values.minutes, 0.1, 1440),
      perSecond: numberOf("per-second", values["per-second"], 0.1, 1000)
    }
  }, "Usage: npm run soak -- --minutes N --per-second N")
