import { constants } from "node:os"
import { Context, Deferred, Effect, Layer, Queue, type Scope } from "effect"
import { ExitCodes } from "./exitCode.ts"

export type Signal = "SIGINT" | "SIGTERM"

/** More unread signals than this mean nothing new. */
const UNREAD_MAX = 8

/** What has not stopped after this long ends with the process. */
export const STOP_SECONDS = 3

/**
 * SIGINT and SIGTERM as values. A signal ends the command unless the command has claimed them, as `run` does: its
 * first Ctrl-C cancels, its second lets go.
 */
export class Interrupts extends Context.Service<
  Interrupts,
  {
    /** From now on, until the scope ends, signals are read from the queue. */
    readonly claim: Effect.Effect<Queue.Dequeue<Signal>, never, Scope.Scope>
    /** Completes with the first signal that nobody had claimed. */
    readonly unclaimed: Effect.Effect<Signal>
    /** All that is left is to stop: one more signal, or `STOP_SECONDS`, ends the process at once. */
    readonly ending: Effect.Effect<void>
  }
>()("cli/Interrupts") {
  static readonly layer = Layer.effect(
    Interrupts,
    Effect.gen(function* () {
      const state: State = { claims: 0, isEnding: false }
      const signals = yield* Queue.sliding<Signal>(UNREAD_MAX)
      const unclaimed = yield* Deferred.make<Signal>()
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        const onSignal = () => {
          if (state.isEnding) process.exit(codeOf(signal))
          if (state.claims > 0) Queue.offerUnsafe(signals, signal)
          else Deferred.doneUnsafe(unclaimed, Effect.succeed(signal))
        }
        yield* Effect.acquireRelease(
          Effect.sync(() => process.on(signal, onSignal)),
          () => Effect.sync(() => process.off(signal, onSignal))
        )
      }
      return Interrupts.of({
        claim: claim(state, signals),
        unclaimed: Deferred.await(unclaimed),
        ending: Effect.sync(() => endSoon(state))
      })
    })
  )

  /** Signals come from the queue that the test holds. */
  static readonly layerMemory = (signals: Queue.Queue<Signal>): Layer.Layer<Interrupts> =>
    Layer.succeed(Interrupts, { claim: Effect.succeed(signals), unclaimed: Effect.never, ending: Effect.void })
}

/** What shells say of a process that a signal ended: 128 and its number. */
export const codeOf = (signal: Signal): number => 128 + constants.signals[signal]

interface State {
  claims: number
  isEnding: boolean
}

const claim = (state: State, signals: Queue.Queue<Signal>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      state.claims += 1
      return signals
    }),
    () =>
      Effect.sync(() => {
        state.claims -= 1
      })
  )

const endSoon = (state: State): void => {
  if (state.isEnding) return
  state.isEnding = true
  setTimeout(() => {
    process.stderr.write(`Not everything stopped within ${STOP_SECONDS} s; ending now.\n`)
    process.exit(ExitCodes.failed)
  }, STOP_SECONDS * 1000).unref()
}
