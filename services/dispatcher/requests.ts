import { Clock, Effect, Option, Result } from "effect"
import { type BusMessage, type Delivery, text } from "#bus/Message.ts"
import { Verdict } from "#bus/Verdict.ts"
import { type AwsFailure, type Problem, problemOf } from "#ecs-core/errors.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { type Job, resolveJob } from "#ecs-core/Job.ts"
import { PoolCodec } from "#ecs-core/Pool.ts"
import { isFinal, type Run } from "#ecs-core/Run.ts"
import { overridesProblem, runTaskInput } from "#ecs-core/RunTaskInput.ts"
import { Streams } from "#ecs-core/Subjects.ts"
import { prepareTaskDefinition } from "#ecs-core/TaskDefinition.ts"
import { arbitrate, lateRefusal, orderOf, type ReadRequest, readRequest, refusalOf } from "./decide.ts"
import type { DefinitionBusy, DefinitionError } from "./definitions.ts"
import type { Fleet } from "./Fleet.ts"
import { type OrderSource, performEffects } from "./perform.ts"
import { foldInto, type RecordError } from "./records.ts"

export type StepError = RecordError | DefinitionBusy | AwsFailure

/**
 * One request: read, record, let the record say whether it is this request's, prepare, register, order the launch, ack.
 * A redelivery after a crash goes through the same lines and completes what is missing.
 */
export const handleRequest = (fleet: Fleet, delivery: Delivery): Effect.Effect<Verdict, StepError> =>
  Effect.gen(function* () {
    const read = readRequest(stored(delivery))
    const { runId } = read.seen
    const job = yield* jobOf(fleet, read)
    const seen = Result.isFailure(job) ? { ...read.seen, problems: job.failure } : read.seen
    const recorded = yield* foldInto(fleet.runs, runId, { kind: "run.requested", message: seen })
    const ruling = arbitrate(recorded, seen)
    if (ruling === "ignore") return Verdict.ack
    if (ruling === "conflict") return Verdict.dead(`another request with the run id "${runId}" came first`)
    if (recorded !== undefined && Result.isSuccess(job)) yield* launch(fleet, recorded, job.success)
    if (recorded !== undefined && Result.isFailure(job)) yield* endRefused(fleet, recorded, job.failure)
    return read.undecodable === undefined ? Verdict.ack : Verdict.dead(`not JSON: ${read.undecodable}`)
  })

const noOrder: OrderSource<never> = () => Effect.undefined

const endRefused = (fleet: Fleet, run: Run, problems: ReadonlyArray<Problem>): Effect.Effect<void, RecordError> =>
  Effect.gen(function* () {
    const refusal = lateRefusal(run, problems, yield* Clock.currentTimeMillis)
    const ended = refusal === undefined ? run : yield* foldInto(fleet.runs, run.runId, refusal)
    yield* performEffects(fleet, ended ?? run, noOrder)
  })

const launch = (fleet: Fleet, run: Run, job: Job): Effect.Effect<void, StepError> =>
  Effect.gen(function* () {
    const source: OrderSource<never> = (current, attempt) => Effect.succeed(orderFrom(fleet, job, current, attempt))
    yield* performEffects(fleet, run, source)
    if (isFinal(run) || run.attempts.length > 0) return
    const defined = yield* define(fleet, run, job)
    if (defined !== undefined) yield* performEffects(fleet, defined, source)
  })

const orderFrom = (fleet: Fleet, job: Job, run: Run, attempt: number) => {
  const known = run.attempts.find((each) => each.attempt === attempt)
  if (known === undefined) return undefined
  const { taskDefinitionArn, definedAt: at } = known
  return orderOf(job, { runId: run.runId, attempt, taskDefinitionArn, at }, job.region ?? fleet.region)
}

const define = (fleet: Fleet, run: Run, job: Job): Effect.Effect<Run | undefined, StepError> =>
  Effect.gen(function* () {
    const region = job.region ?? fleet.region
    const tooLarge = overridesProblem(runTaskInput(job, { runId: run.runId, attempt: 1, taskDefinitionArn: "" }))
    if (tooLarge !== undefined) {
      return yield* foldInto(fleet.runs, run.runId, refusalOf(tooLarge, yield* Clock.currentTimeMillis))
    }
    const ensured = yield* Effect.result(fleet.definitions.ensure(prepareTaskDefinition(job, region), region))
    const now = yield* Clock.currentTimeMillis
    if (Result.isFailure(ensured)) return yield* refuse(fleet, run, ensured.failure, now)
    const attempt = { runId: run.runId, attempt: 1, taskDefinitionArn: ensured.success, at: instantOf(now) }
    const message = orderOf(job, attempt, region)
    yield* Effect.logInfo("run defined", { runId: run.runId, taskDefinitionArn: ensured.success })
    return yield* foldInto(fleet.runs, run.runId, { kind: "taskdef.ready", message })
  })

/** Only what repeating cannot help ends the run; everything else hands the request back for later. */
const refuse = (fleet: Fleet, run: Run, failure: DefinitionError, nowMillis: number) =>
  failure._tag === "AwsFailure" && failure.retry === "never"
    ? foldInto(fleet.runs, run.runId, refusalOf(problemOf(failure), nowMillis))
    : Effect.fail(failure)

const jobOf = (
  fleet: Fleet,
  read: ReadRequest
): Effect.Effect<Result.Result<Job, ReadonlyArray<Problem>>, RecordError> =>
  Effect.gen(function* () {
    if (read.body === undefined) return Result.fail(read.seen.problems)
    const kept = yield* fleet.pools.get(read.pool)
    const pool = Option.map(kept, ({ value }) => PoolCodec.decode(text({ data: value })))
    if (Option.isSome(pool) && Result.isFailure(pool.value))
      return Result.fail([poolProblem(read.pool, pool.value.failure)])
    const found = Option.isSome(pool) && Result.isSuccess(pool.value) ? pool.value.success : undefined
    return resolveJob(read.body, found, fleet.runTimeoutSecondsMax)
  })

const poolProblem = (pool: string, failure: { readonly message: string }): Problem => ({
  code: "InvalidRequest",
  field: "pool",
  message: `Pool "${pool}" is not valid: ${failure.message}`,
  advice: "Correct the pool in the bucket fleet-pools; then publish the request again under a new run id."
})

/** The launch order made again from the original request: what the record masks is still in the inbox. */
export const orderFromInbox =
  (fleet: Fleet): OrderSource<StepError> =>
  (run, attempt) =>
    Effect.gen(function* () {
      if (run.requestSequence === undefined) return undefined
      const original = yield* fleet.messages.at(Streams.inbox, run.requestSequence)
      if (Option.isNone(original)) return undefined
      const job = yield* jobOf(fleet, readRequest(stored(original.value)))
      return Result.isSuccess(job) ? orderFrom(fleet, job.success, run, attempt) : undefined
    })

export const stored = (message: BusMessage) => ({
  subject: message.subject,
  seq: message.seq,
  time: message.time,
  headers: message.headers,
  text: text(message)
})
