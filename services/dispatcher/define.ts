import { Clock, Effect, Result, Schema } from "effect"
import type { BusUnavailable } from "#bus/BusError.ts"
import type { RunMessage } from "#ecs-core/Evolve.ts"
import { type AwsFailure, Problem } from "#ecs-core/errors.ts"
import type { Attempt, RunId } from "#ecs-core/Ids.ts"
import { instantOf, millisOf } from "#ecs-core/Instant.ts"
import type { Job } from "#ecs-core/Job.ts"
import { isOfFargate, launchesOn } from "#ecs-core/LaunchOn.ts"
import { linkDefinition } from "#ecs-core/LinkedDefinition.ts"
import { Codecs, type DefinitionSource, type TaskdefReady } from "#ecs-core/Messages.ts"
import { type AttemptRecord, awaitedSince, blindMillis, type Define, isBlind, type Run } from "#ecs-core/Run.ts"
import { Subjects } from "#ecs-core/Subjects.ts"
import { lastFact } from "#process/Handling.ts"
import { afterFailure, refusalOf, requestGone } from "./decide.ts"
import type { DefinitionError, Wish } from "./definitions.ts"
import { type Fleet, placeOf } from "./Fleet.ts"
import {
  type DefinedAttempt,
  inputOf,
  type Launchable,
  launchProblems,
  orderAfter,
  orderOf,
  preparedFor
} from "./order.ts"
import { foldInto, type RecordError } from "./records.ts"
import type { Place } from "./register.ts"

/** The job of a run, from its request in hand or in the inbox; undefined = the request is gone. */
export type JobSource<E> = (run: Run) => Effect.Effect<Result.Result<Job, ReadonlyArray<Problem>> | undefined, E>

/** The attempt to be defined. */
type Wanted = Omit<Define, "_tag">

/** The definition cannot be made just now: the message is to come again. */
export class DefinitionDelayed extends Schema.TaggedError<DefinitionDelayed>()("DefinitionDelayed", {
  delayMillis: Schema.Finite,
  message: Schema.String
}) {}

/** The launch can never work; every reason at once. */
class LaunchRefused extends Schema.TaggedError<LaunchRefused>()("LaunchRefused", {
  problems: Schema.Array(Problem)
}) {}

/**
 * Defines one attempt and folds it into the record: finds, registers or reads the definition, and asks the cluster what
 * is left open. Any number of replicas may do so at once: the record takes the first, and the order is made from it.
 */
export const define = <E>(
  fleet: Fleet,
  run: Run,
  attempt: Wanted,
  jobOf: JobSource<E>
): Effect.Effect<Run | undefined, E | RecordError | DefinitionDelayed> =>
  Effect.gen(function* () {
    const job = yield* jobOf(run)
    const now = yield* Clock.currentTimeMillis
    if (job === undefined) return yield* foldInto(fleet.runs, run.runId, yield* copied(fleet, run, attempt, now))
    if (Result.isFailure(job)) return yield* foldInto(fleet.runs, run.runId, refusalOf(job.failure, now))
    const made = yield* Effect.result(orderFor(fleet, job.success, run, attempt))
    if (Result.isFailure(made)) return yield* settle(fleet, run, job.success, made.failure)
    const { runTask, definition } = made.success.message
    yield* Effect.logInfo("run defined", {
      runId: run.runId,
      attempt: attempt.attempt,
      taskDefinitionArn: runTask.taskDefinition,
      definition
    })
    return yield* foldInto(fleet.runs, run.runId, { kind: "taskdef.ready", ...made.success }, run)
  })

/** Without its request a run goes on as it was ordered before; its first attempt, and another definition, need the request. */
const copied = (fleet: Fleet, { runId }: Run, { attempt, notArn, notBefore }: Wanted, nowMillis: number) =>
  Effect.gen(function* () {
    const previous = notArn === undefined ? yield* orderBefore(fleet, runId, attempt) : undefined
    if (previous === undefined) return requestGone(nowMillis)
    const message = orderAfter(previous, { at: instantOf(nowMillis), attempt, notBefore })
    return { kind: "taskdef.ready", message } satisfies RunMessage
  })

const orderBefore = (fleet: Fleet, runId: RunId, attempt: Attempt) =>
  attempt === 1
    ? Effect.undefined
    : lastFact(fleet.messages, Subjects.taskdefReady(runId, attempt - 1), Codecs.taskdefReady)

interface Made {
  readonly message: TaskdefReady
  readonly notices: ReadonlyArray<string>
}

const orderFor = (
  fleet: Fleet,
  job: Job,
  run: Run,
  { attempt, notArn, notBefore }: Wanted
): Effect.Effect<Made, DefinitionError | LaunchRefused> =>
  Effect.gen(function* () {
    const wish: Wish = {
      match: job.matchLatestRevisionInFamily,
      autoDeregister: job.autoDeregisterTaskDefinition,
      ...(notArn === undefined ? {} : { notArn })
    }
    const { arn, source, notices, ...found } =
      job.linkedDefinition === undefined
        ? yield* owned(fleet, job, wish)
        : yield* linked(fleet, job, job.linkedDefinition)
    const who = { runId: run.runId, attempt }
    const launchable = yield* withCluster(fleet, job, who, found)
    const problems = launchProblems(job, who, launchable)
    if (problems.length > 0) return yield* new LaunchRefused({ problems })
    const at = instantOf(yield* Clock.currentTimeMillis)
    const defined = { runId: run.runId, attempt, at, taskDefinitionArn: arn, source, notBefore, retry: run.retry }
    return { message: orderOf(job, defined, launchable), notices }
  })

