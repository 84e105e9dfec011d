import { Effect, Option, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { Publisher } from "#bus/Publisher.ts"
import { Codecs, type RunCancel } from "#ecs-core/Messages.ts"
import { isFinal } from "#ecs-core/Run.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { connected } from "./connected.ts"
import { failure } from "./Failure.ts"
import { findRun } from "./findRun.ts"
import { option, runArgument } from "./flags.ts"
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

export const stop = Command.make(
  "stop",
  {
    run: runArgument,
    reason: Flag.String("reason").pipe(Flag.optional, Flag.withDescription("Why; shown with the run")),
    detach: option("detach", "Do not wait until the run is over").pipe(Flag.withAlias("d")),
    json: option("json", "Print run.finished as JSON")
  },
  (options) => connected(stopRun(options))
).pipe(
  Command.withDescription("Cancel a run: its program gets SIGTERM, and SIGKILL when its stop timeout is over"),
  Command.withExamples([{ command: 'fleet stop r-4j8x0m2kqz --reason "wrong input"', description: "stop and wait" }])
)

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
