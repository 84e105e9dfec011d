import { Clock, Effect, Option } from "effect"
import type { BusMessage } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Topology } from "#bus/Topology.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { currentAttempt, type Run } from "#ecs-core/Run.ts"
import { Durables, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { lastFact } from "#process/Handling.ts"
import { RECORD_TRUST_MILLIS } from "#services/launcher/launch.ts"
import { failure } from "./Failure.ts"
import { liveRuns, READS_AT_A_TIME } from "./liveRuns.ts"
import type { DrainProgress } from "./render/drain.ts"

/**
 * How far a drain has come. The tasks are the leases on them, which are kept until ECS says STOPPED, also where the run
 * is over before. A launch is not among them until RunTask has answered: it is known by the `task.launching` that is
 * stored before the call. And a launcher that looked just before the drain began may be about to store one.
 */

/** RunTask is answered, or its order comes again and ECS is asked for the task, within this time. */
export const LAUNCH_SECONDS = 120

/** For so long after the beginning of a drain a launcher may begin a call that it decided on before. */
export const LAST_CALLS_MILLIS = RECORD_TRUST_MILLIS + 2000

export const isDrained = ({ launching, tasks, waiting }: DrainProgress, sinceMillis: number): boolean =>
  tasks === 0 && launching === 0 && (waiting === 0 || sinceMillis >= LAST_CALLS_MILLIS)

export const hasTask = (run: Run): boolean => {
  const current = currentAttempt(run)
  return current?.taskArn !== undefined && current.over !== true
}

/** Whether RunTask may be under way: what was stored before the last call, and what was told of the attempt since. */
export const isLaunching = (
  marker: Pick<BusMessage, "seq" | "time"> | undefined,
  told: { readonly settles: number | undefined; readonly isOver: boolean },
  nowMillis: number
): boolean =>
  marker !== undefined && !told.isOver && told.settles !== marker.seq && nowMillis - marker.time < LAUNCH_SECONDS * 1000

/** `sinceMillis`: how long the drain has been in force; later than all calls can be nothing is launching. */
export const drainProgress = (sinceMillis: number) =>
  Effect.gen(function* () {
    const waiting = (yield* liveRuns).filter((run) => !hasTask(run))
    const mayLaunch = sinceMillis < LAST_CALLS_MILLIS + LAUNCH_SECONDS * 1000
    const launching = mayLaunch ? yield* Effect.filter(waiting, isLaunchingNow, { concurrency: READS_AT_A_TIME }) : []
    const leases = yield* Topology.use(({ backlog }) => backlog(Streams.fleet, Durables.watcher))
    const { unacked, waiting: unowned } = yield* Effect.mapError(Effect.fromOption(leases), () => noWatching)
    const progress: DrainProgress = {
      tasks: unacked + unowned,
      launching: launching.length,
      waiting: waiting.length - launching.length
    }
    return progress
  })

const noWatching = failure("The consumer of the watchers is not there. Create what is missing: fleet init")

const isLaunchingNow = (run: Run) =>
  Effect.gen(function* () {
    const attempt = currentAttempt(run)?.attempt
    if (attempt === undefined) return false
    const messages = yield* Messages
    const marker = yield* messages.last(Streams.fleet, Subjects.taskLaunching(run.runId, attempt))
    if (Option.isNone(marker)) return false
    const isThere = (subject: string) => Effect.map(messages.last(Streams.fleet, subject), Option.isSome)
    const deferred = yield* lastFact(messages, Subjects.taskDeferred(run.runId, attempt), Codecs.taskDeferred)
    const isOver =
      (yield* isThere(Subjects.taskStarted(run.runId, attempt))) ||
      (yield* isThere(Subjects.taskRejected(run.runId, attempt)))
    return isLaunching(marker.value, { settles: deferred?.settles, isOver }, yield* Clock.currentTimeMillis)
  })
