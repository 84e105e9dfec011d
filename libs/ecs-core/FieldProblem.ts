import type { Problem } from "./errors.ts"
import { nearest } from "./Nearest.ts"

/** What an advice adds for a request; of a pool it is left out. */
export const PUBLISH_AGAIN = " and publish the request again"

/** A problem of one field; `path` joined by dots is what a producer sees, e.g. `retry.attempts`. */
export const fieldProblem = (field: string, message: string, advice: string): Problem => ({
  code: "InvalidRequest",
  field,
  message,
  advice
})

/** A name that nothing knows, with the nearest known one, or all of them where none is near. */
export const unknownField = (path: ReadonlyArray<string>, known: ReadonlyArray<string>): Problem => {
  const field = path.join(".")
  const near = nearestName(path.at(-1) ?? "", known)
  const advice = near === undefined ? knownNames(known) : `Did you mean "${[...path.slice(0, -1), near].join(".")}"?`
  return fieldProblem(field, `Unknown field "${field}".`, advice)
}

/** The known name that differs in case and separators only (`ContainerDefinitions`, `container_definitions`), else a near one. */
const nearestName = (word: string, known: ReadonlyArray<string>): string | undefined =>
  known.find((name) => plain(name) === plain(word)) ?? nearest(word, known)

const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_]/g, "")

const knownNames = (known: ReadonlyArray<string>): string =>
  known.length === 0 ? "Remove it." : `Remove it; known fields are ${known.join(", ")}.`

/** The kind of a value that is not shown itself. */
export const kindOf = (value: unknown): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "a list"
  return typeof value === "object" ? "an object" : `a ${typeof value}`
}
