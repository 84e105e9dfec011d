import type { RunMessage } from "#ecs-core/Evolve.ts"
import { instantOf, millisOf } from "#ecs-core/Instant.ts"
import { currentAttempt, isFinal, isTombstone, launcherHasIt, type Run } from "#ecs-core/Run.ts"

/** Whoever has a run in hand gets so long before the sweep takes it for forgotten. */
export const QUIET_SECONDS = 180

/** A launch whose order is gone is given up when nobody has found its task over so long. */
export const GIVE_UP_SECONDS = 600

/** A run that ended longer ago may have lost its `run.finished` to age: it is not told again. */
export const TELL_SECONDS = 3600

/** What is stored about a run beside its record. */
export interface StoredOfRun {
  /** Any order, or fact, of any attempt. */
  readonly isKnown: boolean
  /** The order to launch the current attempt. */
  readonly hasOrder: boolean
  /** From when on `FLEET` has lost nothing: the time of its first message, epoch milliseconds. */
  readonly wholeSince: number
  /** Since when this sweep has seen the run without the order that it should have; undefined = not before. */
  readonly orderlessSince: number | undefined
}

/**
 * `drop`: its key among the live runs goes. `rebuild`: its record is lost, and can be made again. `perform`: facts that
 * its record lacks are folded, and what must exist is made to exist. `wait`: launched or not, nobody knows, and a task
 * may still be found. `giveUp`: none was.
 */
export type Step = "drop" | "rebuild" | "perform" | "wait" | "giveUp" | "nothing"

/** What becomes of a run with a key in `fleet-live`. */
export const decideRun = (run: Run | undefined, stored: StoredOfRun, nowMillis: number): Step => {
  if (run === undefined || isTombstone(run)) return stored.isKnown ? "rebuild" : "drop"
  const age = nowMillis - millisOf(run.updatedAt)
  if (isFinal(run)) return age < TELL_SECONDS * 1000 ? "perform" : "drop"
  if (age < QUIET_SECONDS * 1000) return "nothing"
  if (!mayHaveBeenLaunched(run, stored)) return "perform"
  const seenMillis = nowMillis - (stored.orderlessSince ?? nowMillis)
  return seenMillis < GIVE_UP_SECONDS * 1000 ? "wait" : "giveUp"
}

/** An order that is missing was never published, if the stream goes back to when it was made; else it may be gone. */
const mayHaveBeenLaunched = (run: Run, { hasOrder, wholeSince }: StoredOfRun): boolean => {
  const current = currentAttempt(run)
  if (current === undefined) return run.incomplete === true
  if (current.over === true || launcherHasIt(current) || hasOrder) return false
  return millisOf(current.definedAt) < wholeSince
}

/** Nobody can say whether the current attempt was launched, and no task of it was found. */
export const launchUnknown = (run: Run, nowMillis: number): RunMessage => {
  const current = currentAttempt(run)
  return {
    kind: "run.refused",
    ...(current === undefined ? {} : { orderless: current.attempt }),
    at: instantOf(nowMillis),
    outcome: "crashed",
    problems: [
      {
        code: "OutcomeUnknown",
        message: "The messages about the launch are gone, so that nobody can say whether the program ran.",
        advice: "Check what the program did, then request the run again."
      }
    ]
  }
}
