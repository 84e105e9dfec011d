import { Result } from "effect"
import { type Codec, parseJson, Undecodable } from "#ecs-core/Codec.ts"
import { canonicalJson, digest } from "#ecs-core/Digest.ts"
import type { RequestSeen, RunMessage } from "#ecs-core/Evolve.ts"
import { type AwsFailure, type Problem, problemOf } from "#ecs-core/errors.ts"
import { isRunId, type RunId, resolveRunId } from "#ecs-core/Ids.ts"
import { type Instant, instantOf, millisOf } from "#ecs-core/Instant.ts"
import { mask } from "#ecs-core/Mask.ts"
import { Codecs, type TaskStop } from "#ecs-core/Messages.ts"
import { DEFAULT_POOL } from "#ecs-core/Pool.ts"
import { decodeRequest } from "#ecs-core/RequestProblems.ts"
import { isTombstone, type Run } from "#ecs-core/Run.ts"
import { RunRequest } from "#ecs-core/RunRequest.ts"
import { StopCodes, stopReason } from "#ecs-core/StopReason.ts"
import { parseSubject } from "#ecs-core/Subjects.ts"
import type { DefinitionBusy } from "./definitions.ts"

/** A stored message, as far as decisions need it. */
export interface Stored {
  readonly subject: string
  readonly seq: number
  /** Epoch milliseconds of storage. */
  readonly time: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** A request after reading: its id always, its body where the schema holds. */
export interface ReadRequest {
  readonly seen: RequestSeen
  readonly body: RunRequest | undefined
  readonly pool: string
  /** Set where the body is not even JSON: the original is kept among the dead letters. */
  readonly undecodable: string | undefined
}

/** Reads a request. Whatever is wrong with it, it has an id and becomes a run that ends with a reason. */
export const readRequest = (stored: Stored): ReadRequest => {
  const json = parseJson(stored.text)
  const raw = Result.getOrElse(json, () => undefined)
  const parsed = parseSubject(stored.subject)
  const id = resolveRunId({
    body: field(raw, "runId"),
    subject: parsed?.kind === "run.requested" ? parsed.runId : undefined,
    messageId: stored.headers["Nats-Msg-Id"],
    sequence: stored.seq
  })
  const decoded = Result.isSuccess(json) ? decodeRequest(raw) : Result.fail([notJson(json.failure)])
  const problems = [
    ...(id.disagrees ? [disagrees(id.runId)] : []),
    ...Result.match(decoded, { onSuccess: () => [], onFailure: (all) => all })
  ]
  const body = Result.isSuccess(decoded) ? decoded.success : undefined
  const pool = body?.pool ?? DEFAULT_POOL
  const name = body?.name ?? undefined
  return {
    body: problems.length === 0 ? body : undefined,
    pool,
    undecodable: Result.isFailure(json) ? json.failure.message : undefined,
    seen: {
      runId: id.runId,
      at: instantOf(stored.time),
      sequence: stored.seq,
      bodyDigest: digest("request", raw === undefined ? stored.text : canonicalJson(raw)),
      pool,
      ...(name === undefined ? {} : { name }),
      ...(raw === undefined ? {} : { request: mask(knownFieldsOf(raw)) }),
      notices: id.skipped.map(({ source, value, why }) => `run id "${value}" from ${source} was not used: ${why}`),
      problems
    }
  }
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined

/** What may be kept of a request: a secret under a misspelt name is not masked, so that unknown fields are left out. */
const knownFieldsOf = (raw: unknown): unknown =>
  typeof raw === "object" && raw !== null && !Array.isArray(raw)
    ? Object.fromEntries(Object.entries(raw).filter(([name]) => name in RunRequest.fields))
    : undefined

const notJson = (failure: Undecodable): Problem => ({
  code: "InvalidJson",
  message: `The request is not JSON: ${failure.message}.`,
  advice: "Publish a JSON object; the original is kept on dead.dispatcher.<runId>."
})

const disagrees = (subjectId: RunId): Problem => ({
  code: "InvalidRequest",
  field: "runId",
  message: `Field "runId" names another run than the subject, which says "${subjectId}".`,
  advice: "Leave runId out of the body, or publish on the subject of the same id."
})

/** The record decides what a request is: the first, the same again, a harmless repeat, or another request of a known id. */
export const arbitrate = (run: Run | undefined, seen: RequestSeen): "proceed" | "ignore" | "conflict" => {
  if (run === undefined || isTombstone(run) || run.requestSequence === seen.sequence) return "proceed"
  return run.bodyDigest === seen.bodyDigest ? "ignore" : "conflict"
}

/** The order to stop an attempt, from the record alone: repeated, it is the same message. */
export const stopOf = (run: Run, attempt: number): TaskStop => ({
  runId: run.runId,
  attempt,
  at: run.cancel?.at ?? run.updatedAt,
  reason: stopReason(StopCodes.cancelled, run.cancel?.reason)
})

/** Why a task is stopped of which nobody waits for the end. */
const STRAGGLER_STOP = stopReason(StopCodes.cancelled, "its attempt was given up before the task was known")

/** The order to stop a task that came to be after its attempt was given up. */
export const stragglerStopOf = (run: Run, attempt: number): TaskStop => ({
  runId: run.runId,
  attempt,
  at: run.attempts.find((known) => known.attempt === attempt)?.endedAt ?? run.finishedAt ?? run.updatedAt,
  reason: STRAGGLER_STOP
})

/** Whether an order to stop was given after the task was known. */
export const isStragglerStop = (order: string): boolean =>
  Result.match(Codecs.taskStop.decode(order), {
    onSuccess: ({ reason }) => reason === STRAGGLER_STOP,
    onFailure: () => false
  })

/** The attempt can never be defined: the run ends before there was a task. */
export const refusalOf = (problems: ReadonlyArray<Problem>, nowMillis: number): RunMessage => ({
  kind: "run.refused",
  at: instantOf(nowMillis),
  outcome: "rejected",
  problems
})

/**
 * What the record masks is only in the request: without it nothing can be launched. `orderless` = the attempt is in the
 * record already, and its order was never published.
 */
export const requestGone = (nowMillis: number, orderless?: number): RunMessage => ({
  kind: "run.refused",
  ...(orderless === undefined ? {} : { orderless }),
  at: instantOf(nowMillis),
  outcome: "crashed",
  problems: [
    {
      code: "InternalError",
      message: "The request, or the pool or definition it needs, is gone, so that the run cannot be launched.",
      advice: "Request it again; a longer FLEET_STREAM_AGE_SECONDS keeps requests for longer."
    }
  ]
})

/** The longest wait before a request whose definition cannot be made is looked at again. */
export const DELAY_SECONDS_MAX = 10

const delaySeconds = ({ _tag }: AwsFailure | DefinitionBusy): number =>
  _tag === "DefinitionBusy" ? 1 : DELAY_SECONDS_MAX

/**
 * What follows from a definition that could not be made. Only what repeating cannot help, and the deadline, judged on an
 * answer after it, end the run; else the message comes again after `delayMillis`, at the deadline at the latest. Without
 * credentials nothing is judged. Waiting for another replica's registration is no news to anybody.
 */
export const afterFailure = (
  failure: AwsFailure | DefinitionBusy,
  deadlineMillis: number,
  nowMillis: number
): { readonly event?: RunMessage; readonly delayMillis?: number } => {
  const isAws = failure._tag === "AwsFailure"
  if (isAws && (failure.retry === "never" || failure.retry === "inactive")) {
    return { event: refusalOf([problemOf(failure)], nowMillis) }
  }
  const leftMillis = isAws && failure.retry === "credentials" ? Number.POSITIVE_INFINITY : deadlineMillis - nowMillis
  if (leftMillis <= 0) return { event: launchTimedOut(failure, nowMillis) }
  const delayMillis = Math.min(delaySeconds(failure) * 1000, leftMillis)
  return isAws
    ? { event: { kind: "run.delayed", at: instantOf(nowMillis), problem: problemOf(failure) }, delayMillis }
    : { delayMillis }
}

const launchTimedOut = (last: AwsFailure | DefinitionBusy, nowMillis: number): RunMessage => ({
  kind: "run.refused",
  at: instantOf(nowMillis),
  outcome: "timed_out",
  phase: "launch",
  problems: [
    {
      code: "LaunchTimeout",
      message: `The task definition could not be made in the time allowed for the launch; the last try said: ${last.message}`,
      advice: last._tag === "AwsFailure" ? last.advice : "Raise `launchTimeoutSeconds`, or see the dispatcher's log."
    }
  ]
})

/** A request that waits longer than this before its age leaves the inbox soon, and its place in the queue with it. */
export const QUEUE_MARGIN_SECONDS = 3600

/** Whether a queued run has waited for so long that its turn can never come. */
export const isQueueOver = (queuedAt: Instant, streamAgeSeconds: number, nowMillis: number): boolean =>
  nowMillis - millisOf(queuedAt) >= Math.max(streamAgeSeconds - QUEUE_MARGIN_SECONDS, streamAgeSeconds / 2) * 1000

/** The end of such a run. */
export const queueTimedOut = (nowMillis: number): RunMessage => ({
  kind: "run.refused",
  at: instantOf(nowMillis),
  outcome: "timed_out",
  phase: "launch",
  problems: [
    {
      code: "LaunchTimeout",
      message: "The run waited in its pool's queue until its request was about to be dropped for its age.",
      advice:
        "Raise the pool's `maxRunning`, resume the pool, or keep requests for longer with FLEET_STREAM_AGE_SECONDS."
    }
  ]
})

/** What a message of `task.*` or `run.cancel.*` tells about a run; undefined for our own orders. An empty body is `{}`. */
export const readFact = (
  stored: Stored
): Result.Result<{ readonly runId: RunId; readonly event: RunMessage | undefined }, Undecodable> => {
  const parsed = parseSubject(stored.subject)
  const runId = parsed !== undefined && "runId" in parsed ? parsed.runId : undefined
  if (!isRunId(runId)) return Result.fail(new Undecodable({ message: `"${stored.subject}" names no run id` }))
  const fold = <A>(codec: Codec<A>, event: (message: A) => RunMessage) =>
    Result.map(codec.decode(stored.text.trim() === "" ? "{}" : stored.text), (message) => ({
      runId,
      event: event(message)
    }))
  switch (parsed?.kind) {
    case "run.cancel":
      return fold(Codecs.runCancel, (message) => ({ kind: "run.cancel", runId, at: instantOf(stored.time), message }))
    case "task.started":
      return fold(Codecs.taskStarted, (message) => ({ kind: "task.started", message }))
    case "task.deferred":
      return fold(Codecs.taskDeferred, (message) => ({ kind: "task.deferred", message }))
    case "task.rejected":
      return fold(Codecs.taskRejected, (message) => ({ kind: "task.rejected", message }))
    case "task.changed":
      return fold(Codecs.taskChanged, (message) => ({ kind: "task.changed", message }))
    case "task.stopped":
      return fold(Codecs.taskStopped, (message) => ({ kind: "task.stopped", message }))
    default:
      return Result.succeed({ runId, event: undefined })
  }
}
