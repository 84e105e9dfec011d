import { createInterface } from "node:readline"
import { Context, Effect, Layer } from "effect"

/** `nobody`: there is no terminal, hence nobody to ask. */
export type Answer = "yes" | "no" | "nobody"

/** Asks a person. */
export class Confirm extends Context.Service<
  Confirm,
  {
    /** Everything but `y` or `yes` is no. */
    readonly ask: (question: string) => Effect.Effect<Answer>
  }
>()("cli/Confirm") {
  static readonly layer = Layer.succeed(Confirm, { ask: (question) => askTerminal(question) })

  /** Answers always so, and keeps the questions. */
  static readonly layerMemory = (answer: Answer, questions: Array<string> = []) =>
    Layer.succeed(Confirm, {
      ask: (question) =>
        Effect.sync(() => {
          questions.push(question)
          return answer
        })
    })
}

const askTerminal = (question: string): Effect.Effect<Answer> =>
  Effect.suspend(() => {
    if (!process.stdin.isTTY || !process.stderr.isTTY) return Effect.succeed("nobody")
    return Effect.callback<Answer>((resume) => {
      process.stderr.write(`${question} [y/N] `)
      const lines = createInterface({ input: process.stdin, terminal: false })
      lines.once("line", (line) => {
        resume(Effect.succeed(/^y(es)?$/i.test(line.trim()) ? "yes" : "no"))
        lines.close()
      })
      lines.once("close", () => resume(Effect.succeed("no")))
      return Effect.sync(() => lines.close())
    })
  })
