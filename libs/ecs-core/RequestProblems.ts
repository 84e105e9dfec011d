import { Result, Schema, SchemaIssue } from "effect"
import type { Problem } from "./errors.ts"
import { fieldProblem, kindOf, unknownField } from "./FieldProblem.ts"
import { freeProblems } from "./FreeProblems.ts"
import { SUBNET_NEEDED } from "./JobProblems.ts"
import { isJson } from "./Json.ts"
import { ENV_NAME_RULE, knownFields, RunRequest, TAG_KEY_RULE } from "./RunRequest.ts"

/** Longest piece of an offending value that is shown. */
export const SHOWN_VALUE_MAX = 80

/** Fields whose values may be secret: only their kind is ever shown. */
const SECRET_FIELDS: ReadonlySet<string> = new Set(["env", "secrets", "command", "taskDefinition", "taskRunRequest"])

const decode = Schema.decodeUnknownResult(RunRequest)

/**
 * Checks a request body against the schema, and its free objects against ECS's own names. All problems come at once, each
 * with the field's path, the value found (masked where it may be secret), what is allowed, and the nearest known name
 * for a misspelt one.
 */
export const decodeRequest = (body: unknown): Result.Result<RunRequest, ReadonlyArray<Problem>> => {
  const decoded = decode(body, { errors: "all", onExcessProperty: "error" })
  const problems = [
    ...(Result.isFailure(decoded) ? issuesOf(decoded.failure.issue, body) : []),
    ...freeProblems(isJson(body) ? body : {})
  ]
  return Result.isSuccess(decoded) && problems.length === 0 ? Result.succeed(decoded.success) : Result.fail(problems)
}

const issuesOf = (issue: SchemaIssue.Issue, body: unknown): ReadonlyArray<Problem> =>
  SchemaIssue.makeFormatterStandardSchemaV1()(issue).issues.map(({ message, path }) =>
    problemAt((path ?? []).map(String), message, body)
  )

const problemAt = (path: ReadonlyArray<string>, found: string, body: unknown): Problem => {
  if (path.length === 0) return notAnObject(body)
  if (found === "Expected no excess property") return excess(path)
  const value = valueAt(body, path)
  return path.join(".") === "networkConfiguration.subnets" && noneOf(value)
    ? fieldProblem("networkConfiguration.subnets", SUBNET_NEEDED, "Add the subnets of the network.")
    : wrongValue(path, found, value)
}

const noneOf = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.length === 0)

const notAnObject = (body: unknown): Problem => ({
  code: "InvalidRequest",
  message: `run.requested must be a JSON object, but is ${kindOf(body)}.`,
  advice: 'Publish an object, e.g. {"image": "alpine", "command": ["echo", "hello"]}.'
})

const excess = (path: ReadonlyArray<string>): Problem => {
  const [first = ""] = path
  const rule = nameRules[first]
  if (rule !== undefined && path.length === 2) return badName(path.join("."), rule)
  const [, map, name] = /^(env|secrets|labels|tags)\.(.+)$/.exec(first) ?? []
  if (map !== undefined) return dotted(first, map, name ?? "")
  const place = path.slice(0, -1).filter((step) => !/^\d+$/.test(step))
  return unknownField(path, knownFields[place.join(".")] ?? [])
}

/** Maps with free names: what their names must look like. */
const nameRules: Readonly<Record<string, string>> = { env: ENV_NAME_RULE, secrets: ENV_NAME_RULE, tags: TAG_KEY_RULE }

const badName = (field: string, rule: string): Problem =>
  fieldProblem(field, `Field "${field}": the name must be ${rule}.`, "Correct the name and publish the request again.")

/** `env.LEVEL` at the top, as other products have it. */
const dotted = (field: string, map: string, name: string): Problem =>
  fieldProblem(field, `Unknown field "${field}".`, `Write it as a map: {"${map}": {"${name}": "…"}}.`)

const wrongValue = (path: ReadonlyArray<string>, found: string, value: unknown): Problem => {
  const field = path.join(".")
  const allowed = found.replace(/^Expected /, "expected ").replace(/ \| null$/, "")
  return fieldProblem(
    field,
    `Field "${field}": ${allowed}, got ${shown(path, value)}.`,
    `Correct "${field}" and publish the request again.`
  )
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
