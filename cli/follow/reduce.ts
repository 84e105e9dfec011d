import type { Problem } from "#ecs-core/errors.ts"
import { NOTICE_CONTAINER } from "#ecs-core/LogLine.ts"
import type { RunFinished } from "#ecs-core/Messages.ts"
import type { QueuePlace } from "#ecs-core/QueuePlace.ts"
import { currentAttempt, type Run } from "#ecs-core/Run.ts"
import { isOutcome, type LiveState } from "#ecs-core/RunState.ts"
import type { WholeLine } from "./join.ts"

/*
 * What is known of a run comes from three places that know nothing of each other: the record (states), the lines, and
 * `run.finished`. This module puts them into the one order in which people read them: states as they change, lines as
 * they come, the outcome last, and only when the lines have ended too or were waited for long enough.
 */

/** News of a run, from whichever source. */
export type FollowEvent =
  | { readonly kind: "record"; readonly run: Run }
  /** Where it stands in its pool's queue. */
  | { readonly kind: "place"; readonly place: QueuePlace; readonly at: string }
  | { readonly kind: "line"; readonly line: WholeLine }
  | { readonly kind: "linesEnded"; readonly lines: "complete" | "cut" }
  | { readonly kind: "finished"; readonly finished: RunFinished }
  /** The lines have not ended within the time allowed after `run.finished`. */
  | { readonly kind: "logsOverdue" }
  /** The time in which a dispatcher usually takes a request is over. */
  | { readonly kind: "dispatcherOverdue" }

/** What to show next. */
export type FollowItem =
  | {
      readonly kind: "state"
      readonly state: LiveState
      readonly attempt: number
      readonly at: string
      readonly waitingFor?: { readonly problem: Problem; readonly nextTryAt: string }
      readonly place?: QueuePlace
    }
  | { readonly kind: "notice"; readonly text: string }
  | { readonly kind: "line"; readonly line: WholeLine }
  | {
      readonly kind: "finished"
      readonly finished: RunFinished
      /** `cut`: lines at the end may be missing for good; `overdue`: they may still come. */
      readonly lines: LinesEnd
    }

export type LinesEnd = "complete" | "cut" | "overdue"

export interface Following {
  readonly seen: boolean
  /** State, attempt and reason last shown. */
  readonly shown: string
  /** Notices shown: the record tells them, and where there is no output a line does too. */
  readonly notices: ReadonlyArray<string>
  readonly finished?: RunFinished
  readonly lines?: LinesEnd
}

export const beginning: Following = { seen: false, shown: "", notices: [] }

/** The outcome is known and there are no more lines to wait for. */
export const isOver = (following: Following): boolean =>
  following.finished !== undefined && following.lines !== undefined

type Step = readonly [Following, ReadonlyArray<FollowItem>]

/** Takes one piece of news: what is known now, and what to show for it. After the outcome, nothing. */
export const reduce = (following: Following, event: FollowEvent): Step => {
  if (isOver(following)) return [following, []]
  switch (event.kind) {
    case "record":
      return recordSeen(following, event.run)
    case "place":
      return placeSeen(following, event.place, event.at)
    case "line":
      return logged(following, event.line)
    case "linesEnded":
      return withOutcome({ ...following, lines: event.lines })
    case "finished":
      return finished(following, event.finished)
    case "logsOverdue":
      return withOutcome({ ...following, lines: "overdue" })
    case "dispatcherOverdue":
      return following.seen ? [following, []] : [following, [{ kind: "notice", text: NO_DISPATCHER }]]
  }
}

const NO_DISPATCHER =
  "No dispatcher has taken the request yet; it is kept until one does. Start one with `fleet up`, or look at its log."

const recordSeen = (following: Following, run: Run): Step => {
  const [noticed, notices] = noticesIn(following, run.notices)
  const seen = { ...noticed, seen: true }
  if (isOutcome(run.state) || following.finished !== undefined) return [seen, notices]
  const attempt = currentAttempt(run)
  const deferred = run.state === "waiting" ? attempt?.deferred : undefined
  const shown = [run.state, attempt?.attempt ?? 1, deferred?.problem.message ?? ""].join(" ")
  const isInQueueStill = run.state === "queued" && following.shown.startsWith("queued")
  if (shown === following.shown || isInQueueStill) return [seen, notices]
  const change = {
    kind: "state" as const,
    state: run.state,
    attempt: attempt?.attempt ?? 1,
    at: run.updatedAt,
    ...(deferred === undefined ? {} : { waitingFor: { problem: deferred.problem, nextTryAt: deferred.nextTryAt } })
  }
  return [{ ...seen, shown }, [...notices, change]]
}

/** Told while the record says that it waits, and only what is new. */
const placeSeen = (following: Following, place: QueuePlace, at: string): Step => {
  const shown = `queued ${JSON.stringify(place)}`
  if (!following.shown.startsWith("queued") || shown === following.shown) return [following, []]
  return [{ ...following, shown }, [{ kind: "state", state: "queued", attempt: 1, at, place }]]
}

/** Each notice once, wherever it comes from. */
const noticesIn = (following: Following, texts: ReadonlyArray<string>): Step => {
  const fresh = texts.filter((text) => !following.notices.includes(text))
  return [{ ...following, notices: [...following.notices, ...fresh] }, fresh.map((text) => ({ kind: "notice", text }))]
}

/** The log-streamer's own words on why there is no output come under the fleet's name. */
const logged = (following: Following, line: WholeLine): Step =>
  line.container === NOTICE_CONTAINER ? noticesIn(following, [line.text]) : [following, [{ kind: "line", line }]]

/** A run that never had a task has no lines to wait for. */
const finished = (following: Following, outcome: RunFinished): Step =>
  withOutcome({ ...following, seen: true, finished: outcome, ...(outcome.attempts === 0 ? { lines: "complete" } : {}) })

const withOutcome = (following: Following): Step =>
  following.finished === undefined || following.lines === undefined
    ? [following, []]
    : [following, [{ kind: "finished", finished: following.finished, lines: following.lines }]]
