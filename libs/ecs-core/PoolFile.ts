import { Result } from "effect"
import type { Problem } from "./errors.ts"
import { fieldProblem, kindOf, unknownField } from "./FieldProblem.ts"
import { isPoolName } from "./Ids.ts"
import { isJson, type Json } from "./Json.ts"
import { poolProblems } from "./PoolProblems.ts"

/** Pools of one file or folder at most. */
export const POOLS_MAX = 1000

/** Pools by name, as they are written. */
export type NamedPools = ReadonlyMap<string, Json>

type Problems = ReadonlyArray<Problem>

/** The pools of a file `pools: {<name>: {…}}`, or all its problems. */
export const poolsOfFile = (file: unknown, runTimeoutSecondsMax: number): Result.Result<NamedPools, Problems> => {
  const pools = isJson(file) ? file["pools"] : undefined
  if (!isJson(file) || !isJson(pools)) return Result.fail([noPools(file, pools)])
  const problems = [...memberProblems(file), ...namedProblems(pools, runTimeoutSecondsMax)]
  return problems.length === 0 ? Result.succeed(byName(pools)) : Result.fail(problems)
}

/** The same of pools that are not in one file. */
export const poolsNamed = (pools: Json, runTimeoutSecondsMax: number): Result.Result<NamedPools, Problems> => {
  const problems = namedProblems(pools, runTimeoutSecondsMax)
  return problems.length === 0 ? Result.succeed(byName(pools)) : Result.fail(problems)
}

const byName = (pools: Json): NamedPools =>
  new Map(Object.entries(pools).flatMap(([name, pool]) => (isJson(pool) ? [[name, pool]] : [])))

const noPools = (file: unknown, pools: unknown): Problem => {
  const found = isJson(file)
    ? pools === undefined
      ? "has no member pools"
      : `has ${kindOf(pools)} there`
    : kindOf(file)
  return {
    code: "InvalidRequest",
    field: "pools",
    message: `A file of pools must be an object with pools by name; this one ${isJson(file) ? found : `is ${found}`}.`,
    advice: "Write pools: {default: {image: alpine}}."
  }
}

const MEMBERS = ["v", "pools"]

const memberProblems = ({ v = 1, ...members }: Json): Problems => [
  ...Object.keys(members)
    .filter((member) => !MEMBERS.includes(member))
    .map((member) => unknownField([member], MEMBERS)),
  ...(v === 1 ? [] : [fieldProblem("v", 'Field "v": must be 1, the only version known here.', "Correct it.")])
]

const namedProblems = (pools: Json, runTimeoutSecondsMax: number): Problems => {
  const names = Object.keys(pools)
  return [
    ...(names.length <= POOLS_MAX
      ? []
      : [fieldProblem("pools", `There are ${names.length} pools; at most ${POOLS_MAX} are read.`, "Leave some out.")]),
    ...names.flatMap((name) => [
      ...(isPoolName(name) ? [] : [badName(name)]),
      ...poolProblems(pools[name], runTimeoutSecondsMax).map((problem) => inPool(name, problem))
    ])
  ]
}

const badName = (name: string): Problem =>
  fieldProblem(
    `pools.${name}`,
    `Pool "${name}": a pool's name must be 1 to 64 of the characters A-Z a-z 0-9 _ -.`,
    "Rename it."
  )

const inPool = (name: string, { field, message, ...problem }: Problem): Problem => ({
  ...problem,
  field: ["pools", name, ...(field === undefined ? [] : [field])].join("."),
  message: `Pool "${name}": ${message}`
})
