import { Result, Schema, SchemaIssue } from "effect"
import type { Problem } from "./errors.ts"
import { fieldProblem, PUBLISH_AGAIN, unknownField } from "./FieldProblem.ts"
import { isJson, type Json } from "./Json.ts"
import { namesAt } from "./Placeholders.ts"
import { DEFAULT_POOL, filledPool, Pool } from "./Pool.ts"
import { launchFields, type RunRequest } from "./RunRequest.ts"
import { allowed, hidden, valueAt } from "./StrictProblems.ts"

const decode = Schema.decodeUnknownResult(Pool)

type Variables = Pick<RunRequest, "pool" | "variables">

/**
 * The pool as one request sees it: the request's variables, else their defaults, in the place of its placeholders. What
 * does not fit then is told of the variable that a request can correct; values are not shown.
 */
export const poolFor = (pool: Json, request: Variables): Result.Result<Pool, ReadonlyArray<Problem>> => {
  const filled = filledPool(pool, request.variables ?? {})
  const named = request.pool ?? DEFAULT_POOL
  return Result.mapError(decode(filled, { errors: "all" }), ({ issue }) => [
    ...unknownVariables(request, isJson(pool["variables"]) ? pool["variables"] : {}),
    ...SchemaIssue.makeFormatterStandardSchemaV1()(issue).issues.map(({ message, path }) =>
      misfit((path ?? []).map(String), message, { pool, filled, named })
    )
  ])
}

interface Filling {
  readonly pool: Json
  readonly filled: unknown
  readonly named: string
}

const misfit = (path: ReadonlyArray<string>, found: string, { pool, filled, named }: Filling): Problem => {
  const field = path.join(".")
  const wrong = `${allowed(found)}, got ${hidden(valueAt(filled, path))}`
  const variable = Object.hasOwn(launchFields, path[0] ?? "") ? namesAt(pool, path)[0] : undefined
  if (variable === undefined) return invalidPool(named, `Field "${field}": ${wrong}.`, `Correct "${field}".`)
  return fieldProblem(
    `variables.${variable}`,
    `Field "variables.${variable}", which fills "${field}" of the pool "${named}": ${wrong}.`,
    `Correct "variables.${variable}"${PUBLISH_AGAIN}.`
  )
}

/** What is wrong is the pool; the request cannot do anything about it. */
export const invalidPool = (pool: string, message: string, advice: string): Problem =>
  fieldProblem(
    "pool",
    `Pool "${pool}" is not valid: ${message}`,
    `${advice.replace(PUBLISH_AGAIN, "")} The pool is in the bucket fleet-pools; then publish the request again under a new run id.`.trim()
  )

/** Variables of a request that its pool does not declare. */
export const unknownVariables = (request: Variables, declared: Json): ReadonlyArray<Problem> =>
  Object.keys(request.variables ?? {})
    .filter((name) => !Object.hasOwn(declared, name))
    .map((name) => {
      const problem = unknownField(["variables", name], Object.keys(declared))
      const none = `The pool "${request.pool ?? DEFAULT_POOL}" declares no variables: remove it.`
      return Object.keys(declared).length === 0 ? { ...problem, advice: none } : problem
    })
