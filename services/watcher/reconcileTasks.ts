import type { Task } from "@aws-sdk/client-ecs"
import { Clock, Effect, Metric, Option } from "effect"
import type { BusUnavailable, PublishError } from "#bus/BusError.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { runTimeoutSecondsMax } from "#ecs-core/FleetTopology.ts"
import type { RunId } from "#ecs-core/Ids.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { Codecs, type TaskStarted } from "#ecs-core/Messages.ts"
import { parseStartedBy } from "#ecs-core/RunTaskInput.ts"
import { StopCodes, stopReason } from "#ecs-core/StopReason.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { lastFact } from "#process/Handling.ts"
import { mended } from "#process/metrics.ts"
import { type Action, CLUSTER_GONE_SECONDS, judge, type SeenTask } from "./decide.ts"
import { seenTask } from "./Fleet.ts"
import { findingOf, mayHaveLost, startedAgain, watchedAgain } from "./reconcileDecide.ts"
import { type Launched, type Memory, type Place, recordOf, type Survey } from "./survey.ts"
import { DESCRIBE_MAX } from "./sweep.ts"

/** What one sweep does about single tasks. */

/** Of the quota of reads so many calls are left to the watchers, who have tasks in hand. */
const READ_RESERVE = 40

/** The longest wait for the watchers to leave some of it. */
const PATIENCE_MILLIS = 10_000

export type SweepError = PublishError | AwsFailure

/** Waits until the quota is hardly used: nobody waits for a sweep. */
const patiently = <A>({ fleet }: Survey, { target }: Place, call: Effect.Effect<A, AwsFailure>) =>
  Effect.gen(function* () {
    const millis = yield* fleet.pace.waitMillis("readTasks", target, READ_RESERVE)
    if (millis > 0) yield* Effect.sleep(Math.min(millis, PATIENCE_MILLIS))
    return yield* fleet.pace.paced("readTasks", target)(call)
  })

interface Seen {
  /** ARNs of the fleet's tasks that run. */
  readonly running: ReadonlySet<string>
  /** How many of them no record knows. */
  readonly unclaimed: number
}

/** Every task that runs in a cluster, page by page; those of others are passed over. */
export const lookAtRunning = (survey: Survey, place: Place, wholeSince: number): Effect.Effect<Seen, SweepError> =>
  Effect.gen(function* () {
    const running = new Set<string>()
    let unclaimed = 0
    for (let left = survey.fleet.settings.reconcileTasksMax; left > 0; left -= DESCRIBE_MAX) {
      const list = survey.fleet.ecs.listRunning(place.target, place.cluster, place.nextToken)
      const { arns, nextToken } = yield* patiently(survey, place, list)
      const { tasks } = yield* described(survey, place, arns)
      for (const task of tasks) {
        const owner = parseStartedBy(task.startedBy)
        if (owner === undefined || owner.fleetId !== survey.fleetId || task.taskArn === undefined) continue
        running.add(task.taskArn)
        unclaimed += yield* lookAtTask(survey, place, task, owner, wholeSince)
      }
      place.nextToken = nextToken
      if (nextToken === undefined) break
    }
    return { running, unclaimed }
  })

const described = (survey: Survey, place: Place, arns: ReadonlyArray<string>) =>
  arns.length === 0
    ? Effect.succeed({ tasks: [] as ReadonlyArray<Task> })
    : patiently(survey, place, survey.fleet.ecs.describeTasks(place.target, place.cluster, arns))

