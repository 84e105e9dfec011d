import { Effect, Option, Result } from "effect"
import { type BusMessage, type Delivery, text } from "#bus/Message.ts"
import { Verdict } from "#bus/Verdict.ts"
import type { RequestSeen } from "#ecs-core/Evolve.ts"
import type { Problem } from "#ecs-core/errors.ts"
import type { Job } from "#ecs-core/Job.ts"
import { PoolCodec } from "#ecs-core/Pool.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import { Streams } from "#ecs-core/Subjects.ts"
import { arbitrate, type ReadRequest, readRequest } from "./decide.ts"
import type { JobSource } from "./define.ts"
import type { Fleet } from "./Fleet.ts"
import { problemsBeforeAws } from "./order.ts"
import { type PerformError, performEffects } from "./perform.ts"
import { foldInto, type RecordError } from "./records.ts"

export type StepError = PerformError

/**
 * One request: read, record, let the record say whether it is this request's, make exist what must exist, ack. A
 * redelivery after a crash goes through the same lines and completes what is missing.
 */
export const handleRequest = (fleet: Fleet, delivery: Delivery): Effect.Effect<Verdict, StepError> =>
  Effect.gen(function* () {
    const read = readRequest(stored(delivery))
    const { runId } = read.seen
    const job = yield* jobOf(fleet, read)
    const recorded = yield* foldInto(fleet.runs, runId, { kind: "run.requested", message: seenWith(read.seen, job) })
    const ruling = arbitrate(recorded, read.seen)
    if (ruling === "ignore") return Verdict.ack
    if (ruling === "conflict") return Verdict.dead(`another request with the run id "${runId}" came first`)
    if (recorded !== undefined) yield* performEffects(fleet, recorded, () => Effect.succeed(job))
    return read.undecodable === undefined ? Verdict.ack : Verdict.dead(`not JSON: ${read.undecodable}`)
  }).pipe(laterIfDelayed)

/** A definition that cannot be made just now: the message comes again, to any replica. */
export const laterIfDelayed = (step: Effect.Effect<Verdict, StepError>): Effect.Effect<Verdict, StepError> =>
  Effect.catchTag(step, "DefinitionDelayed", ({ delayMillis, message }) =>
    Effect.as(Effect.logInfo("definition delayed", { why: message, delayMillis }), Verdict.nak(delayMillis))
  )

type JobOrProblems = Result.Result<Job, ReadonlyArray<Problem>>

const seenWith = (seen: RequestSeen, job: JobOrProblems): RequestSeen =>
  Result.match(job, {
    onSuccess: ({ notices }) => ({ ...seen, notices: [...seen.notices, ...notices] }),
    onFailure: (problems) => ({ ...seen, problems })
  })

/** What the record keeps of a request, judged by the pool as it is now. */
export const seenWithJob = (fleet: Fleet, read: ReadRequest): Effect.Effect<RequestSeen, RecordError> =>
  Effect.map(jobOf(fleet, read), (job) => seenWith(read.seen, job))

const jobOf = (fleet: Fleet, read: ReadRequest): Effect.Effect<JobOrProblems, RecordError> =>
  Effect.gen(function* () {
    if (read.body === undefined) return Result.fail(read.seen.problems)
    const kept = yield* fleet.pools.get(read.pool)
    const pool = Option.map(kept, ({ value }) => PoolCodec.decode(text({ data: value })))
    if (Option.isSome(pool) && Result.isFailure(pool.value))
      return Result.fail([poolProblem(read.pool, pool.value.failure)])
    const found = Option.isSome(pool) && Result.isSuccess(pool.value) ? pool.value.success : undefined
    return Result.flatMap(resolveJob(read.body, found, fleet.runTimeoutSecondsMax), (job) => {
      const problems = problemsBeforeAws(job, read.seen.runId, fleet.region)
      return problems.length === 0 ? Result.succeed(job) : Result.fail(problems)
    })
  })

const poolProblem = (pool: string, failure: { readonly message: string }): Problem => ({
  code: "InvalidRequest",
  field: "pool",
  message: `Pool "${pool}" is not valid: ${failure.message}`,
  advice: "Correct the pool in the bucket fleet-pools; then publish the request again under a new run id."
})

/** The job from the original request: what the record masks is still in the inbox. */
export const jobFromInbox =
  (fleet: Fleet): JobSource<RecordError> =>
  (run) =>
    Effect.gen(function* () {
      if (run.requestSequence === undefined) return undefined
      const original = yield* fleet.messages.at(Streams.inbox, run.requestSequence)
      return Option.isNone(original) ? undefined : yield* jobOf(fleet, readRequest(stored(original.value)))
    })

export const stored = (message: BusMessage) => ({
  subject: message.subject,
  seq: message.seq,
  time: message.time,
  headers: message.headers,
  text: text(message)
})
