import { Result, Schema, SchemaIssue } from "effect"
import type { Problem } from "./errors.ts"
import { nearest } from "./Nearest.ts"
import { ENV_NAME_RULE, knownFields, RunRequest, TAG_KEY_RULE } from "./RunRequest.ts"

/** Longest piece of an offending value that is shown. */
export const SHOWN_VALUE_MAX = 80

/** Fields whose values may be secret: only their kind is ever shown. */
const SECRET_FIELDS: ReadonlySet<string> = new Set(["env", "secrets", "command", "taskDefinition", "taskRunRequest"])

const decode = Schema.decodeUnknownResult(RunRequest)

/**
 * Checks a request body against the schema. All problems come at once, each with the field's path, the value found
 * (masked where it may be secret), what is allowed, and the nearest known name for a misspelt one.
 */
export const decodeRequest = (body: unknown): Result.Result<RunRequest, ReadonlyArray<Problem>> =>
  decode(body, { errors: "all", onExcessProperty: "error" }).pipe(
    Result.mapError((error) =>
      SchemaIssue.makeFormatterStandardSchemaV1()(error.issue).issues.map((issue) =>
        problemAt((issue.path ?? []).map(String), issue.message, body)
      )
    )
  )

const problemAt = (path: ReadonlyArray<string>, found: string, body: unknown): Problem => {
  if (path.length === 0) return notAnObject(body)
  return found === "Expected no excess property" ? unknownField(path) : wrongValue(path, found, body)
}

const notAnObject = (body: unknown): Problem => ({
  code: "InvalidRequest",
  message: `run.requested must be a JSON object, but is ${kindOf(body)}.`,
  advice: 'Publish an object, e.g. {"image": "alpine", "command": ["echo", "hello"]}.'
})

const unknownField = (path: ReadonlyArray<string>): Problem => {
  const field = path.join(".")
  const rule = nameRules[path[0] ?? ""]
  if (rule !== undefined && path.length === 2) return badName(field, rule)
  const known = knownFields[path.slice(0, -1).join(".")] ?? []
  const near = nearest(path.at(-1) ?? "", known)
  return {
    code: "InvalidRequest",
    field,
    message: `Unknown field "${field}".`,
    advice: near === undefined ? knownNames(known) : `Did you mean "${[...path.slice(0, -1), near].join(".")}"?`
  }
}

/** Maps with free names: what their names must look like. */
const nameRules: Readonly<Record<string, string>> = { env: ENV_NAME_RULE, secrets: ENV_NAME_RULE, tags: TAG_KEY_RULE }

const badName = (field: string, rule: string): Problem => ({
  code: "InvalidRequest",
  field,
  message: `Field "${field}": the name must be ${rule}.`,
  advice: "Correct the name and publish the request again."
})

const knownNames = (known: ReadonlyArray<string>): string =>
  known.length === 0 ? "Remove it." : `Remove it; known fields are ${known.join(", ")}.`

const wrongValue = (path: ReadonlyArray<string>, found: string, body: unknown): Problem => {
  const field = path.join(".")
  const allowed = found.replace(/^Expected /, "expected ").replace(/ \| null$/, "")
  return {
    code: "InvalidRequest",
    field,
    message: `Field "${field}": ${allowed}, got ${shown(path, valueAt(body, path))}.`,
    advice: `Correct "${field}" and publish the request again.`
  }
}

const valueAt = (body: unknown, path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    body
  )

const shown = (path: ReadonlyArray<string>, value: unknown): string => {
  if (value === undefined) return "nothing"
  if (SECRET_FIELDS.has(path[0] ?? "")) return `${kindOf(value)} (not shown)`
  const json = JSON.stringify(value)
  return json.length > SHOWN_VALUE_MAX ? `${json.slice(0, SHOWN_VALUE_MAX)}…` : json
}

const kindOf = (value: unknown): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "a list"
  return typeof value === "object" ? "an object" : `a ${typeof value}`
}
