import { nearest } from "#ecs-core/Nearest.ts"
import { slugFamily } from "#ecs-core/Slug.ts"

/** Crockford's base 32: no letters that look like digits. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
const RANDOM_CHARACTERS = 10
const RUN_ID_MAX = 64

/** Bytes of randomness that a new id takes. */
export const RUN_ID_BYTES = RANDOM_CHARACTERS

/** `r-4j8x0m2kqz`, or with the job's name `nightly-report-4j8x0m2kqz`. */
export const newRunId = (name: string | undefined, random: Uint8Array): string => {
  const slug = name === undefined ? "r" : slugFamily(name).slice(0, RUN_ID_MAX - RANDOM_CHARACTERS - 1)
  return `${slug}-${Array.from(random.slice(0, RANDOM_CHARACTERS), (byte) => ALPHABET[byte & 31]).join("")}`
}

/** Fewer characters than this are taken for a typing error, not for the beginning of an id. */
export const PREFIX_MIN = 6

/** Ambiguous beginnings are answered with at most this many ids. */
const SHOWN_MAX = 5

export type Match =
  | { readonly kind: "found"; readonly runId: string }
  | { readonly kind: "ambiguous"; readonly some: ReadonlyArray<string>; readonly count: number }
  | { readonly kind: "unknown"; readonly nearest?: string }

/** Which run is meant: the one of this id, else the only one whose id begins so. */
export const matchRun = (given: string, ids: ReadonlyArray<string>): Match => {
  if (ids.includes(given)) return { kind: "found", runId: given }
  const begun = given.length < PREFIX_MIN ? [] : ids.filter((id) => id.startsWith(given)).toSorted()
  const [only] = begun
  if (only !== undefined && begun.length === 1) return { kind: "found", runId: only }
  if (begun.length > 1) return { kind: "ambiguous", some: begun.slice(0, SHOWN_MAX), count: begun.length }
  const near = nearest(given, ids) ?? nearestBeginning(given, ids)
  return near === undefined ? { kind: "unknown" } : { kind: "unknown", nearest: near }
}

const nearestBeginning = (given: string, ids: ReadonlyArray<string>): string | undefined => {
  const beginnings = new Map(ids.map((id) => [id.slice(0, given.length), id]))
  const near = nearest(given, beginnings.keys())
  return near === undefined ? undefined : beginnings.get(near)
}

/** Why no run could be chosen, and what to do. */
export const noMatchText = (given: string, match: Exclude<Match, { readonly kind: "found" }>): string => {
  if (match.kind === "ambiguous") {
    const more = match.count > match.some.length ? " …" : ""
    return `${match.count} runs begin with "${given}": ${match.some.join(", ")}${more}. Give more of the id.`
  }
  if (match.nearest !== undefined) return `There is no run "${given}". Did you mean ${match.nearest}?`
  const short = given.length < PREFIX_MIN ? ` A beginning of an id needs ${PREFIX_MIN} characters.` : ""
  return `There is no run "${given}".${short} List runs with: fleet ps --all`
}
