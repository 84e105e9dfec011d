import type { RunFinished } from "#ecs-core/Messages.ts"

/** What `fleet` itself ends with; what a program ends with is its own affair. */
export const ExitCodes = {
  /** The command could not do what was asked. */
  failed: 1,
  /** Flags or arguments that do not fit (as bash's builtins have it). */
  usage: 2,
  /** NATS or AWS does not answer (sysexits `EX_UNAVAILABLE`). */
  unavailable: 69,
  /** A defect of `fleet` (sysexits `EX_SOFTWARE`). */
  internal: 70,
  /** The run timed out (as coreutils' `timeout` has it). */
  timedOut: 124,
  /** The run was rejected, or the platform broke it (as `docker run` has it). */
  notRun: 125,
  /** Cancelled, or Ctrl-C (128 + SIGINT). */
  interrupted: 130,
  /** The reader of our output is gone (128 + SIGPIPE). */
  brokenPipe: 141
} as const

const { brokenPipe } = ExitCodes

/** What each command ends with when the reader of its output has gone: who only reads may stop reading. */
export const brokenPipeCodes: Readonly<Record<string, number>> = {
  logs: 0,
  ps: 0,
  describe: 0,
  explain: 0,
  run: brokenPipe,
  up: brokenPipe,
  stop: brokenPipe,
  drain: brokenPipe,
  dead: brokenPipe,
  pool: brokenPipe,
  rebuild: brokenPipe,
  init: brokenPipe,
  auth: brokenPipe,
  verify: brokenPipe
}

/** The same for a command line. */
export const brokenPipeCode = (args: ReadonlyArray<string>): number => {
  const command = args.find((arg) => Object.hasOwn(brokenPipeCodes, arg))
  return command === undefined ? brokenPipe : (brokenPipeCodes[command] ?? brokenPipe)
}

/**
 * The exit code of `fleet run` for a run that is over: the program's own where it ended by itself. A process can end
 * with 0 to 255 only: other codes keep their low eight bits, and a failure is never 0.
 */
export const exitCodeOf = (finished: Pick<RunFinished, "outcome" | "exitCode">): number => {
  switch (finished.outcome) {
    case "succeeded":
      return 0
    case "failed":
      return (finished.exitCode ?? ExitCodes.failed) & 0xff || ExitCodes.failed
    case "timed_out":
      return ExitCodes.timedOut
    case "cancelled":
      return ExitCodes.interrupted
    case "crashed":
    case "rejected":
      return ExitCodes.notRun
  }
}
