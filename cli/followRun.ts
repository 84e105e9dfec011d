import { Effect, Queue, Stream } from "effect"
import type { RunFinished } from "#ecs-core/Messages.ts"
import { ExitCodes, exitCodeOf } from "./exitCode.ts"
import { Ended } from "./Failure.ts"
import { follow } from "./follow/follow.ts"
import { Interrupts } from "./Interrupts.ts"
import { Output } from "./Output.ts"
import { asJson, forPeople, inWrites } from "./present.ts"
import { followPlace } from "./queue.ts"
import { cancel } from "./stopRun.ts"

export interface FollowOptions {
  readonly runId: string
  readonly json: boolean
  /** What the second Ctrl-C leaves behind, in words; the run goes on unless everything is stopped with us. */
  readonly letGo: string
}

/**
 * Shows a run until it is over and ends with its exit code. The first Ctrl-C asks to cancel the run and goes on
 * watching; the second lets go of it.
 */
export const followRun = (options: FollowOptions) =>
  Effect.gen(function* () {
    const exitCode = yield* Effect.raceFirst(Effect.map(shown(options), exitCodeOf), heedSignals(options))
    if (exitCode !== 0) return yield* new Ended({ exitCode })
  })

const shown = Effect.fnUntraced(function* ({ runId, json }: FollowOptions) {
  const { out, err, errStyle } = yield* Output
  const present = json ? asJson(runId) : forPeople(runId, errStyle)
  let finished: RunFinished | undefined
  yield* follow(runId, followPlace(runId)).pipe(
    Stream.runForEachArray((items) => {
      for (const item of items) if (item.kind === "finished") finished = item.finished
      return Effect.forEach(inWrites(items.map(present)), (text) => Effect.andThen(out(text.out), err(text.err)), {
        discard: true
      })
    })
  )
  return finished ?? (yield* Effect.die(new Error(`run ${runId} was no longer followed before it was over`)))
})

const heedSignals = ({ runId, letGo }: FollowOptions) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { err, errStyle } = yield* Output
      const interrupts = yield* Interrupts
      const signals = yield* interrupts.claim
      yield* Queue.take(signals)
      yield* err(`\n${errStyle.yellow("●")} cancelling ${runId} ${errStyle.dim("(Ctrl-C again to let go)")}\n`)
      yield* cancel(runId, "Ctrl-C in fleet run").pipe(
        Effect.catch((error) => err(`${errStyle.yellow("!")} The run could not be cancelled: ${error.message}\n`))
      )
      yield* Queue.take(signals)
      yield* interrupts.ending
      yield* err(`\n${letGo}\n`)
      return ExitCodes.interrupted
    })
  )
