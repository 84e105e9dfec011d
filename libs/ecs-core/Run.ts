import { Schema } from "effect"
import { codec, Version } from "./Codec.ts"
import { Problem } from "./errors.ts"
import { Attempt, RunId } from "./Ids.ts"
import { Instant, millisOf } from "./Instant.ts"
import {
  DefinitionSource,
  LogSource,
  Phase,
  type RunFinished,
  Target,
  type TaskDeferred,
  TaskTimes
} from "./Messages.ts"
import { RETRY_DEFAULTS, RetryPolicy, type Used } from "./RetryPolicy.ts"
import { isGoneStatus, isOutcome, Outcome, RunState } from "./RunState.ts"

/** Oldest entries beyond this number are dropped, the first few kept. */
export const TIMELINE_MAX = 100

/** Attempts beyond this number note their first log stream alone: a record must fit into one message of NATS. */
export const SIDECAR_LOGS_ATTEMPTS_MAX = 10

/** A cancel that arrives before its request waits this long for it. */
export const TOMBSTONE_SECONDS = 600

export const TimelineEntry = Schema.Struct({
  at: Instant,
  what: Schema.String,
  /** How often the same entry came in a row. */
  count: Schema.optionalKey(Schema.Int)
})
export type TimelineEntry = typeof TimelineEntry.Type

/** One launch of a run, as far as facts have told. */
export const AttemptRecord = Schema.Struct({
  attempt: Attempt,
  definedAt: Instant,
  /** It is not to be launched earlier. */
  notBefore: Schema.optionalKey(Instant),
  taskDefinitionArn: Schema.String,
  /** Where the definition comes from: a `linked` one is never registered again. */
  definition: Schema.optionalKey(DefinitionSource),
  containerName: Schema.String,
  target: Target,
  try: Schema.optionalKey(Schema.Int),
  taskArn: Schema.optionalKey(Schema.String),
  clusterArn: Schema.optionalKey(Schema.String),
  lastStatus: Schema.optionalKey(Schema.String),
  /** ECS's version of the newest description folded in. */
  taskVersion: Schema.optionalKey(Schema.Int),
  deferred: Schema.optionalKey(Schema.Struct({ try: Schema.Int, problem: Problem, nextTryAt: Instant })),
  times: Schema.optionalKey(TaskTimes),
  /** Where its lines are, the orchestration container's first. */
  logs: Schema.optionalKey(Schema.Array(LogSource)),
  over: Schema.optionalKey(Schema.Boolean),
  endedAt: Schema.optionalKey(Instant),
  outcome: Schema.optionalKey(Outcome),
  exitCode: Schema.optionalKey(Schema.Int),
  phase: Schema.optionalKey(Phase),
  /** Why it ended, where the run goes on with another attempt. */
  problem: Schema.optionalKey(Problem),
  /** When that next attempt may be launched; absent = at once. */
  retryAt: Schema.optionalKey(Instant),
  /** The task came to be after the attempt was given up: nobody waits for it, and it is stopped. */
  straggler: Schema.optionalKey(Schema.Boolean)
})
export type AttemptRecord = typeof AttemptRecord.Type

/**
 * The record of one run in `fleet-runs`, written by the dispatcher alone through `evolve`. A record without
 * `requestSequence` is a tombstone: a cancel that came before its request. (An `incomplete` one lacks it where the request
 * was gone when it was rebuilt.)
 */
