import { awsGuides } from "./ErrorGuideAws.ts"
import { taskGuides } from "./ErrorGuideTasks.ts"
import type { ErrorCode, RetryClass } from "./errors.ts"

/**
 * What every error code means and what to do about it, for people: `fleet explain` and `docs/errors.md` say nothing else.
 * The advice in a problem is for the run at hand and is one sentence; here is room for the rest. `<runId>`, `<cluster>`
 * and the like stand for what the reader knows.
 */
export interface ErrorGuide {
  /** One line without a full stop, for lists. */
  readonly title: string
  readonly cause: string
  /** Steps in the order in which to take them. */
  readonly cure: ReadonlyArray<string>
  /** Whether the fleet tries again by itself, and how long. */
  readonly retried: string
  /** How the run ends; empty = no run ends with this code. */
  readonly ends: string
}

/** The guide for each code; a code without one does not compile. */
export const errorGuide: Readonly<Record<ErrorCode, ErrorGuide>> = { ...awsGuides, ...taskGuides }

/** What the fleet does after a call of AWS failed, by class. */
export const retryGuide: Readonly<Record<RetryClass, string>> = {
  throttle: "the call is made again, more slowly, with the same client token",
  transient: "the same call is made again with the same client token",
  capacity: "the launch waits 10 s, then twice as long each time up to 5 min, until `launchTimeoutSeconds`",
  credentials:
    "that set of credentials pauses until a probe passes, then the launch is tried; the wait counts against no time-out",
  inactive: "the definition is registered again and the run launched with it; a linked one ends the run",
  conflict: "the task that the token started is adopted if it is this run's, else the launch gets a new token",
  never: "nothing is repeated"
}

const isErrorCode = (name: string): name is ErrorCode => Object.hasOwn(errorGuide, name)

/** The codes in alphabetical order. */
export const errorCodes: ReadonlyArray<ErrorCode> = Object.keys(errorGuide).filter(isErrorCode).toSorted()

/** The code of that name, whatever its case. */
export const findErrorCode = (name: string): ErrorCode | undefined =>
  errorCodes.find((code) => code.toLowerCase() === name.toLowerCase())
