import type { LaunchedTask } from "#services/local-aws/Journal.ts"
import type { FamilyPeak } from "#services/local-aws/peaks.ts"

/** What was seen of a limited pool and of another one beside it. */
export interface SeenPools {
  readonly maxRunning: number
  /** Of the limited pool's family; undefined = it never had a task. */
  readonly peak: FamilyPeak | undefined
  /** Runs of the limited pool in the order of their requests. */
  readonly requested: ReadonlyArray<string>
  /** Every task, with the run that it was for. */
  readonly tasks: ReadonlyArray<Pick<LaunchedTask, "createdAt"> & { readonly runId: string }>
  /** Runs of the other pool, and when their requests were acknowledged, epoch milliseconds: none was disturbed. */
  readonly others: ReadonlyArray<{ readonly runId: string; readonly at: number }>
}

export interface PoolsJudgement {
  readonly most: number
  /** How many places a run started before or after its turn: of half of all runs at most, of 95 %, of all. */
  readonly places: readonly [half: number, most: number, all: number]
  /** The longest time from a request of the other pool to its task, milliseconds. */
  readonly otherMillis: number
  readonly violations: ReadonlyArray<string>
}

/** A run of another pool has its task within this time, however long the limited one's queue is. */
const OTHER_MILLIS_MAX = 1000

/**
 * Half of the runs start in their turn, give or take what two replicas do at the same time: as many as may run. Some are
 * later: whoever had them in hand was killed, and their turn came again after the ack wait.
 */
export const judgePools = ({ maxRunning, others, peak, requested, tasks }: SeenPools): PoolsJudgement => {
  const startedAt = new Map(tasks.toReversed().map(({ createdAt, runId }) => [runId, createdAt]))
  const started = requested.filter((runId) => startedAt.has(runId))
  const inOrder = started.toSorted((a, b) => (startedAt.get(a) ?? 0) - (startedAt.get(b) ?? 0))
  const rank = new Map(inOrder.map((runId, at) => [runId, at]))
  const moved = started.map((runId, at) => Math.abs((rank.get(runId) ?? at) - at)).toSorted((a, b) => a - b)
  const part = (share: number): number => moved[Math.max(0, Math.ceil(moved.length * share) - 1)] ?? 0
  const places = [part(0.5), part(0.95), part(1)] as const
  const waits = others.map(({ at, runId }) => (startedAt.get(runId) ?? Number.POSITIVE_INFINITY) - at)
  const most = peak?.most ?? 0
  const late = waits.filter((wait) => wait > OTHER_MILLIS_MAX)
  return {
    most,
    places,
    otherMillis: Math.max(0, ...waits),
    violations: [
      ...(most > maxRunning ? [`the limited pool had ${most} tasks at a time, of ${maxRunning} at most`] : []),
      ...(most < maxRunning ? [`the limited pool never had more than ${most} tasks, of ${maxRunning}`] : []),
      ...(places[0] > maxRunning ? [`half of the runs started ${places[0]} places or more from their turn`] : []),
      ...(late.length > 0 ? [`${late.length} runs of another pool waited longer than ${OTHER_MILLIS_MAX} ms`] : [])
    ]
  }
}
