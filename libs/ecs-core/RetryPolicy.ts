import { Schema } from "effect"
import { digest } from "./Digest.ts"
import type { Problem } from "./errors.ts"
import { Outcome } from "./RunState.ts"

/**
 * Whether an attempt that came to nothing is followed by another one, and when. Failures of the program and failures of
 * the platform have budgets of their own: a task that could not be placed or started for a passing cause never uses up
 * what the user allowed the program (peers 85), and a program that always fails never uses up the platform's. What may
 * have run is run again only if the request says so.
 */

/** `retry` of a request with all defaults applied, as it stands in the order and in the record. */
export const RetryPolicy = Schema.Struct({
  /** Further attempts after failures of the program itself. */
  attempts: Schema.Int,
  /** Further attempts after failures of the platform. */
  platformAttempts: Schema.Int,
  /** The pause before the first further attempt; it doubles with each. */
  backoffSeconds: Schema.Finite,
  maxBackoffSeconds: Schema.Finite,
  /** Absent = every exit code but 0. */
  onExitCodes: Schema.optionalKey(Schema.Array(Schema.Int)),
  /** Absent = `failed` alone; passing causes before the program ran need not be named. */
  onOutcomes: Schema.optionalKey(Schema.Array(Outcome)),
  /** Whether to run again what may have run, or may still. */
  rerunUnknown: Schema.Boolean
})
export type RetryPolicy = typeof RetryPolicy.Type

export const RETRY_DEFAULTS: RetryPolicy = {
  attempts: 0,
  platformAttempts: 5,
  backoffSeconds: 10,
  maxBackoffSeconds: 300,
  rerunUnknown: false
}

/** Outcomes after which another attempt can follow. */
export const RETRYABLE_OUTCOMES: ReadonlyArray<Outcome> = ["failed", "crashed", "timed_out"]

/** How an attempt ended, as far as the decision needs it. */
export interface AttemptEnd {
  readonly outcome: Outcome
  readonly problem?: Problem | undefined
  readonly exitCode?: number | undefined
  /** The task reached RUNNING, or its program left an exit code. */
  readonly ran: boolean
  /** The cause is the platform's and passes by itself. */
  readonly passing: boolean
}

/** Further attempts that a run has had already. */
export interface Used {
  readonly program: number
  readonly platform: number
}

export type Budget = keyof Used

/** Which budget pays for another attempt; undefined = none follows. */
export const nextAttempt = (policy: RetryPolicy, used: Used, end: AttemptEnd): Budget | undefined => {
  const budget = budgetFor(policy, end)
  return budget !== undefined && hasLeft(policy, used, budget) ? budget : undefined
}

export const hasLeft = (policy: RetryPolicy, used: Used, budget: Budget): boolean =>
  used[budget] < (budget === "program" ? policy.attempts : policy.platformAttempts)

const budgetFor = (policy: RetryPolicy, end: AttemptEnd): Budget | undefined => {
  const { onOutcomes = ["failed"], onExitCodes } = policy
  const isWished = onOutcomes.includes(end.outcome)
  switch (end.outcome) {
    case "failed":
      return isWished && (end.exitCode === undefined || onExitCodes?.includes(end.exitCode) !== false)
        ? "program"
        : undefined
    case "timed_out":
      if (!isWished) return undefined
      return end.ran ? "program" : "platform"
    case "crashed":
      if (end.problem?.code === "OutcomeUnknown") return policy.rerunUnknown ? "platform" : undefined
      return isWished || (!end.ran && end.passing) ? "platform" : undefined
    default:
      return undefined
  }
}

/** Each pause is shortened by up to this part of it, so that runs which failed together do not come back together. */
const JITTER = 0.2

/**
 * The pause after a failure: `backoffSeconds`, doubling up to `maxBackoffSeconds`. The jitter is a hash of run and attempt:
 * whoever folds the failure finds the same pause.
 */
export const pauseMillis = (policy: RetryPolicy, used: Used, run: string, attempt: number): number => {
  const doublings = Math.min(used.program + used.platform, 20)
  const seconds = Math.min(policy.backoffSeconds * 2 ** doublings, policy.maxBackoffSeconds)
  const chance = Number.parseInt(digest("pause", run, String(attempt)).slice(0, 8), 16) / 0xffff_ffff
  return Math.round(1000 * seconds * (1 - JITTER * chance))
}
