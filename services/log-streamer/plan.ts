import type { RetryClass } from "#ecs-core/errors.ts"
import { READ_AGAIN_MILLIS } from "#process/ReadAgain.ts"

/**
 * Which log streams the next call asks for. AWS allows so few calls that each must serve many streams: a call takes up
 * to a hundred of one log group, the most overdue first, and those that would be due soon along with them. Streams that
 * bring lines are due every second, silent ones less often, so that busy ones come first when there are more than calls.
 * A stream that fills whole pages is asked for alone, page by page, and gets at most every other call: it is read more
 * slowly, and the others do not wait for it. Pure; times are epoch milliseconds.
 */

/** FilterLogEvents takes at most 100 log streams of one group. */
export const STREAMS_MAX = 100

/** A stream is busy as long as its last line came less than this ago. */
export const BUSY_SECONDS = 10
/** Silent for longer than this, it is asked for least often. */
export const SILENT_SECONDS = 120
/** Other streams are asked for so many times as rarely as busy ones. */
export const SILENT_FACTOR = 3
export const LONG_SILENT_FACTOR = 10

/** A call that is under way anyhow takes along what has waited for this share of its time. */
export const ALONG_SHARE = 0.5

/** A stream that filled whole pages is asked for alone for so long at least. */
export const ALONE_SECONDS = 60

/** One log stream, as far as its turn depends on it. */
export interface Candidate {
  /** Region, credentials and log group: what one call can ask for. */
  readonly group: string
  /** It was there when it was asked for. */
  readonly exists: boolean
  /** Its container is known to have been started, or its task is over. */
  readonly hasStarted: boolean
  /** A call that asks for it is under way. */
  readonly isBusy: boolean
  /** It is read by calls of its own. */
  readonly isAlone: boolean
  /** When it was asked for last; 0 = never. */
  readonly lookedAt: number
  readonly dueAt: number
  /** When the last line came; 0 = never. */
  readonly lineAt: number
  /** The last look did not come to its end. */
  readonly hasMore: boolean
}

export type Kind = "unstarted" | "new" | "busy" | "silent"

export const kindOf = ({ exists, hasStarted, lineAt }: Candidate, nowMillis: number): Kind => {
  if (!exists) return hasStarted ? "new" : "unstarted"
  return nowMillis - lineAt < BUSY_SECONDS * 1000 ? "busy" : "silent"
}

/**
 * How long after a look the next one is due. `isOver`: the stream's task has ended, and its last lines are waited for;
 * `failed`: the call failed so.
 */
export const pauseMillis = (
  stream: Pick<Candidate, "lineAt" | "exists" | "hasMore">,
  { failed, isOver }: { readonly isOver: boolean; readonly failed: RetryClass | undefined },
  pollMillis: number,
  nowMillis: number
): number => {
  if (failed !== undefined) return READ_AGAIN_MILLIS[failed]
  if (stream.hasMore) return 0
  const silentMillis = nowMillis - stream.lineAt
  if (isOver || !stream.exists || silentMillis < BUSY_SECONDS * 1000) return pollMillis
  return pollMillis * (silentMillis < SILENT_SECONDS * 1000 ? SILENT_FACTOR : LONG_SILENT_FACTOR)
}

/** How long a stream has waited for its turn, measured by how long it was to wait: due from 1 on. */
export const overdue = ({ dueAt, lookedAt }: Candidate, nowMillis: number): number =>
  dueAt <= nowMillis && dueAt <= lookedAt
    ? Number.POSITIVE_INFINITY
    : (nowMillis - lookedAt) / Math.max(dueAt - lookedAt, 1)

/** The streams of the next call; none = nothing is due. `isAloneNext`: it is a lone stream's turn, if one is due. */
export const choose = <S extends Candidate>(
  streams: ReadonlyArray<S>,
  nowMillis: number,
  isAloneNext: boolean
): ReadonlyArray<S> => {
  const free = streams.filter(({ isBusy }) => !isBusy)
  const alone = mostOverdue(
    free.filter(({ isAlone }) => isAlone),
    nowMillis
  )
  const shared = mostOverdue(
    free.filter(({ isAlone }) => !isAlone),
    nowMillis
  )
  if (alone !== undefined && (isAloneNext || shared === undefined)) return [alone]
  if (shared === undefined) return []
  const [group, kind] = [shared.group, kindOf(shared, nowMillis)]
  return free
    .filter((each) => !each.isAlone && each.group === group && kindOf(each, nowMillis) === kind)
    .map((stream) => ({ stream, waited: overdue(stream, nowMillis) }))
    .filter(({ waited }) => waited >= ALONG_SHARE)
    .toSorted((one, other) => other.waited - one.waited)
    .slice(0, STREAMS_MAX)
    .map(({ stream }) => stream)
}

const mostOverdue = <S extends Candidate>(streams: ReadonlyArray<S>, nowMillis: number): S | undefined => {
  let [first, most]: readonly [S | undefined, number] = [undefined, 0]
  for (const stream of streams) {
    const waited = stream.dueAt <= nowMillis ? overdue(stream, nowMillis) : 0
    if (waited > most) [first, most] = [stream, waited]
  }
  return first
}

/** When the next stream is due that is not being asked for; infinite = none. */
export const nextDueAt = (streams: ReadonlyArray<Candidate>): number =>
  streams.reduce(
    (soonest, { dueAt, isBusy }) => (isBusy ? soonest : Math.min(soonest, dueAt)),
    Number.POSITIVE_INFINITY
  )

/**
 * A log stream comes with its container, and a call that names one too early fails as a whole. So a stream is asked for
 * when ECS has said that the task runs. Containers that others wait for run before that: of a task that is PENDING, or of
 * which no news come, the streams are asked for now and then.
 */
export const UNSTARTED_SECONDS = 60

/** Whether the containers of a task in this state have been started, and so have a log stream. */
export const isStarted = (lastStatus: string | undefined): boolean =>
  lastStatus !== undefined && !BEFORE_START.has(lastStatus)

const BEFORE_START: ReadonlySet<string> = new Set(["PROVISIONING", "PENDING", "ACTIVATING"])

/** Whether a stream is asked for whose container is not known to have been started; `askedAt`: when it was last. */
export const isWorthAsking = (lastStatus: string | undefined, askedAt: number, nowMillis: number): boolean =>
  lastStatus !== "PROVISIONING" && nowMillis - askedAt >= UNSTARTED_SECONDS * 1000
