import { Result } from "effect"
import type { Problem } from "./errors.ts"
import { fieldProblem, kindOf, PUBLISH_AGAIN, unknownField } from "./FieldProblem.ts"
import { MESSAGE_BYTES_MAX } from "./FleetTopology.ts"
import { freeProblems } from "./FreeProblems.ts"
import { ownProblems } from "./JobProblems.ts"
import { isJson, type Json } from "./Json.ts"
import { mergeLevels } from "./Levels.ts"
import { namesAt, type Place, placesIn, VARIABLE_NAME_PATTERN, wholePlaceholder } from "./Placeholders.ts"
import { builtInPool, decodePoolEntry, encodePoolEntry, filledPool, Pool, poolFields } from "./Pool.ts"
import { launchFields } from "./RunRequest.ts"
import { strictDecoder, valueAt } from "./StrictProblems.ts"

type Problems = ReadonlyArray<Problem>

const notAnObject = (value: unknown): Problem => ({
  code: "InvalidRequest",
  message: `A pool must be an object of fields, but is ${kindOf(value)}.`,
  advice: "Write its fields, e.g. image: alpine, or {} for a pool that says nothing."
})

/**
 * Checks a pool that somebody wrote, before it is kept: as strictly as a request, all problems at once. Placeholders
 * count with their defaults; where one has none, what it stands for is the requests' to give and is not missed.
 */
export const poolProblems = (pool: unknown, runTimeoutSecondsMax: number): Problems => {
  if (!isJson(pool)) return [notAnObject(pool)]
  const found = decoded(pool, "error")
  return [
    ...placeholderProblems(pool),
    ...fieldProblems(pool, found),
    ...(Result.isSuccess(found) ? wholeProblems(found.success, runTimeoutSecondsMax) : []),
    ...sizeProblems(pool)
  ].map((problem) => ({ ...problem, advice: problem.advice.replace(PUBLISH_AGAIN, "") }))
}

/** The pool of an entry of the bucket, if requests can use it. Unknown fields are a later version's, and left out. */
export const usablePool = (text: string): Result.Result<Json, Problems> =>
  decodePoolEntry(text).pipe(
    Result.mapError(({ message }): Problems => [{ code: "InvalidRequest", message: `${message}.`, advice: "" }]),
    Result.flatMap(({ pool }) => {
      const problems = fieldProblems(pool, decoded(pool, "ignore"))
      return problems.length === 0 ? Result.succeed(pool) : Result.fail(problems)
    })
  )

const decoded = (pool: Json, unknown: "error" | "ignore") =>
  strictDecoder(Pool, {
    known: Object.keys(Pool.fields),
    unknown,
    notAnObject,
    isSecret: (path) => namesAt(pool, path).length > 0
  })(filledPool(pool))

const fieldProblems = (pool: Json, found: Result.Result<Pool, Problems>): Problems => {
  const filled = filledPool(pool)
  const open = openPaths(placesOf(pool), filled)
  return [
    ...(Result.isFailure(found) ? found.failure.filter(({ field = "" }) => !open.has(field)) : []),
    ...freeProblems(isJson(filled) ? filled : {})
  ]
}

const placesOf = (pool: Json): ReadonlyArray<Place> =>
  placesIn(Object.fromEntries(Object.entries(pool).filter(([field]) => Object.hasOwn(launchFields, field))))

/** Where a placeholder without a value was: nobody can say yet what will be there. */
const openPaths = (places: ReadonlyArray<Place>, filled: unknown): ReadonlySet<string> =>
  new Set(
    places
      .filter(({ path, isWhole }) => isWhole && valueAt(filled, path) === undefined)
      .map(({ path }) => path.join("."))
  )

const placeholderProblems = (pool: Json): Problems => {
  const { variables } = pool
  const known = isJson(variables) ? Object.keys(variables) : []
  return placesOf(pool).flatMap(({ path, names }) => {
    const field = path.join(".")
    if (!isJson(variables)) return undeclaredAtAll(field, wholePlaceholder(valueAt(pool, path)))
    return names
      .filter((name) => !known.includes(name))
      .map((name) => {
        const { advice } = unknownField([name], known)
        return fieldProblem(field, `Field "${field}": the pool declares no variable "${name}".`, advice)
      })
  })
}

/** Without variables a pool has no placeholders; who wrote one will hardly have meant these characters. */
const undeclaredAtAll = (field: string, name: string | undefined): Problems =>
  name === undefined || !VARIABLE_NAME_PATTERN.test(name)
    ? []
    : [
        fieldProblem(
          field,
          `Field "${field}" is the placeholder {{ ${name} }}, and the pool has no variables.`,
          `Declare it: {"variables": {"${name}": {}}}, with a "default" if it has one.`
        )
      ]

const wholeProblems = (pool: Pool, runTimeoutSecondsMax: number): Problems => {
  const said = Object.fromEntries(Object.entries(pool).filter(([field]) => !Object.hasOwn(poolFields, field)))
  return ownProblems(mergeLevels([builtInPool(runTimeoutSecondsMax), said]), runTimeoutSecondsMax)
}

/** An entry of the bucket travels as one message. */
const sizeProblems = (pool: Json): Problems => {
  const { length } = new TextEncoder().encode(encodePoolEntry({ pool, isFromFile: true }))
  const message = `The pool has ${length} bytes as JSON; at most ${MESSAGE_BYTES_MAX} fit.`
  return length <= MESSAGE_BYTES_MAX
    ? []
    : [{ code: "InvalidRequest", message, advice: "Leave out what requests can say themselves." }]
}
