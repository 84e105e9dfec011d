import { Argument, Flag } from "effect/cli"

/** A flag that is off unless given. */
export const option = (name: string, description: string): Flag.Flag<boolean> =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, Flag.withDefault(false), Flag.withDescription(description))

export const runArgument = Argument.String("run").pipe(
  Argument.withDescription("Run id, or its first 6 or more characters if no other run begins so")
)

export const jsonFlag = option("json", "One JSON object a line, for programs")