interface FoundDefinition extends Launchable {
  readonly arn: string
  readonly source: DefinitionSource
  readonly notices: ReadonlyArray<string>
}

const owned = (fleet: Fleet, job: Job, wish: Wish): Effect.Effect<FoundDefinition, DefinitionError> =>
  Effect.gen(function* () {
    const prepared = preparedFor(job, placeOf(fleet, job))
    const { arn, registered } = yield* fleet.definitions.ensure(prepared.definition, prepared.place, wish)
    return { ...prepared, arn, source: registered ? "registered" : "reused", notices: [] }
  })

/** A definition that somebody else keeps is read, never registered, changed or deregistered (peers 2, 52). */
const linked = (fleet: Fleet, job: Job, ref: string): Effect.Effect<FoundDefinition, AwsFailure | LaunchRefused> =>
  Effect.gen(function* () {
    const place = placeOf(fleet, job)
    const readBack = yield* fleet.lookups.taskDefinition(place, ref)
    const { definition, containerName, problems, notices } = linkDefinition(job, readBack)
    if (problems.length > 0) return yield* new LaunchRefused({ problems })
    return { definition, containerName, place, arn: readBack.taskDefinitionArn ?? ref, source: "linked", notices }
  })

/** Where neither job nor definition says what to run on, the cluster does, if it has a default (peers 76). */
const withCluster = (
  fleet: Fleet,
  job: Job,
  who: Pick<DefinedAttempt, "runId" | "attempt">,
  found: Launchable
): Effect.Effect<Launchable, AwsFailure> => {
  if (launchesOn(job, found.definition) === "given") return Effect.succeed(found)
  const { cluster } = inputOf(job, { ...who, taskDefinitionArn: "" }, found)
  return Effect.map(fleet.lookups.defaultStrategy(found.place, cluster), (strategy) => ({
    ...found,
    clusterHasDefaultStrategy: strategy.length > 0,
    clusterHasOwnProviders: strategy.length > 0 && !isOfFargate(strategy)
  }))
}

/** Only the deadline turns a delay into an end; until then the record tells what is waited for. */
const settle = (
  fleet: Fleet,
  run: Run,
  job: Job,
  failure: DefinitionError | LaunchRefused
): Effect.Effect<Run | undefined, RecordError | DefinitionDelayed> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (failure._tag === "LaunchRefused") {
      return yield* foldInto(fleet.runs, run.runId, refusalOf(failure.problems, now))
    }
    if (failure._tag === "AwsFailure" || failure._tag === "DefinitionBusy") {
      const deadline = millisOf(awaitedSince(run)) + job.launchTimeoutSeconds * 1000 + blindMillis(run, now)
      const { event, delayMillis } = afterFailure(failure, deadline, now)
      const next = event === undefined || isTold(run, event) ? run : yield* foldInto(fleet.runs, run.runId, event)
      if (delayMillis === undefined) return next
      return yield* new DefinitionDelayed({ delayMillis, message: failure.message })
    }
    return yield* failure
  })

/** The record says already that this definition waits for credentials: it says so once, not with each look. */
const isTold = (run: Run, event: RunMessage): boolean =>
  event.kind === "run.delayed" &&
  isBlind(event.problem) &&
  isBlind(run.delayed?.problem) &&
  millisOf(run.delayed?.at ?? run.requestedAt) >= millisOf(awaitedSince(run))

/** The launch order of an attempt that the record has, made again: whoever makes it, it is the same. */
export const orderAgain = <E>(
  fleet: Fleet,
  run: Run,
  known: AttemptRecord,
  jobOf: JobSource<E>
): Effect.Effect<TaskdefReady | undefined, E | AwsFailure | BusUnavailable> =>
  Effect.gen(function* () {
    const job = yield* jobOf(run)
    if (job === undefined) {
      const previous = yield* orderBefore(fleet, run.runId, known.attempt)
      return previous === undefined ? undefined : orderAfter(previous, { ...known, at: known.definedAt })
    }
    if (Result.isFailure(job)) return undefined
    const { taskDefinitionArn, definedAt: at, containerName, definition: source, attempt, notBefore } = known
    const { notices, retry } = run
    const place = { ...known.target, region: known.target.region ?? fleet.region }
    const found =
      source === "linked" ? yield* readAgain(fleet, place, taskDefinitionArn) : preparedFor(job.success, place)
    if (found === undefined) return undefined
    const launchable = yield* withCluster(
      fleet,
      job.success,
      { runId: run.runId, attempt },
      { ...found, containerName }
    )
    const defined = { runId: run.runId, attempt, at, taskDefinitionArn, source, notBefore, retry }
    return { ...orderOf(job.success, defined, launchable), ...(notices.length === 0 ? {} : { notices }) }
  })

const readAgain = (fleet: Fleet, place: Place, ref: string) =>
  fleet.lookups.taskDefinition(place, ref).pipe(
    Effect.map((definition) => ({ definition, place })),
    Effect.catchIf(
      ({ retry }) => retry === "never" || retry === "inactive",
      () => Effect.undefined
    )
  )