/** One task of ours that runs; answers 1 if nobody knows its run. */
const lookAtTask = (
  survey: Survey,
  place: Place,
  task: Task,
  { runId, attempt }: NonNullable<ReturnType<typeof parseStartedBy>>,
  wholeSince: number
): Effect.Effect<0 | 1, SweepError> =>
  Effect.gen(function* () {
    const seen = seenTask(task)
    const run = yield* recordOf(survey, runId)
    if (seen === undefined) return 0
    const { taskArn } = seen
    const launched = run?.attempts.find((each) => each.attempt === attempt)
    const mayBeLost = run !== undefined && mayHaveLost(run, attempt, wholeSince)
    const isHeld = !mayBeLost || (yield* held(survey, { runId, attempt, isTold: launched?.taskArn !== undefined }))
    const looked = { isHeld, wholeSince, graceMillis: survey.fleet.settings.orphanGraceSeconds * 1000 }
    const found = { attempt, taskArn, createdAt: seen.times.createdAt }
    const now = yield* Clock.currentTimeMillis
    const finding = findingOf(run, found, looked, now)
    const facts = { runId, attempt, taskArn }
    if (finding === "unclaimed") yield* Effect.logWarning("a task of this fleet whose run has no record", facts)
    if (finding === "orphan") yield* stopOrphan(survey, place, facts)
    if (finding === "untold") yield* tellOf(survey, facts, seen)
    if (finding === "unwatched" && run !== undefined && launched !== undefined) {
      yield* judgeAgain(survey, { ...launched, taskArn, run }, seen, { askedAt: now })
    }
    return finding === "unclaimed" ? 1 : 0
  })

/** A start is some watcher's; until it is told, the order is some launcher's. */
const held = (
  { fleet }: Survey,
  { runId, attempt, isTold }: { readonly runId: RunId; readonly attempt: number; readonly isTold: boolean }
): Effect.Effect<boolean, BusUnavailable> =>
  Effect.gen(function* () {
    const isThere = (subject: string) => Effect.map(fleet.messages.last(Streams.fleet, subject), Option.isSome)
    return (
      (yield* isThere(Subjects.taskStarted(runId, attempt))) ||
      (!isTold && (yield* isThere(Subjects.taskdefReady(runId, attempt))))
    )
  })

interface Named {
  readonly runId: RunId
  readonly attempt: number
  readonly taskArn: string
}

const stopOrphan = ({ fleet }: Survey, { target, cluster }: Place, facts: Named): Effect.Effect<void, AwsFailure> =>
  Effect.gen(function* () {
    yield* Effect.logWarning("a task that nobody waits for is stopped", facts)
    const reason = stopReason(StopCodes.cancelled, "nobody waits for it any more")
    yield* fleet.pace.paced("stopTask", target)(fleet.ecs.stopTask(target, cluster, facts.taskArn, reason))
    yield* counted("orphan")
  })

/** A task whose launch nobody told of: its state is told, which the record takes for its start. */
const tellOf = ({ fleet }: Survey, facts: Named, { lastStatus, version, times }: SeenTask) =>
  Effect.gen(function* () {
    const { runId, attempt, taskArn } = facts
    yield* Effect.logWarning("a task whose launch was not told is taken over", facts)
    const at = instantOf(yield* Clock.currentTimeMillis)
    const fact = { runId, attempt, at, taskArn, lastStatus, version, times }
    const data = Codecs.taskChanged.encode(fact)
    yield* fleet.publisher.publish({ stream: Streams.fleet, subject: Subjects.taskChanged(runId, attempt), data })
    yield* counted("untold")
  })

const counted = (what: string) => Metric.update(Metric.withAttributes(mended, { what }), 1)

/**
 * Tasks that must run and do not. Whoever has their lease tells how they ended; what is not told for a while is told
 * from here, once.
 */
export const lookAtLaunched = (
  survey: Survey,
  memory: Memory,
  place: Place,
  launched: ReadonlyArray<Launched>
): Effect.Effect<void, SweepError> =>
  Effect.gen(function* () {
    for (let from = 0; from < launched.length; from += DESCRIBE_MAX) {
      const batch = launched.slice(from, from + DESCRIBE_MAX)
      const arns = batch.map(({ taskArn }) => taskArn)
      const askedAt = yield* Clock.currentTimeMillis
      const { tasks } = yield* described(survey, place, arns)
      const byArn = new Map(tasks.map((task) => [task.taskArn, seenTask(task)]))
      const graceMillis = 1000 * survey.fleet.settings.orphanGraceSeconds
      for (const each of batch) {
        yield* lookAtEnded(survey, memory, each, { seen: byArn.get(each.taskArn), askedAt, graceMillis })
      }
    }
  })

