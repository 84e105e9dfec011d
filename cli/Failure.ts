import { Schema } from "effect"
import { ExitCodes } from "./exitCode.ts"

/** A command could not do what was asked. `message` says why and what to do, in words for the user. */
export class Failure extends Schema.TaggedError<Failure>()("Failure", {
  message: Schema.String,
  exitCode: Schema.Int
}) {}

export const failure = (message: string, exitCode: number = ExitCodes.failed): Failure =>
  new Failure({ message, exitCode })

/** The command has said all there is to say and ends the process with this code. */
export class Ended extends Schema.TaggedError<Ended>()("Ended", { exitCode: Schema.Int }) {
  override get message() {
    return `ended with exit code ${this.exitCode}`
  }
}
