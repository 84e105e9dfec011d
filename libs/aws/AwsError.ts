import type { Failure } from "@aws-sdk/client-ecs"
import { AwsFailure } from "#ecs-core/errors.ts"
import { type CallContext, type FailureRow, foldQuotes, type Row, readFacts, type Seen } from "./AwsErrorFacts.ts"
import { rows } from "./AwsErrorRows.ts"
import { failureRows } from "./AwsFailureRows.ts"

export type { CallContext } from "./AwsErrorFacts.ts"

/**
 * Translates whatever an AWS call threw (an exception of the SDK, of the network, of the model) into a code, a retry
 * class and two sentences. Total: an unknown error becomes `AwsError`, or `ServiceUnavailable` when the answer may be lost.
 */
export const classify = (action: string, error: unknown, context: CallContext = {}): AwsFailure => {
  if (error instanceof AwsFailure) return error
  const seen: Seen = { ...readFacts(error), action, context }
  const row = rows.find((each) => each.when(seen)) ?? unknownRow
  return new AwsFailure({
    code: row.code,
    retry: row.retry,
    message: row.message(seen),
    advice: row.advice(seen),
    action,
    ...(seen.name === "" ? {} : { awsName: seen.name }),
    ...(seen.resourceIds === undefined ? {} : { resourceIds: seen.resourceIds })
  })
}

/**
 * Translates the `failures[]` of RunTask (HTTP 200, nothing launched). Any reason of capacity wins over the others: on
 * EC2 each container instance gives its own reason, and one that is merely full may have room later.
 * An empty list means that the answer had neither tasks nor failures.
 */
export const classifyFailures = (failures: ReadonlyArray<Failure>): AwsFailure => {
  const reasons = failures.map((failure) => foldQuotes(failure.reason ?? "no reason given"))
  if (reasons.length === 0) return nothingAnswered()
  const found = reasons.map((reason) => failureRows.find((row) => row.when(reason)) ?? unknownFailure)
  const row = found.find((each) => each.retry === "capacity") ?? found[0] ?? unknownFailure
  const given = [...new Set(failures.map((failure) => [failure.reason, failure.detail].filter(Boolean).join(": ")))]
  return new AwsFailure({
    code: row.code,
    retry: row.retry,
    message: `Failed to run ECS task: ${row.message} ECS says: ${given.slice(0, 5).join("; ")}`,
    advice: row.advice,
    action: "RunTask",
    ...(failures[0]?.reason === undefined ? {} : { awsName: failures[0].reason })
  })
}

const unknownRow: Row = {
  when: () => true,
  code: "AwsError",
  retry: "never",
  message: (seen) => `${seen.action} failed: ${seen.name || "an unknown error"}: ${seen.text || "no text given"}`,
  advice: () => "Look the error up in the AWS documentation of the call; the request was not repeated."
}

// AWS changes these texts without notice. Waiting costs the run its launch deadline at most; giving up costs the run.
const unknownFailure: FailureRow = {
  when: () => true,
  code: "NoCapacity",
  retry: "capacity",
  message: "ECS did not place the task.",
  advice:
    "The launch is repeated until the run's launch deadline. Look the reason up in the AWS documentation of RunTask."
}

const nothingAnswered = () =>
  new AwsFailure({
    code: "ServiceUnavailable",
    retry: "transient",
    message: "Failed to run ECS task: no tasks or failures were returned.",
    advice: "The same call is repeated with the same client token.",
    action: "RunTask"
  })
