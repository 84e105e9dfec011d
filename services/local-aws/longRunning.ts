import type { RunTaskRequest } from "@aws-sdk/client-ecs"
import { Result, Schema, SchemaIssue } from "effect"
import type { LongRunning } from "#aws/model/longRunning.ts"
import { nearest } from "#ecs-core/Nearest.ts"

/** Tasks of one request at most: it is answered in one go, and nobody else is meanwhile. */
export const maxLongRunning = 10_000

/** As old as a record can be. */
const maxRunningSeconds = 30 * 86_400

const Body = Schema.Struct({
  region: Schema.NonEmptyString,
  /** RunTask's input, but for `startedBy`, `count` and `clientToken`. */
  runTask: Schema.Record(Schema.String, Schema.Unknown),
  startedBy: Schema.Array(Schema.NonEmptyString).check(
    Schema.isBetweenLength(1, maxLongRunning, { message: `must be 1 to ${maxLongRunning} texts, one for each task` })
  ),
  runningSeconds: Schema.Finite.check(
    Schema.isBetween({ minimum: 0, maximum: maxRunningSeconds }, { message: `must be 0 to ${maxRunningSeconds}` })
  )
})

const decode = Schema.decodeUnknownResult(Body)

export interface WantedTasks extends LongRunning {
  readonly region: string
  readonly runTask: RunTaskRequest
}

/** Every problem at once; the model judges RunTask's input as AWS does. */
export const readLongRunning = (body: unknown): Result.Result<WantedTasks, ReadonlyArray<string>> =>
  decode(body, { errors: "all", onExcessProperty: "error" }).pipe(
    Result.map(({ runTask, ...wanted }) => ({
      ...wanted,
      runTask: { ...(runTask as unknown as RunTaskRequest), count: 1 }
    })),
    Result.mapError(({ issue }) =>
      SchemaIssue.makeFormatterStandardSchemaV1()(issue).issues.map(({ message, path = [] }) =>
        problemOf(message, path.map(String))
      )
    )
  )

const members = Object.keys(Body.fields)

const problemOf = (message: string, path: ReadonlyArray<string>): string => {
  const field = path.join(".")
  if (field === "") return `Tasks are asked for by a JSON object with ${members.join(", ")}.`
  if (message !== "Expected no excess property") return `${field}: ${message}.`
  const near = nearest(field, members)
  const advice = near === undefined ? `Known are ${members.join(", ")}.` : `Did you mean ${near}?`
  return `${field}: there is no such member. ${advice}`
}