export const Run = Schema.Struct({
  v: Schema.optionalKey(Version),
  runId: RunId,
  state: RunState,
  /** Sequence of the request in `FLEET_IN`: which request made this record, and where its secrets still are. */
  requestSequence: Schema.optionalKey(Schema.Int),
  bodyDigest: Schema.optionalKey(Schema.String),
  pool: Schema.optionalKey(Schema.String),
  name: Schema.optionalKey(Schema.String),
  /** The request as published, secrets masked. */
  request: Schema.optionalKey(Schema.Unknown),
  requestedAt: Instant,
  /** Since when it waited, or waits, for its turn in a limited pool; absent = it never had to. */
  queuedAt: Schema.optionalKey(Instant),
  /** When its turn came. */
  admittedAt: Schema.optionalKey(Instant),
  startedAt: Schema.optionalKey(Instant),
  finishedAt: Schema.optionalKey(Instant),
  updatedAt: Instant,
  attempts: Schema.Array(AttemptRecord),
  /** What follows a failed attempt, as the first order says it. */
  retry: Schema.optionalKey(RetryPolicy),
  /** Failures of the program after which another attempt followed; absent = none. */
  programFailures: Schema.optionalKey(Schema.Int),
  /** Failures of the platform after which another attempt followed; absent = none. */
  platformFailures: Schema.optionalKey(Schema.Int),
  /** Why a definition could not be made, as last seen; `blindSeconds`: how long credentials were waited for before that. */
  delayed: Schema.optionalKey(
    Schema.Struct({ at: Instant, problem: Problem, blindSeconds: Schema.optionalKey(Schema.Finite) })
  ),
  cancel: Schema.optionalKey(
    Schema.Struct({
      at: Instant,
      reason: Schema.optionalKey(Schema.String),
      graceSeconds: Schema.optionalKey(Schema.Int)
    })
  ),
  exitCode: Schema.optionalKey(Schema.Int),
  problems: Schema.Array(Problem),
  phase: Schema.optionalKey(Phase),
  notices: Schema.Array(Schema.String),
  timeline: Schema.Array(TimelineEntry),
  /** Rebuilt from a stream whose beginning was already gone. */
  incomplete: Schema.optionalKey(Schema.Boolean)
})
export type Run = typeof Run.Type

export const RunCodec = codec(Run)

export const isFinal = (run: Run): boolean => isOutcome(run.state)

/** A record that was rebuilt without its request is that of a run all the same. */
export const isTombstone = (run: Run): boolean => run.requestSequence === undefined && run.incomplete !== true

export const currentAttempt = (run: Run): AttemptRecord | undefined => run.attempts.at(-1)

/** Whether an attempt is to be defined: the first one, or the next after one that is over. */
export const awaitsDefinition = (run: Run): boolean => {
  const current = currentAttempt(run)
  return !isFinal(run) && !isTombstone(run) && (current === undefined || current.over === true)
}

/** The record's policy; one from before there were policies has the defaults. */
export const retryOf = (run: Run): RetryPolicy => run.retry ?? RETRY_DEFAULTS

/** Further attempts that the run has had, by what made them necessary. */
export const usedOf = (run: Run): Used => ({ program: run.programFailures ?? 0, platform: run.platformFailures ?? 0 })

/** It waits for its turn in a limited pool, and nothing is defined before it has come. */
export const isQueued = (run: Run): boolean => run.state === "queued"

/** ECS is done with the attempt's task; it may be so before the attempt counts as over, or long after. */
export const isTaskGone = ({ lastStatus }: AttemptRecord): boolean => isGoneStatus(lastStatus)

/**
 * Whether the run still counts against its pool's `maxRunning`: until it is over and none of its tasks is left, those
 * that nobody waits for included. A run is over up to half a minute before its task has STOPPED.
 */
export const takesSlot = (run: Run): boolean => !isFinal(run) || hasTask(run)

const hasTask = (run: Run): boolean =>
  run.attempts.some((attempt) => attempt.taskArn !== undefined && !isTaskGone(attempt))

/** From when on the next attempt has `launchTimeoutSeconds`; the time in the queue does not count. */
export const awaitedSince = (run: Run): Instant => {
  const last = currentAttempt(run)
  return last?.retryAt ?? last?.endedAt ?? run.admittedAt ?? run.requestedAt
}

/** How long the definition that is awaited now has waited for credentials: that time counts against no deadline. */
export const blindMillis = (run: Run, nowMillis: number): number => {
  const { delayed } = run
  if (delayed === undefined || millisOf(delayed.at) < millisOf(awaitedSince(run))) return 0
  return blindUntil(delayed, nowMillis)
}

/** What waited for credentials, until now: of a failure with `problem` at a time, and what had been waited before it. */
export const blindUntil = (
  { at, blindSeconds = 0, problem }: Pick<TaskDeferred, "at" | "blindSeconds" | "problem">,
  nowMillis: number
): number => 1000 * blindSeconds + (isBlind(problem) ? Math.max(0, nowMillis - millisOf(at)) : 0)

/** Nobody could see what AWS has to say. */
export const isBlind = (problem: Problem | undefined): boolean => problem?.code === "CredentialsRejected"

