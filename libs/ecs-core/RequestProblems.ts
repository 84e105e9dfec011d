import { Result } from "effect"
import type { Problem } from "./errors.ts"
import { kindOf } from "./FieldProblem.ts"
import { freeProblems } from "./FreeProblems.ts"
import { isJson } from "./Json.ts"
import { RunRequest } from "./RunRequest.ts"
import { strictDecoder } from "./StrictProblems.ts"

const notAnObject = (body: unknown): Problem => ({
  code: "InvalidRequest",
  message: `run.requested must be a JSON object, but is ${kindOf(body)}.`,
  advice: 'Publish an object, e.g. {"image": "alpine", "command": ["echo", "hello"]}.'
})

const decode = strictDecoder(RunRequest, { known: Object.keys(RunRequest.fields), notAnObject })

/** Checks a request body against the schema, and its free objects against ECS's own names. All problems come at once. */
export const decodeRequest = (body: unknown): Result.Result<RunRequest, ReadonlyArray<Problem>> => {
  const decoded = decode(body)
  const problems = [...(Result.isFailure(decoded) ? decoded.failure : []), ...freeProblems(isJson(body) ? body : {})]
  return Result.isSuccess(decoded) && problems.length === 0 ? decoded : Result.fail(problems)
}
