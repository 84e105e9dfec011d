import type { ErrorCode, RetryClass } from "#ecs-core/errors.ts"
import { hideValues, MASK, maskText } from "#ecs-core/Mask.ts"

/** What is known of an error that an AWS call threw, whatever threw it. */
export interface Facts {
  /** Name of the exception (`ClusterNotFoundException`) or of the system error (`ECONNRESET`); may be empty. */
  readonly name: string
  /** The text, ASCII apostrophes, without anything that looks like a credential, at most `maxTextLength` characters. */
  readonly text: string
  /** HTTP status of the answer, when there was one. */
  readonly status: number | undefined
  /** Code of the system error, e.g. `ECONNREFUSED`. */
  readonly systemCode: string | undefined
  readonly resourceIds: ReadonlyArray<string> | undefined
  /** The SDK made the call more than once. */
  readonly repeated: boolean
}

/** What the caller asked for, so that messages can name it. Nothing secret belongs here, except in `secrets`. */
export interface CallContext {
  readonly region?: string | undefined
  /** Name of the set of credentials; absent = `default`. */
  readonly credentials?: string | undefined
  readonly cluster?: string | undefined
  readonly taskDefinition?: string | undefined
  readonly logGroup?: string | undefined
  /** Values of the call that AWS may repeat in its text: they are masked there. */
  readonly secrets?: ReadonlyArray<string>
}

/** One error of one call, as the rows of the table see it. */
export interface Seen extends Facts {
  readonly action: string
  readonly context: CallContext
}

/** An error as AWS really words it: shown in `docs/errors.md`, and proof that its row finds it. */
export interface Example {
  readonly action: string
  /** Name of the exception; empty for an error of the system. */
  readonly name: string
  readonly text: string
  /** HTTP status of the answer. */
  readonly status?: number
  /** Code of the system error. */
  readonly systemCode?: string
}

/** One row: the first whose `when` holds decides. */
export interface Row {
  /** Unique; names the row in tests, golden files and docs. */
  readonly name: string
  readonly example: Example
  readonly when: (seen: Seen) => boolean
  readonly code: ErrorCode
  readonly retry: RetryClass
  readonly message: (seen: Seen) => string
  readonly advice: (seen: Seen) => string
}

/** One row for the `failures[]` of RunTask. `reason` is the ASCII-folded text of AWS. */
export interface FailureRow {
  /** Unique, also among the rows of exceptions. */
  readonly name: string
  readonly example: { readonly reason: string; readonly detail?: string }
  readonly when: (reason: string) => boolean
  readonly code: ErrorCode
  readonly retry: RetryClass
  readonly message: string
  readonly advice: string
}

/** The exception has one of these names. */
export const named =
  (...names: ReadonlyArray<string>) =>
  (seen: Seen): boolean =>
    names.includes(seen.name)

/** The text matches. */
export const says =
  (pattern: RegExp) =>
  (seen: Seen): boolean =>
    pattern.test(seen.text)

export const region = (seen: Seen) =>
  seen.context.region === undefined ? "your region" : `region ${seen.context.region}`

/** How the messages of a failed call begin: a launch that failed is named as the user knows it (peers 78, 81). */
export const failed = (seen: Seen): string =>
  seen.action === "RunTask" ? "Failed to run ECS task" : `${seen.action} failed`

/** The cluster of the call, by the name that its caller used. */
export const clusterOf = (seen: Seen): string => seen.context.cluster ?? "default"

/** AWS writes U+2019 where one would type an apostrophe; patterns are written with ASCII. */
export const foldQuotes = (text: string): string => text.replaceAll(/[\u2018\u2019]/g, "'")

/** A longer text of AWS is cut: facts travel in messages. */
export const maxTextLength = 500

export const readFacts = (error: unknown, known: ReadonlyArray<string> = []): Facts => {
  const name = nameOf(error)
  const ids = property(error, "resourceIds")
  const metadata = property(error, "$metadata")
  const [status, attempts] = [property(metadata, "httpStatusCode"), property(metadata, "attempts")]
  return {
    name,
    text: harmless(
      stringOf(property(error, "message")) ?? stringOf(property(error, "Message")) ?? textOf(error),
      known
    ),
    status: typeof status === "number" ? status : undefined,
    systemCode: stringOf(property(error, "code")) ?? stringOf(property(property(error, "cause"), "code")),
    resourceIds: Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : undefined,
    repeated: typeof attempts === "number" && attempts > 1
  }
}

const nameOf = (error: unknown): string => {
  const given = stringOf(property(error, "__type")) ?? stringOf(property(error, "name")) ?? ""
  const afterHash = given.slice(given.lastIndexOf("#") + 1)
  return afterHash === "Error" ? "" : (afterHash.split(":")[0] ?? "")
}

const property = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined

const stringOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

const textOf = (error: unknown): string => (typeof error === "object" ? "" : String(error))

// Key ids, session tokens, signatures and long opaque words: what a text of AWS may repeat from the signed request.
const secrets = [
  /\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g,
  /(?<=(?:Credential|Signature|X-Amz-Security-Token|X-Amz-Credential|X-Amz-Signature)=)[^\s,&]+/gi,
  /(?<![\w/:-])[A-Za-z0-9+/=]{100,}/g
]

const harmless = (text: string, known: ReadonlyArray<string>): string => {
  const folded = foldQuotes(maskText(hideValues(text, known)))
    .replaceAll(/\s+/g, " ")
    .trim()
  const masked = secrets.reduce((masked, pattern) => masked.replaceAll(pattern, MASK), folded)
  return masked.length <= maxTextLength ? masked : `${masked.slice(0, maxTextLength - 1)}…`
}
