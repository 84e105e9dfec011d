import { millisOf } from "#ecs-core/Instant.ts"
import { deadlineOf, isEnding, type Watched } from "./decide.ts"

/**
 * How soon a task is asked about again. Young tasks (launched or RUNNING for less than a minute), ending ones and those
 * that ECS does not know are asked about often; one that starts, or runs for less than five minutes, as often as its
 * request says; a longer one slowly, so that 10,000 of them cost three or four of the 20 calls a second that AWS allows.
 * A deadline is never slept through: the next question comes right behind it.
 */

export const YOUNG_SECONDS = 60
export const LONG_SECONDS = 300

/** A long task is asked about so many times as rarely as its request says … */
export const SLOW_FACTOR = 6

export interface PollSettings {
  readonly youngPollSeconds: number
  /** … but at least this often, unless its request says so. */
  readonly slowPollSeconds: number
}

/** Milliseconds until the next question. */
export const pollMillis = (watched: Watched, settings: PollSettings, nowMillis: number): number => {
  const paceMillis = 1000 * paceSeconds(watched, settings, nowMillis)
  const deadline = watched.over || watched.stop !== undefined ? undefined : deadlineOf(watched)
  if (deadline === undefined) return paceMillis
  const oftenMillis = 1000 * oftenSeconds(watched, settings)
  return Math.min(paceMillis, Math.max(deadline.at + 1 - nowMillis, oftenMillis))
}

const oftenSeconds = ({ started }: Watched, { youngPollSeconds }: PollSettings): number =>
  Math.min(youngPollSeconds, started.pollIntervalSeconds)

const paceSeconds = (watched: Watched, settings: PollSettings, nowMillis: number): number => {
  const { lastStatus, over, started, startedAt } = watched
  const asked = started.pollIntervalSeconds
  if (over) return asked
  const age = (nowMillis - (startedAt ?? millisOf(started.at))) / 1000
  const isUrgent = isEnding(lastStatus) || watched.stop !== undefined || watched.missingSince !== undefined
  if (isUrgent || age < YOUNG_SECONDS) return oftenSeconds(watched, settings)
  if (startedAt === undefined || age < LONG_SECONDS) return asked
  return Math.max(asked, Math.min(SLOW_FACTOR * asked, settings.slowPollSeconds))
}
