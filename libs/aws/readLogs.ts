import type { FilterLogEventsResponse } from "@aws-sdk/client-cloudwatch-logs"
import { Clock, Effect, Result } from "effect"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { classify } from "./AwsError.ts"
import type { ContainerLogEvent, LogsCalls, LogsInput, LogsPage } from "./ContainerLogs.ts"
import type { StreamMemory } from "./StreamMemory.ts"
import type { AwsTarget } from "./Target.ts"

/**
 * FilterLogEvents fails as a whole ("The specified log stream does not exist.") when one of its stream names does not
 * exist, and does not say which. A container's stream exists only from its first line on, and never if it did not start;
 * so a sweep over a hundred young tasks would mostly fail. Here a failed call is split: into streams known to exist and
 * the rest, then in halves, until the missing ones are single. What was found is remembered: existing streams for good,
 * missing ones for a moment, so that the steady state is one call per read. DescribeLogStreams would tell too, but its
 * quota is lower still and it takes one name a call.
 */

/** Calls of one read at most; what is left then is behind `nextToken`. */
export const maxCallsPerRead = 8
/** Streams remembered at one time, of each kind. */
export const maxRememberedStreams = 100_000

/** Streams still to be read, together, from a token of AWS on. */
export interface Part {
  readonly streams: ReadonlyArray<string>
  readonly token?: string
  /** There is no other part. */
  readonly isAll?: true
}

interface Reading {
  readonly calls: LogsCalls
  readonly memory: StreamMemory
  readonly target: AwsTarget
  readonly input: LogsInput
}

export const readLogs = (
  calls: LogsCalls,
  memory: StreamMemory,
  target: AwsTarget,
  input: LogsInput
): Effect.Effect<LogsPage, AwsFailure> =>
  Effect.gen(function* () {
    const reading: Reading = { calls, memory, target, input }
    const now = yield* Clock.currentTimeMillis
    const absent = input.logStreams.filter((stream) => isMissing(reading, stream, now))
    const present = input.logStreams.filter((stream) => !absent.includes(stream))
    const first: ReadonlyArray<Part> = present.length === 0 ? [] : [{ streams: present, isAll: true }]
    const parts = input.nextToken === undefined ? first : decodeToken(input.nextToken)
    if (parts === undefined) return yield* foreignToken(reading)
    return yield* readParts(reading, parts, absent, now)
  })

const readParts = (
  reading: Reading,
  toRead: ReadonlyArray<Part>,
  absent: ReadonlyArray<string>,
  now: number
): Effect.Effect<LogsPage, AwsFailure> =>
  Effect.gen(function* () {
    const { calls, target, input } = reading
    const limit = input.limit ?? 10_000
    const events: Array<ContainerLogEvent> = []
    const missing = [...absent]
    let parts = toRead
    for (let call = 0; call < maxCallsPerRead && parts.length > 0 && events.length < limit; call++) {
      const [part, ...others] = parts
      if (part === undefined) break
      if (call > 0) yield* calls.beforeExtraCall(target)
      const answer = yield* filter(reading, part, limit - events.length)
      if (Result.isSuccess(answer)) {
        remember(reading, part.streams)
        events.push(...(answer.success.events ?? []).flatMap(toEvent))
        const { nextToken } = answer.success
        parts = nextToken === undefined ? others : [{ ...part, token: nextToken }, ...others]
        if (nextToken !== undefined) break
      } else if (part.streams.length === 1) {
        missing.push(...part.streams)
        rememberMissing(reading, part.streams, now)
        parts = others
      } else parts = [...split(part, (stream) => reading.memory.existing.has(keyOf(reading, stream))), ...others]
    }
    const noneIsThere = missing.length > 0 && missing.length === input.logStreams.length
    if (noneIsThere && absent.length === 0) return yield* noneExists(reading)
    const [next] = parts
    if (next === undefined) return { events, missing, unasked: absent }
    const reached = next.isAll === true ? (events.at(-1)?.timestamp ?? input.startTime) : undefined
    const page = { events, missing, unasked: absent, nextToken: encodeToken(parts) }
    return reached === undefined ? page : { ...page, reached }
  })

