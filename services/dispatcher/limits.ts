import { Option, Schema } from "effect"
import type { Json } from "#ecs-core/Json.ts"
import { poolFields } from "#ecs-core/Pool.ts"
import { isQueued, type Run, takesSlot } from "#ecs-core/Run.ts"

/**
 * How many runs of a pool may be at work. A run of a limited or paused pool waits in the pool's queue, a durable consumer
 * on `run.queued.<pool>.*`, whose un-acknowledged messages are the slots: JetStream hands out `maxRunning` of them, in
 * order, over all replicas, and whoever holds one keeps it until the run is over and its last task STOPPED. So the
 * server counts, and nothing has to be counted here but while more are out than allowed: after the limit was lowered.
 */
export interface PoolLimits {
  readonly maxRunning?: number
  readonly maxSubmitPerSecond?: number
  readonly isPaused: boolean
}

const { maxRunning, maxSubmitPerSecond } = poolFields
const Limits = Schema.Struct({ maxRunning, maxSubmitPerSecond })
const limitsIn = Schema.decodeUnknownOption(Limits)

/** Those that a pool sets, whatever else it says. */
export const limitsOf = (pool: Json | undefined, isPaused: boolean): PoolLimits => {
  const { maxRunning, maxSubmitPerSecond } = Option.getOrElse(limitsIn(pool), (): typeof Limits.Type => ({}))
  return {
    ...(maxRunning == null ? {} : { maxRunning }),
    ...(maxSubmitPerSecond == null ? {} : { maxSubmitPerSecond }),
    isPaused
  }
}

/** Whether a new run has to queue. */
export const isLimited = ({ isPaused, maxRunning, maxSubmitPerSecond }: PoolLimits): boolean =>
  isPaused || maxRunning !== undefined || maxSubmitPerSecond !== undefined

/** In a pool without `maxRunning` a message is acknowledged once its run is launched: so many are in hand meanwhile. */
export const IN_HAND_MAX = 256

/** Messages of the queue that may be out at a time, all replicas together. */
export const handedOutMax = ({ maxRunning }: PoolLimits): number => maxRunning ?? IN_HAND_MAX

/** Of a message that was handed out, as far as its run's record tells. */
export interface HandedOut {
  readonly seq: number
  /** Undefined = there is no record of it. */
  readonly run: Run | undefined
}

/**
 * Whether the run of message `seq` fits beside those that have a slot and those that wait before it: what decides where
 * more messages are out than `maxRunning`. A message without a record may stand for a task.
 */
export const fitsIn = (all: ReadonlyArray<HandedOut>, seq: number, maxRunning: number): boolean => {
  const before = all.filter(({ run, seq: other }) => {
    if (other === seq) return false
    if (run === undefined) return true
    return isQueued(run) ? other < seq : takesSlot(run)
  })
  return before.length < maxRunning
}
