import { Context, Deferred, Effect, Layer } from "effect"
import { plain, type Style, styleFor } from "./render/style.ts"

const COLUMNS = 80

/**
 * The two ends of a pipe. `out` is for what was asked for (a program's lines, tables, JSON), `err` for what is told
 * meanwhile. Both take text as it is to be written, line ends included, and return when it has been taken: a slow
 * reader slows us down, and nothing is left unwritten when the process ends.
 */
export class Output extends Context.Service<
  Output,
  {
    readonly out: (text: string) => Effect.Effect<void>
    readonly err: (text: string) => Effect.Effect<void>
    readonly outStyle: Style
    readonly errStyle: Style
    /** How wide a line of `out` may be; 80 where it is no terminal. */
    readonly outColumns: number
    /** Completes when the reader of our output has gone, as `head` does. */
    readonly broken: Effect.Effect<void>
  }
>()("cli/Output") {
  static readonly layer = Layer.effect(
    Output,
    Effect.gen(function* () {
      const broken = yield* Deferred.make<void>()
      for (const stream of [process.stdout, process.stderr]) {
        const onError = () => void Deferred.doneUnsafe(broken, Effect.void)
        yield* Effect.acquireRelease(
          Effect.sync(() => stream.on("error", onError)),
          () => Effect.sync(() => stream.off("error", onError))
        )
      }
      return Output.of({
        out: writerTo(process.stdout),
        err: writerTo(process.stderr),
        outStyle: styleFor({ isTerminal: process.stdout.isTTY, env: process.env }),
        errStyle: styleFor({ isTerminal: process.stderr.isTTY, env: process.env }),
        outColumns: process.stdout.isTTY ? process.stdout.columns : COLUMNS,
        broken: Deferred.await(broken)
      })
    })
  )

  /** Collects what is written instead of writing it. */
  static readonly layerMemory = (written: { out: string; err: string }): Layer.Layer<Output> =>
    Layer.succeed(Output, {
      out: (text) => Effect.sync(() => void (written.out += text)),
      err: (text) => Effect.sync(() => void (written.err += text)),
      outStyle: plain,
      errStyle: plain,
      outColumns: COLUMNS,
      broken: Effect.never
    })
}

/**
 * A pipe's writes wait in this process until its reader takes them, and `process.exit` drops what waits: so each is
 * waited for. One that fails never returns; `broken` ends the command then.
 */
const writerTo = (stream: NodeJS.WriteStream) => (text: string) =>
  text === ""
    ? Effect.void
    : Effect.callback<void>((resume) => {
        stream.write(text, (error) => {
          if (error === undefined || error === null) resume(Effect.void)
        })
      })
