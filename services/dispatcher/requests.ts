import { Effect, Option, Result } from "effect"
import { type BusMessage, type Delivery, text } from "#bus/Message.ts"
import { Verdict } from "#bus/Verdict.ts"
import type { RequestSeen } from "#ecs-core/Evolve.ts"
import type { Problem } from "#ecs-core/errors.ts"
import type { Job } from "#ecs-core/Job.ts"
import { poolFor } from "#ecs-core/PoolVariables.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import { isQueued } from "#ecs-core/Run.ts"
import { pauseKey, Streams } from "#ecs-core/Subjects.ts"
import { about } from "#process/Handling.ts"
import { type Arrival, arrive } from "./arrivals.ts"
import { arbitrate, type ReadRequest, readRequest } from "./decide.ts"
import type { JobSource } from "./define.ts"
import { type Fleet, placeOf } from "./Fleet.ts"
import { limitsIn } from "./gate.ts"
import { isLimited } from "./limits.ts"
import { credentialsProblem, problemsBeforeAws } from "./order.ts"
import { type PerformError, performEffects } from "./perform.ts"
import { type PoolOrProblems, poolInForce } from "./pools.ts"
import { foldInto, type RecordError } from "./records.ts"

export type StepError = PerformError

/**
 * One request: read, record, let the record say whether it is this request's, make exist what must exist, ack. A
 * redelivery after a crash goes through the same lines and completes what is missing.
 */
export const handleRequest = (fleet: Fleet, delivery: Delivery): Effect.Effect<Verdict, StepError> =>
  Effect.gen(function* () {
    const read = readRequest(stored(delivery))
    return yield* answerRequest(fleet, read).pipe(about(read.seen))
  }).pipe(laterIfDelayed)

const answerRequest = (fleet: Fleet, read: ReadRequest): Effect.Effect<Verdict, StepError> =>
  Effect.gen(function* () {
    const { runId } = read.seen
    const { job, recorded } = yield* recordRequest(fleet, read)
    const ruling = arbitrate(recorded, read.seen)
    if (ruling === "ignore") return Verdict.ack
    if (ruling === "conflict") return Verdict.dead(`another request with the run id "${runId}" came first`)
    if (recorded !== undefined && !isQueued(recorded)) yield* performEffects(fleet, recorded, () => Effect.succeed(job))
    return read.undecodable === undefined ? Verdict.ack : Verdict.dead(`not JSON: ${read.undecodable}`)
  })

/** Records a request; a run that has to queue has its place with that. */
const recordRequest = (fleet: Fleet, read: ReadRequest) =>
  Effect.suspend(() => {
    const arrival = arrive(fleet.queues.arrivals, read.pool)
    return Effect.ensuring(recordArrived(fleet, read, arrival), arrival.leave)
  })

const recordArrived = (fleet: Fleet, read: ReadRequest, arrival: Arrival) =>
  Effect.gen(function* () {
    const inForce = yield* poolInForce(fleet, read.pool)
    const job = jobIn(fleet, read, inForce)
    const queued = Result.isSuccess(job) && (yield* hasToQueue(fleet, read.pool, inForce))
    yield* queued ? arrival.first : arrival.leave
    const message = { ...seenWith(read.seen, job), ...(queued ? { queued } : {}) }
    const recorded = yield* foldInto(fleet.runs, read.seen.runId, { kind: "run.requested", message })
    if (recorded !== undefined && isQueued(recorded) && arbitrate(recorded, read.seen) === "proceed") {
      yield* performEffects(fleet, recorded, () => Effect.succeed(job))
    }
    return { job, recorded }
  })

/** A definition that cannot be made just now: the message comes again, to any replica. */
export const laterIfDelayed = (step: Effect.Effect<Verdict, StepError>): Effect.Effect<Verdict, StepError> =>
  Effect.catchTag(step, "DefinitionDelayed", ({ delayMillis, message }) =>
    Effect.as(Effect.logInfo("definition delayed", { why: message, delayMillis }), Verdict.nak(delayMillis))
  )

/** By the pool that the job was made from, and by the pause as it is now. A pool that nobody can read keeps its runs. */
const hasToQueue = (fleet: Fleet, pool: string, inForce: PoolOrProblems): Effect.Effect<boolean, RecordError> =>
  Effect.map(fleet.pools.get(pauseKey(pool)), (pause) => {
    const limits = limitsIn(inForce, Option.isSome(pause))
    return limits === undefined || isLimited(limits)
  })

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
  Effect.map(poolInForce(fleet, read.pool), (inForce) => jobIn(fleet, read, inForce))

const jobIn = (fleet: Fleet, { body, seen }: ReadRequest, inForce: PoolOrProblems): JobOrProblems => {
  if (body === undefined) return Result.fail(seen.problems)
  if (Result.isFailure(inForce)) return Result.fail(inForce.failure)
  const { notices, pool } = inForce.success
  const filled = pool === undefined ? Result.succeed(undefined) : poolFor(pool, body)
  return Result.flatMap(filled, (pool) => resolveJob(body, pool, fleet.runTimeoutSecondsMax)).pipe(
    Result.flatMap((job) => {
      const unknown = credentialsProblem(job, fleet.credentials)
      if (unknown !== undefined) return Result.fail([unknown])
      const problems = problemsBeforeAws(job, seen.runId, placeOf(fleet, job))
      return problems.length === 0
        ? Result.succeed({ ...job, notices: [...notices, ...job.notices] })
        : Result.fail(problems)
    })
  )
}

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
