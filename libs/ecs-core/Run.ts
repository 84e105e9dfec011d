import { Schema } from "effect"
import { codec, Version } from "./Codec.ts"
import { Problem } from "./errors.ts"
import { Attempt, RunId } from "./Ids.ts"
import { Instant } from "./Instant.ts"
import { DefinitionSource, LogSource, Phase, type RunFinished, Target, TaskTimes } from "./Messages.ts"
import { isOutcome, Outcome, RunState } from "./RunState.ts"

/** Oldest entries beyond this number are dropped, the first few kept. */
export const TIMELINE_MAX = 100

/** A cancel that arrives before its request waits this long for it. */
export const TOMBSTONE_SECONDS = 600

/** So many platform failures a run survives, each with another attempt (peers 84, 85). */
export const PLATFORM_ATTEMPTS_DEFAULT = 5

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
  logs: Schema.optionalKey(Schema.Array(LogSource)),
  over: Schema.optionalKey(Schema.Boolean),
  outcome: Schema.optionalKey(Outcome),
  exitCode: Schema.optionalKey(Schema.Int),
  /** Why it ended, where the run goes on with another attempt. */
  problem: Schema.optionalKey(Problem)
})
export type AttemptRecord = typeof AttemptRecord.Type

/**
 * The record of one run in `fleet-runs`, written by the dispatcher alone through `evolve`. A record without
 * `requestSequence` is a tombstone: a cancel that came before its request.
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
  startedAt: Schema.optionalKey(Instant),
  finishedAt: Schema.optionalKey(Instant),
  updatedAt: Instant,
  attempts: Schema.Array(AttemptRecord),
  /** Attempts that the platform ended; absent = none. The program's own failures are not among them. */
  platformFailures: Schema.optionalKey(Schema.Int),
  /** Why a definition could not be made, as last seen. */
  delayed: Schema.optionalKey(Schema.Struct({ at: Instant, problem: Problem })),
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

export const isTombstone = (run: Run): boolean => run.requestSequence === undefined

export const currentAttempt = (run: Run): AttemptRecord | undefined => run.attempts.at(-1)

/** Whether an attempt is to be defined: the first one, or the next after one that is over. */
export const awaitsDefinition = (run: Run): boolean => {
  const current = currentAttempt(run)
  return !isFinal(run) && !isTombstone(run) && (current === undefined || current.over === true)
}

/** The message that ends the run; undefined while it goes on. */
export const runFinished = (run: Run): RunFinished | undefined => {
  if (!isOutcome(run.state)) return undefined
  const taskArn = currentAttempt(run)?.taskArn
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

/** What must exist in the world, given the record. Performing it again changes nothing. */
export type RunEffect =
  | { readonly _tag: "KeepLive" }
  | { readonly _tag: "DropLive" }
  /** Find or register a definition and order the attempt; `notArn` is one that ECS called inactive or unknown. */
  | { readonly _tag: "Define"; readonly attempt: Attempt; readonly notArn?: string }
  | { readonly _tag: "PublishTaskdefReady"; readonly attempt: Attempt }
  | { readonly _tag: "PublishTaskStop"; readonly attempt: Attempt }
  | { readonly _tag: "PublishRunFinished" }

/** A function of the record, not of the step that led to it: whoever crashed before, repeating completes it. */
export const effects = (run: Run): ReadonlyArray<RunEffect> => {
  if (isTombstone(run)) return []
  if (isFinal(run)) return [{ _tag: "PublishRunFinished" }, { _tag: "DropLive" }]
  const current = currentAttempt(run)
  if (current === undefined) return [{ _tag: "KeepLive" }, { _tag: "Define", attempt: 1 }]
  if (current.over === true) return [{ _tag: "KeepLive" }, defineAfter(current)]
  return [
    ...(launcherHasIt(current)
      ? []
      : [{ _tag: "KeepLive" as const }, { _tag: "PublishTaskdefReady" as const, attempt: current.attempt }]),
    ...(run.cancel === undefined ? [] : [{ _tag: "PublishTaskStop" as const, attempt: current.attempt }])
  ]
}

/** A launcher has told of the attempt, so that its order exists. */
export const launcherHasIt = ({ taskArn, deferred }: AttemptRecord): boolean =>
  taskArn !== undefined || deferred !== undefined

const defineAfter = (last: AttemptRecord): RunEffect => ({
  _tag: "Define",
  attempt: last.attempt + 1,
  ...(isDefinitionGone(last.problem) ? { notArn: last.taskDefinitionArn } : {})
})

/** ECS refused the launch because of the definition alone: registered again, the same launch can work. */
export const isDefinitionGone = (problem: Problem | undefined): boolean =>
  problem?.code === "TaskDefinitionInactive" || problem?.code === "TaskDefinitionNotFound"
