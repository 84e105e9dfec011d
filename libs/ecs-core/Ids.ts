import { Schema } from "effect"

const RUN_ID = /^[A-Za-z0-9_-]{1,64}$/u
const RESERVED_RUN_ID = /^run-\d+$/u

/** A run's id: subject token, bucket key and part of `startedBy`, hence the narrow alphabet. */
export const RunId = Schema.String.check(
  Schema.isPattern(RUN_ID, { message: "must be 1 to 64 of the characters A-Z a-z 0-9 _ -" })
).pipe(Schema.brand("RunId"))
export type RunId = typeof RunId.Type

export const isRunId = Schema.is(RunId)

/** Which launch of a run: 1, 2, 3 … One attempt is one ECS task. */
export const Attempt = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))
export type Attempt = number

/** The id of one installation: 8 lower-case hex characters, part of every client token and `startedBy`. */
export const FleetId = Schema.String.check(Schema.isPattern(/^[0-9a-f]{8}$/u)).pipe(Schema.brand("FleetId"))
export type FleetId = typeof FleetId.Type

/** Pool names are subject tokens, bucket keys and part of the family name. */
export const PoolName = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/u, { message: "must be 1 to 64 of the characters A-Z a-z 0-9 _ -" })
)
export const isPoolName = Schema.is(PoolName)

/** Names of sets of credentials, as services are told of them. */
export const CredentialsName = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/u, { message: "must be 1 to 64 of the characters A-Z a-z 0-9 _ -" })
)

/** Why an id offered by a producer was passed over. */
export interface SkippedRunId {
  readonly source: "body" | "subject" | "Nats-Msg-Id"
  readonly value: string
  readonly why: string
}

export interface ResolvedRunId {
  readonly runId: RunId
  readonly skipped: ReadonlyArray<SkippedRunId>
  /** The body names another id than the subject: the request is refused under the subject's id. */
  readonly disagrees: boolean
}

/**
 * The id of a request: body, subject token, `Nats-Msg-Id`, else `run-<stream sequence>`. A candidate that does not fit
 * is skipped and reported, so that the publish acknowledgement is always enough to know the id. A well-formed subject
 * token wins over a body that says otherwise, because permissions hang on subjects.
 */
export const resolveRunId = (offered: {
  readonly body?: unknown
  readonly subject?: string | undefined
  readonly messageId?: string | undefined
  readonly sequence: number
}): ResolvedRunId => {
  const candidates = [
    { source: "body" as const, value: offered.body },
    { source: "subject" as const, value: offered.subject },
    { source: "Nats-Msg-Id" as const, value: offered.messageId }
  ].filter(({ value }) => value !== undefined && value !== null)
  const skipped = candidates.flatMap(({ source, value }) => {
    const why = unfit(value)
    return why === undefined ? [] : [{ source, value: textOf(value).slice(0, 80), why }]
  })
  const [body, subject, messageId] = [offered.body, offered.subject, offered.messageId].map((value) =>
    typeof value === "string" && unfit(value) === undefined ? value : undefined
  )
  const named = offered.body !== undefined && offered.body !== null
  const disagrees = subject !== undefined && named && offered.body !== subject
  const chosen = (disagrees ? subject : (body ?? subject ?? messageId)) ?? `run-${offered.sequence}`
  return { runId: RunId.make(chosen), skipped, disagrees }
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))

const unfit = (value: unknown): string | undefined => {
  if (typeof value !== "string") return "is not a string"
  if (!RUN_ID.test(value)) return "must be 1 to 64 of the characters A-Z a-z 0-9 _ -"
  return RESERVED_RUN_ID.test(value) ? "run-<number> is reserved for ids given by the stream" : undefined
}
