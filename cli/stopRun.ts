import { Effect, Option, Stream } from "effect"
import { Publisher } from "#bus/Publisher.ts"
import { Codecs, type RunCancel } from "#ecs-core/Messages.ts"
import { isFinal } from "#ecs-core/Run.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { failure } from "./Failure.ts"
import { findRun } from "./findRun.ts"
import { outcome } from "./follow/follow.ts"
import { Output } from "./Output.ts"
import { json } from "./present.ts"
import { outcomeLine } from "./render/run.ts"

export interface StopOptions {
  readonly run: string
  readonly reason: Option.Option<string>
  readonly detach: boolean
  readonly json: boolean
}

export const stopRun = Effect.fnUntraced(function* (options: StopOptions) {
  const { out, err, outStyle, errStyle } = yield* Output
  const run = yield* findRun(options.run)
  const over = isFinal(run)
  if (!over) yield* cancel(run.runId, Option.getOrUndefined(options.reason))
  if (!over && options.detach) return yield* err(`Asked to stop ${run.runId}.\n`)
  if (!over) yield* err(`${errStyle.yellow("●")} stopping ${run.runId}\n`)
  const finished = Option.getOrUndefined(yield* Stream.runHead(outcome(run.runId)))?.finished
  if (finished === undefined) return yield* failure(`The end of run ${run.runId} was not seen.`)
  if (options.json) return yield* out(json(finished))
  yield* out(`${over ? `Run ${run.runId} is over already: ` : ""}${outcomeLine(outStyle, finished)}\n`)
})

/** Asks to cancel a run; asking twice is asking once. */
export const cancel = Effect.fnUntraced(function* (runId: string, reason: string | undefined) {
  const order: RunCancel = reason === undefined ? {} : { reason: reason.slice(0, REASON_MAX) }
  const data = Codecs.runCancel.encode(order)
  yield* (yield* Publisher).publish({ stream: Streams.fleet, subject: Subjects.runCancel(runId), data })
})

/** `run.cancel` allows this many characters. */
const REASON_MAX = 200
