import { Clock, Effect, Option } from "effect"
import { isFinal, type Run } from "#ecs-core/Run.ts"
import { readRun } from "#process/RunRecords.ts"
import { Confirm } from "./Confirm.ts"
import { ExitCodes } from "./exitCode.ts"
import { failure } from "./Failure.ts"
import { openRuns } from "./follow/records.ts"
import { liveIds, liveRuns, READS_AT_A_TIME } from "./liveRuns.ts"
import { Output } from "./Output.ts"
import { json } from "./present.ts"
import { fits, isFiltered, type PsFlags, psOptions, type RunFilter } from "./psOptions.ts"
import { askedText, endedText, questionText, waitingText } from "./render/stopAll.ts"
import { cancel } from "./stopRun.ts"

/** Between two looks at which of the runs are over. */
const LOOK_SECONDS = 1

export interface StopAllOptions {
  readonly filter: RunFilter
  readonly reason: string
  /** Do not ask. */
  readonly yes: boolean
  /** Until all of them are over. */
  readonly wait: boolean
  readonly json: boolean
}

type FilterFlags = Pick<PsFlags, "state" | "pool" | "label" | "since">

/** Which runs: those that are not over and fit all that is given. */
export const stopFilter = Effect.fnUntraced(function* (flags: FilterFlags) {
  const read = psOptions({ ...flags, all: false, json: false, limit: 0 }, yield* Clock.currentTimeMillis)
  const { all, filter } = yield* Effect.fromResult(read)
  if (all)
    return yield* failure("--state names an outcome: those runs are over, and cannot be stopped.", ExitCodes.usage)
  return filter
})

/**
 * Asks to cancel every run that is not over and fits. What is published is each run's own cancel, so that asking twice
 * is asking once; a request that no dispatcher has read yet is no run, and is not stopped.
 */
export const stopAll = Effect.fnUntraced(function* (options: StopAllOptions) {
  const { err, errStyle, out } = yield* Output
  const chosen = (yield* liveRuns).filter((run) => !isFinal(run) && fits(run, options.filter))
  if (chosen.length > 0 && !options.yes) yield* confirmed(chosen, options.filter)
  const asked = chosen.filter((run) => run.cancel === undefined)
  yield* Effect.forEach(asked, (run) => cancel(run.runId, options.reason), {
    concurrency: READS_AT_A_TIME,
    discard: true
  })
  const counts = { runs: chosen.length, asked: asked.length }
  if (options.json) yield* out(json({ type: "asked", ...counts }))
  else yield* options.wait ? err(askedText(errStyle, counts)) : out(askedText(errStyle, counts))
  if (options.wait) yield* untilOver(chosen, options.json)
})

/** A person has to agree; a program says --yes. */
const confirmed = Effect.fnUntraced(function* (chosen: ReadonlyArray<Run>, filter: RunFilter) {
  const answer = yield* (yield* Confirm).ask(questionText(chosen.length, isFiltered(filter)))
  if (answer === "yes") return
  if (answer === "nobody") {
    return yield* failure("--all stops runs of everybody: without a terminal, say --yes.", ExitCodes.usage)
  }
  return yield* failure("Nothing was stopped.")
})

const untilOver = Effect.fnUntraced(function* (chosen: ReadonlyArray<Run>, asJson: boolean) {
  const { err, errStyle, out, outStyle } = yield* Output
  let last = -1
  while (true) {
    const live = new Set(yield* liveIds)
    const left = chosen.filter(({ runId }) => live.has(runId)).length
    if (left === 0) break
    if (left !== last && !asJson) yield* err(waitingText(errStyle, chosen.length - left, chosen.length))
    last = left
    yield* Effect.sleep(`${LOOK_SECONDS} seconds`)
  }
  const outcomes = yield* outcomesOf(chosen)
  yield* out(
    asJson ? json({ type: "over", runs: chosen.length, outcomes }) : endedText(outStyle, chosen.length, outcomes)
  )
})

/** How many ended how, as their records say. */
const outcomesOf = Effect.fnUntraced(function* (chosen: ReadonlyArray<Run>) {
  const runs = yield* openRuns
  const ends = yield* Effect.forEach(chosen, ({ runId }) => Effect.option(readRun(runs, runId)), {
    concurrency: READS_AT_A_TIME
  })
  const counts = new Map<string, number>()
  for (const end of ends) {
    const state = Option.getOrUndefined(end)?.run?.state ?? "unknown"
    counts.set(state, (counts.get(state) ?? 0) + 1)
  }
  return Object.fromEntries(counts)
})
