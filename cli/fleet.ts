import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Console, Effect, Exit, Layer, Logger, References } from "effect"
import { CliConfig, CliError, CliOutput, Command, GlobalFlag } from "effect/cli"
import { ConfigInvalid, configExitCode } from "#process/ConfigReport.ts"
import { version } from "#process/Version.ts"
import { Confirm } from "./Confirm.ts"
import { brokenPipeCode, ExitCodes } from "./exitCode.ts"
import { Ended, Failure } from "./Failure.ts"
import { codeOf, Interrupts } from "./Interrupts.ts"
import { Output } from "./Output.ts"
import { logLine } from "./render/logLine.ts"
import { usageText } from "./render/usage.ts"
import { root } from "./root.ts"

/** Runs `fleet` with these arguments; succeeds with the exit code, whatever happened. */
export const fleet = (args: ReadonlyArray<string>): Effect.Effect<number> =>
  Effect.gen(function* () {
    const interrupts = yield* Interrupts
    const output = yield* Output
    const command = Effect.flatMap(Effect.exit(Command.runWith(root, { version })(args)), report)
    const interrupted = interrupts.unclaimed.pipe(Effect.tap(interrupts.ending), Effect.map(codeOf))
    const broken = Effect.as(output.broken, brokenPipeCode(args))
    return yield* Effect.raceFirst(command, Effect.raceFirst(interrupted, broken))
  }).pipe(Effect.provide(environment))

/** Says on standard error why a command failed, unless that has been said, and answers the exit code. */
const report = Effect.fnUntraced(function* (exit: Exit.Exit<unknown, unknown>) {
  if (Exit.isSuccess(exit)) return 0
  const { err, errStyle } = yield* Output
  const failed = exit.cause.reasons.find(Cause.isFailReason)
  if (failed === undefined) {
    if (Cause.hasInterruptsOnly(exit.cause)) return ExitCodes.interrupted
    yield* Effect.logDebug("defect", exit.cause)
    yield* err(`${errStyle.red("fleet failed:")} ${messageOf(Cause.squash(exit.cause))}\nThis is a defect of fleet; `)
    yield* err("--log-level debug shows where it happened.\n")
    return ExitCodes.internal
  }
  const { error } = failed
  if (error instanceof Ended) return error.exitCode
  if (error instanceof CliError.ShowHelp) return error.errors.length > 0 ? ExitCodes.usage : 0
  yield* err(`${messageOf(error)}\n`)
  if (error instanceof Failure) return error.exitCode
  return error instanceof ConfigInvalid ? configExitCode : ExitCodes.failed
})

const messageOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "message" in error && typeof error.message === "string"
    ? error.message
    : String(error)

/** Help goes to standard output, what is wrong with a command line to standard error, in a few lines. */
const presenter = CliOutput.layerPresenter({
  present: Effect.fnUntraced(function* (event) {
    const formatter = yield* CliOutput.Formatter
    if (event._tag === "Help") return yield* Console.log(formatter.formatHelpDoc(event.helpDoc))
    if (event._tag === "Version") return yield* Console.log(`${event.name} ${event.version}`)
    yield* Console.error(usageText(event.commandPath, event.errors).trimEnd())
  })
})

const environment = Layer.mergeAll(
  NodeServices.layer,
  Output.layer,
  Confirm.layer,
  Interrupts.layer,
  presenter,
  CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions, GlobalFlag.LogLevel] }),
  Logger.layer([Logger.make((options) => process.stderr.write(logLine(options)))]),
  Layer.succeed(References.MinimumLogLevel, "Error")
)
