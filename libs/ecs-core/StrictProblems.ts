import { Result, Schema, SchemaIssue } from "effect"
import type { Problem } from "./errors.ts"
import { fieldProblem, kindOf, PUBLISH_AGAIN, unknownField } from "./FieldProblem.ts"
import { SUBNET_NEEDED } from "./JobProblems.ts"
import { ENV_NAME_RULE, knownFields, TAG_KEY_RULE } from "./RunRequest.ts"

/** Longest piece of an offending value that is shown. */
export const SHOWN_VALUE_MAX = 80

/** Fields whose values may be secret: only their kind is ever shown. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "env",
  "secrets",
  "command",
  "taskDefinition",
  "taskRunRequest",
  "variables"
])

export interface Strictness {
  /** Names at the top, for "did you mean". */
  readonly known: ReadonlyArray<string>
  /** What is said of a value that is no object. */
  readonly notAnObject: (value: unknown) => Problem
  /** Default: an unknown field is an error. */
  readonly unknown?: "error" | "ignore"
  /** Further values that are not to be shown. */
  readonly isSecret?: (path: ReadonlyArray<string>) => boolean
}

/**
 * Checks a value that people write: all problems come at once, each with the field's
 * path, the value found (its kind where it may be secret), what is allowed, and the nearest known name for a misspelt one.
 */
export const strictDecoder = <A, E>(schema: Schema.Codec<A, E>, strictness: Strictness) => {
  const decode = Schema.decodeUnknownResult(schema)
  return (value: unknown): Result.Result<A, ReadonlyArray<Problem>> =>
    Result.mapError(decode(value, { errors: "all", onExcessProperty: strictness.unknown ?? "error" }), ({ issue }) =>
      SchemaIssue.makeFormatterStandardSchemaV1()(issue).issues.map(({ message, path }) =>
        problemAt((path ?? []).map(String), message, value, strictness)
      )
    )
}

const problemAt = (path: ReadonlyArray<string>, found: string, whole: unknown, strictness: Strictness): Problem => {
  if (path.length === 0) return strictness.notAnObject(whole)
  if (found === "Expected no excess property") return excess(path, strictness.known)
  const value = valueAt(whole, path)
  if (path.join(".") === "networkConfiguration.subnets" && noneOf(value)) {
    return fieldProblem("networkConfiguration.subnets", SUBNET_NEEDED, "Add the subnets of the network.")
  }
  const isSecret = SECRET_FIELDS.has(path[0] ?? "") || strictness.isSecret?.(path) === true
  return wrongValue(path, found, isSecret ? hidden(value) : shown(value))
}

const noneOf = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.length === 0)

const excess = (path: ReadonlyArray<string>, known: ReadonlyArray<string>): Problem => {
  const [first = ""] = path
  const rule = nameRules[first]
  if (rule !== undefined && path.length === 2) return badName(path.join("."), rule)
  const [, map, name] = /^(env|secrets|labels|tags)\.(.+)$/.exec(first) ?? []
  if (map !== undefined) return dotted(first, map, name ?? "")
  const place = path.slice(0, -1).filter((step) => !/^\d+$/.test(step))
  return unknownField(path, path.length === 1 ? known : (knownFields[place.join(".")] ?? []))
}

/** Maps with free names: what their names must look like. */
const nameRules: Readonly<Record<string, string>> = { env: ENV_NAME_RULE, secrets: ENV_NAME_RULE, tags: TAG_KEY_RULE }

const badName = (field: string, rule: string): Problem =>
  fieldProblem(field, `Field "${field}": the name must be ${rule}.`, `Correct the name${PUBLISH_AGAIN}.`)

/** `env.LEVEL` at the top, as other products have it. */
const dotted = (field: string, map: string, name: string): Problem =>
  fieldProblem(field, `Unknown field "${field}".`, `Write it as a map: {"${map}": {"${name}": "…"}}.`)

const wrongValue = (path: ReadonlyArray<string>, found: string, got: string): Problem => {
  const field = path.join(".")
  return fieldProblem(field, `Field "${field}": ${allowed(found)}, got ${got}.`, `Correct "${field}"${PUBLISH_AGAIN}.`)
}

/** What a schema's message says is allowed; that null is, goes without saying. */
export const allowed = (found: string): string => found.replace(/^Expected /, "expected ").replace(/ \| null$/, "")

export const valueAt = (value: unknown, path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
    value
  )

/** The kind of a value that is not to be shown. */
export const hidden = (value: unknown): string => (value === undefined ? "nothing" : `${kindOf(value)} (not shown)`)

const shown = (value: unknown): string => {
  if (value === undefined) return "nothing"
  const json = JSON.stringify(value)
  return json.length > SHOWN_VALUE_MAX ? `${json.slice(0, SHOWN_VALUE_MAX)}…` : json
}
