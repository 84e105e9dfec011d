import { stringify as toYaml } from "yaml"
import { type Instant, instantOf } from "#ecs-core/Instant.ts"
import { isJson, type Json } from "#ecs-core/Json.ts"
import { MASK, mask } from "#ecs-core/Mask.ts"
import type { PoolPause } from "#ecs-core/Pool.ts"
import type { Style } from "./style.ts"
import { table } from "./table.ts"
import { printable } from "./text.ts"
import { age } from "./time.ts"

/** A pool as it is kept; `pool` undefined = what is kept is no JSON object. */
export interface KeptPool {
  readonly name: string
  readonly pool: Json | undefined
  /** Why requests cannot use it; empty = they can. */
  readonly problems: ReadonlyArray<string>
  readonly isFromFile: boolean
  /** Epoch milliseconds of the last change. */
  readonly time: number
  readonly pause: PoolPause | undefined
}

export const NO_POOLS =
  "No pools: requests stand alone, with built-in defaults. Create one with: fleet pool set default -f pool.yaml\n"

const NONE = "-"

export const poolTable = (pools: ReadonlyArray<KeptPool>, nowMillis: number): string =>
  table(
    ["POOL", "STATE", "RUNNING", "PER SECOND", "FROM", "CHANGED", "IMAGE"],
    pools.map((kept) => [
      kept.name,
      stateOf(kept, nowMillis),
      said(kept.pool?.["maxRunning"]),
      said(kept.pool?.["maxSubmitPerSecond"]),
      kept.isFromFile ? "file" : "hand",
      age(instantOf(kept.time), nowMillis),
      said(kept.pool?.["image"])
    ])
  )

const stateOf = ({ pause, problems }: KeptPool, nowMillis: number): string => {
  const state = pause === undefined ? "open" : `paused ${age(pause.at, nowMillis)}`
  return problems.length === 0 ? state : `${state}, not valid`
}

const said = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? printable(String(value)) : NONE

/** `paused since 5m ago: maintenance`. */
export const pauseText = ({ at, reason }: PoolPause, nowMillis: number): string =>
  `paused ${age(at, nowMillis)} ago${reason === undefined ? "" : `: ${printable(reason)}`}`

/** A pool with what may be secret masked: environments, and the values of its variables. */
export const maskedPool = (pool: Json): Json => {
  const { variables, ...fields } = pool
  const masked = mask(fields)
  return { ...(isJson(masked) ? masked : {}), ...(isJson(variables) ? { variables: maskedVariables(variables) } : {}) }
}

const maskedVariables = (variables: Json): Json =>
  Object.fromEntries(
    Object.entries(variables).map(([name, variable]) => [
      name,
      isJson(variable) && "default" in variable && variable["default"] !== null
        ? { ...variable, default: MASK }
        : variable
    ])
  )

export const poolYaml = (pool: Json): string => toYaml(pool, { lineWidth: 0 })

/** One pool for programs. */
export const poolJson = (kept: KeptPool, isRaw: boolean): Json => ({
  pool: kept.name,
  from: kept.isFromFile ? "file" : "hand",
  changedAt: instantOf(kept.time) satisfies Instant,
  paused: kept.pause === undefined ? undefined : { at: kept.pause.at, reason: kept.pause.reason },
  problems: kept.problems.length === 0 ? undefined : kept.problems,
  fields: kept.pool === undefined || isRaw ? kept.pool : maskedPool(kept.pool)
})

export interface ShownLeft {
  readonly path: string
  readonly why: string
  readonly advice: string
}

/** What a template had and the pool has not: where, why, what to do. */
export const leftText = (style: Style, left: ReadonlyArray<ShownLeft>): string =>
  left.length === 0
    ? "Everything of the template is in the pool.\n"
    : [
        "Not carried over:",
        ...left.flatMap(({ path, why, advice }) => [
          `  ${style.bold(printable(path))}: ${printable(why)}`,
          `  ${style.dim("→")} ${printable(advice)}`
        ])
      ]
        .map((line) => `${line}\n`)
        .join("")