/** One call; a missing stream is a value, since it is expected. A missing group is a failure: no splitting helps. */
const filter = (
  { calls, target, input }: Reading,
  part: Part,
  limit: number
): Effect.Effect<Result.Result<FilterLogEventsResponse, AwsFailure>, AwsFailure> =>
  calls
    .filterLogEvents(target, {
      logGroupName: input.logGroup,
      logStreamNames: [...part.streams],
      limit,
      ...(input.startTime === undefined ? {} : { startTime: input.startTime }),
      ...(part.token === undefined ? {} : { nextToken: part.token })
    })
    .pipe(
      Effect.mapError((error) => classify("FilterLogEvents", error, contextOf(calls, target, input))),
      Effect.map((answer) => Result.succeed(answer)),
      Effect.catchIf(
        (failure) => failure.code === "LogStreamNotFound" && !/log group does not/i.test(failure.message),
        (failure) => Effect.succeed(Result.fail(failure))
      )
    )

/** Streams known to exist and the others; if all are of one kind, two halves. */
export const split = (part: Part, isKnown: (stream: string) => boolean): ReadonlyArray<Part> => {
  const known = part.streams.filter(isKnown)
  const unknown = part.streams.filter((stream) => !isKnown(stream))
  const middle = Math.ceil(part.streams.length / 2)
  return known.length > 0 && unknown.length > 0
    ? [{ streams: known }, { streams: unknown }]
    : [{ streams: part.streams.slice(0, middle) }, { streams: part.streams.slice(middle) }]
}

/** The parts that are left, opaque to the caller. */
export const encodeToken = (parts: ReadonlyArray<Part>): string => JSON.stringify(parts)

/** The parts in a token of ours; undefined = it is none. */
export const decodeToken = (token: string): ReadonlyArray<Part> | undefined => {
  const parsed = Result.try((): unknown => JSON.parse(token))
  if (Result.isFailure(parsed) || !Array.isArray(parsed.success)) return undefined
  return parsed.success.every(isPart) ? parsed.success : undefined
}

const isPart = (value: unknown): value is Part =>
  typeof value === "object" && value !== null && "streams" in value && Array.isArray(value.streams)

const toEvent = (event: NonNullable<FilterLogEventsResponse["events"]>[number]): Array<ContainerLogEvent> => {
  const { logStreamName, timestamp, message, eventId, ingestionTime } = event
  if (logStreamName === undefined || timestamp === undefined || eventId === undefined) return []
  const when = ingestionTime === undefined ? {} : { ingestionTime }
  return [{ logStream: logStreamName, timestamp, message: message ?? "", eventId, ...when }]
}

const keyOf = ({ target, input }: Reading, stream: string) =>
  `${target.credentials ?? ""}|${target.region ?? ""}|${input.logGroup}|${stream}`

const isMissing = (reading: Reading, stream: string, now: number) =>
  (reading.memory.missingUntil.get(keyOf(reading, stream)) ?? 0) > now

const remember = (reading: Reading, streams: ReadonlyArray<string>): void => {
  const { existing, missingUntil } = reading.memory
  for (const key of streams.map((stream) => keyOf(reading, stream))) {
    existing.add(key)
    missingUntil.delete(key)
  }
  dropOldest(existing)
}

const rememberMissing = (reading: Reading, streams: ReadonlyArray<string>, now: number): void => {
  const { existing, missingUntil } = reading.memory
  for (const key of streams.map((stream) => keyOf(reading, stream))) {
    existing.delete(key)
    missingUntil.delete(key)
    missingUntil.set(key, now + reading.memory.missingStreamSeconds * 1000)
  }
  dropOldest(missingUntil)
}

const dropOldest = (kept: {
  readonly size: number
  readonly keys: () => Iterator<string>
  delete: (key: string) => boolean
}) => {
  while (kept.size > maxRememberedStreams) {
    const oldest = kept.keys().next()
    if (oldest.done === true) return
    kept.delete(oldest.value)
  }
}

const contextOf = (calls: LogsCalls, target: AwsTarget, input: LogsInput) => ({
  region: calls.region(target),
  credentials: target.credentials,
  logGroup: input.logGroup
})

const foreignToken = ({ calls, target, input }: Reading): AwsFailure =>
  classify(
    "FilterLogEvents",
    { name: "InvalidParameterException", message: "The specified nextToken is invalid." },
    contextOf(calls, target, input)
  )

const noneExists = ({ calls, target, input }: Reading): AwsFailure =>
  classify(
    "FilterLogEvents",
    { name: "ResourceNotFoundException", message: "The specified log stream does not exist." },
    contextOf(calls, target, input)
  )
