import type { Problem } from "#ecs-core/errors.ts"
import type { RunId } from "#ecs-core/Ids.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import type { TaskdefReady, TaskRejected } from "#ecs-core/Messages.ts"

/** How an attempt ends that is not launched. */

type OfAttempt = { readonly runId: RunId; readonly attempt: number }

export const rejection = (
  { runId, attempt }: OfAttempt,
  nowMillis: number,
  end: Pick<TaskRejected, "outcome" | "problem" | "phase">
): TaskRejected => ({ runId, attempt, at: instantOf(nowMillis), ...end })

export const cancelledBeforeLaunch = (
  order: TaskdefReady,
  reason: string | undefined,
  nowMillis: number
): TaskRejected =>
  rejection(order, nowMillis, {
    outcome: "cancelled",
    problem: {
      code: "Cancelled",
      message: `The run was cancelled before it was launched${reason === undefined ? "" : `: ${reason}`}.`,
      advice: "Request it again if it is still wanted."
    }
  })

/** `last` is what the last try said, where there was one. */
export const launchTimedOut = (order: TaskdefReady, last: Problem | undefined, nowMillis: number): TaskRejected =>
  rejection(order, nowMillis, {
    outcome: "timed_out",
    phase: "launch",
    problem: {
      code: "LaunchTimeout",
      message: `The launch was not possible in the time allowed${last === undefined ? "." : `; the last try said: ${last.message}`}`,
      advice:
        last === undefined
          ? "Raise `launchTimeoutSeconds`, or find out what the launch waits for."
          : `Raise \`launchTimeoutSeconds\`, or remove the cause: \`fleet explain ${last.code}\`.`
    }
  })

export const outcomeUnknown = (order: TaskdefReady, nowMillis: number): TaskRejected =>
  rejection(order, nowMillis, {
    outcome: "crashed",
    problem: {
      code: "OutcomeUnknown",
      message:
        "The launcher was away too long to know whether the task was launched, and ECS runs no task of this attempt.",
      advice: "Check what the program did, then request the run again."
    }
  })

/** An order that cannot be read ends its attempt: nobody else would. */
export const unreadable = (order: OfAttempt, why: string, nowMillis: number): TaskRejected =>
  rejection(order, nowMillis, {
    outcome: "crashed",
    problem: {
      code: "InternalError",
      message: `The launch order cannot be read: ${why}`,
      advice: "The original is kept on dead.launcher.<runId>; request the run again, and report this."
    }
  })
