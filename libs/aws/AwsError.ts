import type { Failure } from "@aws-sdk/client-ecs"
import { AwsFailure } from "#ecs-core/errors.ts"
import { type CallContext, type FailureRow, foldQuotes, type Row, readFacts, type Seen } from "./AwsErrorFacts.ts"
import { rows, unknownRow } from "./AwsErrorRows.ts"
import { failureRows, nothingReturned, unknownFailure } from "./AwsFailureRows.ts"

export type { CallContext } from "./AwsErrorFacts.ts"

/**
 * Translates whatever an AWS call threw (an exception of the SDK, of the network, of the model) into a code, a retry
 * class and two sentences. Total: an unknown error becomes `AwsError`, or `ServiceUnavailable` when the answer may be lost.
 */
export const classify = (action: string, error: unknown, context: CallContext = {}): AwsFailure => {
  if (error instanceof AwsFailure) return error
  const seen: Seen = { ...readFacts(error, context.secrets), action, context }
  const row = rowOf(seen)
  return new AwsFailure({
    code: row.code,
    retry: row.retry,
    message: row.message(seen),
    advice: row.advice(seen),
    action,
    ...(seen.name === "" ? {} : { awsName: seen.name }),
    ...(seen.resourceIds === undefined ? {} : { resourceIds: seen.resourceIds }),
    ...(seen.repeated ? { repeated: true } : {})
  })
}

/** The row that decides. */
export const rowOf = (seen: Seen): Row => rows.find((each) => each.when(seen)) ?? unknownRow

/** Different reasons that a message keeps: ECS may give one for each container instance. */
export const maxReasons = 20

/**
 * Translates the `failures[]` of RunTask (HTTP 200, nothing launched). Any reason of capacity wins over the others: on
 * EC2 each container instance gives its own reason, and one that is merely full may have room later.
 * An empty list means that the answer had neither tasks nor failures.
 */
export const classifyFailures = (failures: ReadonlyArray<Failure>): AwsFailure => {
  const found = failures.map(({ reason }) => failureRowOf(reason))
  const row = found.find((each) => each.retry === "capacity") ?? found[0] ?? nothingReturned
  const reasons = [...new Set(failures.map(reasonText))]
  const [kept, left] = [reasons.slice(0, maxReasons), Math.max(0, reasons.length - maxReasons)]
  const said = kept.length === 0 ? "" : ` ECS says: ${kept.join("; ")}${left === 0 ? "" : `; and ${left} more`}`
  return new AwsFailure({
    code: row.code,
    retry: row.retry,
    message: `Failed to run ECS task: ${row.message}${said}`,
    advice: row.advice,
    action: "RunTask",
    ...(kept.length === 0 ? {} : { reasons: kept }),
    ...(failures[0]?.reason === undefined ? {} : { awsName: failures[0].reason })
  })
}

/** The row that decides about one reason. */
export const failureRowOf = (reason: string | undefined): FailureRow =>
  failureRows.find((row) => row.when(foldQuotes(reason ?? ""))) ?? unknownFailure

const reasonText = ({ reason, detail }: Failure): string =>
  [reason || "no reason given", detail && `(${detail})`].filter(Boolean).join(" ")
