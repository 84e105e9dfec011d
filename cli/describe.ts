import { Clock, Effect } from "effect"
import { Command } from "effect/cli"
import { mask } from "#ecs-core/Mask.ts"
import { connected } from "./connected.ts"
import { findRun } from "./findRun.ts"
import { option, runArgument } from "./flags.ts"
import { Output } from "./Output.ts"
import { describeText } from "./render/describe.ts"

export const describe = Command.make(
  "describe",
  {
    run: runArgument,
    json: option("json", "The whole record as JSON")
  },
  ({ run, json }) => connected(describeRun(run, json))
).pipe(
  Command.withDescription("Show all that is known of a run: timeline, attempts, task ARN, problems and advice"),
  Command.withExamples([{ command: "fleet describe r-4j8x0m2kqz", description: "one run" }])
)

export const describeRun = Effect.fnUntraced(function* (given: string, json: boolean) {
  const run = yield* findRun(given)
  const { out, outStyle, outColumns } = yield* Output
  yield* json
    ? out(`${JSON.stringify({ ...run, request: mask(run.request) }, undefined, 2)}\n`)
    : out(describeText(outStyle, run, yield* Clock.currentTimeMillis, outColumns))
})