/** The same where ECS does not know their cluster; for a while its credentials may be another account's. */
export const lookWithoutCluster = (survey: Survey, memory: Memory, launched: ReadonlyArray<Launched>) =>
  Effect.gen(function* () {
    const look = { seen: undefined, askedAt: yield* Clock.currentTimeMillis, graceMillis: 1000 * CLUSTER_GONE_SECONDS }
    for (const each of launched) yield* lookAtEnded(survey, memory, each, look)
  })

const ENDED: ReadonlySet<string> = new Set(["STOPPED", "DELETED"])

interface Look {
  readonly seen: SeenTask | undefined
  readonly askedAt: number
  readonly graceMillis: number
}

const lookAtEnded = (
  survey: Survey,
  memory: Memory,
  launched: Launched,
  { seen, askedAt, graceMillis }: Look
): Effect.Effect<void, SweepError> =>
  Effect.suspend(() => {
    const { taskArn } = launched
    if (seen !== undefined && !ENDED.has(seen.lastStatus)) {
      memory.goneSince.delete(taskArn)
      return Effect.void
    }
    const since = memory.goneSince.get(taskArn) ?? askedAt
    memory.goneSince.set(taskArn, since)
    return askedAt - since < graceMillis
      ? Effect.void
      : judgeAgain(survey, launched, seen, { askedAt, missingSince: since })
  })

interface Asked {
  readonly askedAt: number
  readonly missingSince?: number
}

/** What a watcher would do about the task, from what is stored. */
const judgeAgain = (survey: Survey, launched: Launched, seen: SeenTask | undefined, asked: Asked) =>
  Effect.gen(function* () {
    const { fleet } = survey
    const { run, attempt, taskArn } = launched
    const { runId } = run
    const told = yield* lastFact(fleet.messages, Subjects.taskStarted(runId, attempt), Codecs.taskStarted)
    const order = yield* lastFact(fleet.messages, Subjects.taskdefReady(runId, attempt), Codecs.taskdefReady)
    const stop = yield* lastFact(fleet.messages, Subjects.taskStop(runId, attempt), Codecs.taskStop)
    const runTimeoutSeconds = runTimeoutSecondsMax(fleet.settings.streamAgeSeconds)
    const started = told ?? startedAgain(run, launched, order, { task: seen, runTimeoutSeconds })
    const watched = watchedAgain(started, launched, stop?.reason, asked.missingSince)
    const { actions } = judge(watched, seen, asked.askedAt)
    yield* Effect.forEach(actions, (action) => carryOut(survey, started, action), { discard: true })
    if (actions.length > 0) yield* Effect.logWarning("a task is followed by the sweep", { runId, attempt, taskArn })
  })

const carryOut = ({ fleet }: Survey, started: TaskStarted, action: Action): Effect.Effect<void, SweepError> => {
  const { runId, attempt, target, clusterArn, taskArn } = started
  const stream = Streams.fleet
  switch (action._tag) {
    case "PublishChanged": {
      const subject = Subjects.taskChanged(runId, attempt)
      return Effect.asVoid(fleet.publisher.publish({ stream, subject, data: Codecs.taskChanged.encode(action.fact) }))
    }
    case "PublishStopped": {
      const subject = Subjects.taskStopped(runId, attempt)
      const data = Codecs.taskStopped.encode(action.fact)
      return Effect.andThen(fleet.publisher.createOnce({ stream, subject, data }), counted("ended"))
    }
    case "StopTask":
      return fleet.pace.paced("stopTask", target)(fleet.ecs.stopTask(target, clusterArn, taskArn, action.reason))
    case "Release":
      return Effect.void
  }
}
