import { Argument, Flag } from "effect/cli"

/** A flag that is off unless given. */
export const option = (name: string, description: string): Flag.Flag<boolean> =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, Flag.withDefault(false), Flag.withDescription(description))

export const runArgument = Argument.String("run").pipe(
  Argument.withDescription("Run id, or its first 6 or more characters if no other run begins so")
)

export const jsonFlag = option("json", "One JSON object a line, for programs")

/** Which runs: those that fit all that is given. */
export const filterFlags = {
  state: Flag.String("state").pipe(
    Flag.atLeast(0),
    Flag.withDescription("Only runs in this state, such as running or failed; may be repeated")
  ),
  pool: Flag.String("pool").pipe(Flag.optional, Flag.withDescription("Only runs of this pool")),
  label: Flag.String("label").pipe(
    Flag.atLeast(0),
    Flag.withMetavar("name=value"),
    Flag.withDescription("Only runs with this label; may be repeated")
  ),
  since: Flag.String("since").pipe(
    Flag.optional,
    Flag.withMetavar("time"),
    Flag.withDescription("Only runs requested since: 90s, 10m, 2h, 1d, or 2026-03-01T09:30:00Z")
  )
}