/** The message that ends the run; undefined while it goes on. */
export const runFinished = (run: Run): RunFinished | undefined => {
  if (!isOutcome(run.state)) return undefined
  const taskArn = lastWithTask(run)?.taskArn
  const [error] = run.problems
  return {
    runId: run.runId,
    outcome: run.state,
    ...(run.exitCode === undefined ? {} : { exitCode: run.exitCode }),
    ...(error === undefined ? {} : { error }),
    ...(run.problems.length > 1 ? { errors: run.problems } : {}),
    ...(run.phase === undefined ? {} : { phase: run.phase }),
    attempts: run.attempts.length,
    ...(taskArn === undefined ? {} : { taskArn }),
    requestedAt: run.requestedAt,
    ...(run.startedAt === undefined ? {} : { startedAt: run.startedAt }),
    finishedAt: run.finishedAt ?? run.updatedAt
  }
}

/** The last attempt that had a task; one that nobody waited for does not count. */
export const lastWithTask = (run: Run): AttemptRecord | undefined =>
  run.attempts.findLast(({ taskArn, straggler }) => taskArn !== undefined && straggler !== true)

/** What must exist in the world, given the record. Performing it again changes nothing. */
export type RunEffect =
  | { readonly _tag: "KeepLive" }
  | { readonly _tag: "DropLive" }
  /** From then on the message in the pool's queue decides when the run's turn comes. */
  | { readonly _tag: "PublishRunQueued" }
  | Define
  | { readonly _tag: "PublishTaskdefReady"; readonly attempt: Attempt }
  /** `straggler`: the attempt is over already, and an earlier order to stop it may have been done with. */
  | { readonly _tag: "PublishTaskStop"; readonly attempt: Attempt; readonly straggler?: true }
  | { readonly _tag: "PublishRunFinished" }

/** Find or register a definition and order the attempt; `notArn` is one that ECS called inactive or unknown. */
export interface Define {
  readonly _tag: "Define"
  readonly attempt: Attempt
  readonly notArn?: string
  readonly notBefore?: Instant
}

/**
 * A function of the record, not of the step that led to it: whoever crashed before, repeating completes it. The run is
 * kept among the live ones before its first attempt is defined, so that any later record is there already. A run with a
 * slot has one task at a time: its next attempt waits until the task before is gone.
 */
export const effects = (run: Run): ReadonlyArray<RunEffect> => {
  if (isTombstone(run)) return []
  return [...stragglerStops(run), ...ownEffects(run)]
}

const keepKey = { _tag: "KeepLive" } as const

/** Of an incomplete record without an attempt nobody knows whether it was launched: it is never launched on a guess. */
const ownEffects = (run: Run): ReadonlyArray<RunEffect> => {
  if (isFinal(run)) return [{ _tag: "PublishRunFinished" }, { _tag: "DropLive" }]
  if (isQueued(run)) return [keepKey, { _tag: "PublishRunQueued" }]
  const current = currentAttempt(run)
  if (current === undefined) return run.incomplete === true ? [keepKey] : [keepKey, { _tag: "Define", attempt: 1 }]
  if (current.over === true) return run.queuedAt !== undefined && hasTask(run) ? [] : [defineAfter(current)]
  const { attempt } = current
  return [
    ...(launcherHasIt(current) ? [] : [{ _tag: "PublishTaskdefReady" as const, attempt }]),
    ...(run.cancel === undefined ? [] : [{ _tag: "PublishTaskStop" as const, attempt }])
  ]
}

const stragglerStops = (run: Run): ReadonlyArray<RunEffect> =>
  run.attempts.flatMap(({ attempt, straggler }) =>
    straggler === true ? [{ _tag: "PublishTaskStop", attempt, straggler }] : []
  )

/** A launcher has told of the attempt, so that its order exists. */
export const launcherHasIt = ({ taskArn, deferred }: AttemptRecord): boolean =>
  taskArn !== undefined || deferred !== undefined

const defineAfter = ({ attempt, problem, retryAt, taskDefinitionArn }: AttemptRecord): Define => ({
  _tag: "Define",
  attempt: attempt + 1,
  ...(isDefinitionGone(problem) ? { notArn: taskDefinitionArn } : {}),
  ...(retryAt === undefined ? {} : { notBefore: retryAt })
})

/** ECS refused the launch because of the definition alone: registered again, the same launch can work. */
export const isDefinitionGone = (problem: Problem | undefined): boolean =>
  problem?.code === "TaskDefinitionInactive" || problem?.code === "TaskDefinitionNotFound"
