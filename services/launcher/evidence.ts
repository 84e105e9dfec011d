import { millisOf } from "#ecs-core/Instant.ts"
import type { TaskDeferred, TaskdefReady, TaskLaunching } from "#ecs-core/Messages.ts"
import { blindUntil } from "#ecs-core/Run.ts"

/**
 * What is stored about the launch of an attempt. Each RunTask is preceded by a `task.launching`, stored right behind the
 * last one that its launcher knew: of two launchers with the same order, one is refused before it calls. A
 * `task.deferred` that names the sequence of the last `task.launching` says that nothing came of it.
 */
export interface Evidence {
  readonly marker: Marker | undefined
  readonly deferred: TaskDeferred | undefined
  /** The attempt was given up, though the record may not say so yet. */
  readonly isRejected: boolean
}

/** The last `task.launching` of the attempt, and its sequence in the stream. */
export interface Marker {
  readonly seq: number
  readonly message: TaskLaunching
}

/** An attempt that nobody tried to launch. */
export const untried: Evidence = { marker: undefined, deferred: undefined, isRejected: false }

/** The token of the next RunTask. */
export interface Token {
  readonly try: number
  /** RunTask may have been called with this token: the last such call. Absent = nothing can have come of it. */
  readonly uncertain: Marker | undefined
}

/** Until when the launch may be tried; the time for which AWS could not be asked does not count. */
export const deadlineOf = (order: TaskdefReady, { deferred }: Evidence, nowMillis: number): number =>
  millisOf(order.launchDeadline) + (deferred === undefined ? 0 : blindUntil(deferred, nowMillis))

export const nextTry = (deferred: TaskDeferred | undefined): number => 1 + (deferred?.try ?? 0)

/** A new token, and with it a new task, needs a stored answer that the calls with the last one launched nothing. */
export const tokenOf = ({ marker, deferred }: Omit<Evidence, "isRejected">): Token => {
  if (marker === undefined) return { try: nextTry(deferred), uncertain: undefined }
  return deferred?.settles === marker.seq
    ? { try: marker.message.try + 1, uncertain: undefined }
    : { try: marker.message.try, uncertain: marker }
}
