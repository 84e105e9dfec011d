import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import { errorCodes, errorGuide, findErrorCode } from "#ecs-core/ErrorGuide.ts"
import type { ErrorCode } from "#ecs-core/errors.ts"
import { nearest } from "#ecs-core/Nearest.ts"
import { failure } from "./Failure.ts"
import { jsonFlag } from "./flags.ts"
import { Output } from "./Output.ts"
import { json } from "./present.ts"
import { codesTable, explainJson, explainText } from "./render/explain.ts"
import { printable } from "./render/text.ts"

const codeArgument = Argument.String("code").pipe(
  Argument.withDescription("Error code, as the end of a run shows it; upper and lower case are the same"),
  Argument.optional
)

export const explain = Command.make("explain", { code: codeArgument, json: jsonFlag }, (given) =>
  explainCode(Option.getOrUndefined(given.code), given.json)
).pipe(
  Command.withDescription("Say what an error code means, why it comes and what to do; without one, list them all"),
  Command.withExamples([
    { command: "fleet explain ClusterNotFound", description: "cause and cure" },
    { command: "fleet explain", description: "every code in a line" }
  ])
)

export const explainCode = Effect.fnUntraced(function* (given: string | undefined, asJson: boolean) {
  const { out, outStyle, outColumns } = yield* Output
  if (given === undefined) return yield* out(asJson ? errorCodes.map(jsonOf).join("") : codesTable)
  const code = findErrorCode(given)
  if (code === undefined) return yield* failure(unknownCode(given))
  yield* out(asJson ? jsonOf(code) : explainText(outStyle, code, errorGuide[code], outColumns))
})

const jsonOf = (code: ErrorCode): string => json(explainJson(code, errorGuide[code]))

const unknownCode = (given: string): string => {
  const near = nearest(given, errorCodes)
  const hint = near === undefined ? "" : `Did you mean ${near}? `
  return `There is no error code "${printable(given)}". ${hint}All codes: fleet explain`
}
