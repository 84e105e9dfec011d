import { type ChildProcess, spawn } from "node:child_process"
import { constants } from "node:os"
import { Context, Deferred, Effect, Exit, Layer } from "effect"
import {
  type ContainerExit,
  type ContainerSpec,
  type Runtime,
  RuntimeRefused,
  type Started
} from "#aws/model/Runtime.ts"
import { cut, flush, noBytes } from "./lines.ts"
import { type Pipe, Pipes } from "./pipe.ts"
import { noCommand, startFailure } from "./startFailure.ts"
import { Watchdog } from "./watchdog.ts"

/**
 * Runs a container's command as a child process: own process group, stdin empty, stdout and stderr in one pipe. As in a
 * container, everything ends with the first process: what it left behind in its group is killed, and output that
 * somebody outside the group still holds open is waited for `drainMillis` and no longer.
 */
export class ProcessRuntime extends Context.Service<ProcessRuntime, Runtime["Service"]>()("local-aws/ProcessRuntime") {
  static readonly layer = Layer.effect(
    ProcessRuntime,
    Effect.suspend(() => make)
  ).pipe(Layer.provide([Pipes.layer, Watchdog.layer]))
}

const drainMillis = 1000

/** What a program sees of the server's own environment. Everything else it must be given by the task definition. */
const inherited = ["PATH", "HOME", "LANG", "TZ"]

export const environmentOf = (
  own: Readonly<Record<string, string | undefined>>,
  given: Readonly<Record<string, string>>
): Record<string, string> => ({
  ...Object.fromEntries(inherited.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]]))),
  ...given
})

/** 128 + n for a program that a signal ended, as shells and container engines have it. */
export const exitCodeOf = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? 128 + (signal === null ? 0 : constants.signals[signal])

const signalGroup = (processGroup: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-processGroup, signal)
  } catch {
    // Nobody is left in the group.
  }
}

/** Passes on what the pipe brings, line by line, until `end` is called. */
const readLines = (pipe: Pipe, output: (line: string) => void) => {
  let rest = noBytes
  pipe.reader.on("data", (chunk: Buffer) => {
    const next = cut(rest, chunk)
    rest = next.rest
    for (const line of next.lines) output(line)
  })
  pipe.reader.on("error", () => {})
  return {
    end: () => {
      pipe.reader.destroy()
      for (const line of flush(rest)) output(line)
      rest = noBytes
    }
  }
}

/** Completes when the program has ended and its output is read. */
const follow = (child: ChildProcess, pipe: Pipe, output: (line: string) => void, onExit: () => void) => {
  const ended = Deferred.makeUnsafe<ContainerExit>()
  const lines = readLines(pipe, output)
  let exitCode: number | undefined
  let drained = false
  let patience: NodeJS.Timeout | undefined
  const finish = () => {
    if (exitCode === undefined || Deferred.isDoneUnsafe(ended)) return
    clearTimeout(patience)
    lines.end()
    Deferred.doneUnsafe(ended, Exit.succeed({ exitCode }))
  }
  pipe.reader.once("close", () => {
    drained = true
    finish()
  })
  child.once("exit", (code, signal) => {
    exitCode = exitCodeOf(code, signal)
    onExit()
    if (drained) finish()
    else patience = setTimeout(finish, drainMillis)
  })
  return ended
}

interface RunningContainer {
  readonly started: Started
  readonly kill: () => void
}

type WatchdogShape = Watchdog["Service"]

/** Signals for a child that runs, and nothing once it has ended: its number may belong to somebody else by then. */
const container = (
  child: ChildProcess,
  processGroup: number,
  launch: { readonly spec: ContainerSpec; readonly pipe: Pipe; readonly output: (line: string) => void },
  watchdog: WatchdogShape
): RunningContainer => {
  let running = true
  let killTimer: NodeJS.Timeout | undefined
  const kill = () => {
    if (running) signalGroup(processGroup, "SIGKILL")
  }
  watchdog.guard(processGroup)
  const ended = follow(child, launch.pipe, launch.output, () => {
    kill()
    running = false
    clearTimeout(killTimer)
    watchdog.release(processGroup)
  })
  const stop = Effect.sync(() => {
    if (!running || killTimer !== undefined) return
    signalGroup(processGroup, "SIGTERM")
    killTimer = setTimeout(kill, launch.spec.stopTimeoutSeconds * 1000)
  })
  return { started: { exit: Deferred.await(ended), stop }, kill }
}

const spawnInto = (program: string, spec: ContainerSpec, pipe: Pipe): ChildProcess => {
  try {
    return spawn(program, spec.command.slice(1), {
      stdio: ["ignore", pipe.writeEnd, pipe.writeEnd],
      env: environmentOf(process.env, spec.environment),
      detached: true
    })
  } finally {
    pipe.closeWriteEnd()
  }
}

/** Starts the program and listens to it at once, without a turn of the event loop in between: it may be very short. */
const launch = (
  program: string,
  spec: ContainerSpec,
  pipe: Pipe,
  output: (line: string) => void,
  watchdog: WatchdogShape
): Effect.Effect<RunningContainer, RuntimeRefused> =>
  Effect.callback((resume) => {
    const refuse = (error: NodeJS.ErrnoException) => {
      pipe.reader.destroy()
      resume(Effect.fail(new RuntimeRefused({ reason: startFailure(program, error) })))
    }
    try {
      const child = spawnInto(program, spec, pipe)
      child.on("error", refuse)
      if (child.pid !== undefined) resume(Effect.succeed(container(child, child.pid, { spec, pipe, output }, watchdog)))
    } catch (error) {
      refuse(error instanceof Error ? error : new Error(String(error)))
    }
  })

const make = Effect.gen(function* () {
  const pipes = yield* Pipes
  const watchdog = yield* Watchdog
  const run = (program: string, spec: ContainerSpec, output: (line: string) => void) =>
    pipes.take.pipe(
      Effect.mapError((error) => new RuntimeRefused({ reason: startFailure(program, error) })),
      Effect.flatMap((pipe) => launch(program, spec, pipe, output, watchdog))
    )
  return ProcessRuntime.of({
    start: (spec, output) => {
      const program = spec.command[0]
      if (program === undefined) return Effect.fail(new RuntimeRefused({ reason: noCommand(spec) }))
      const running = Effect.acquireRelease(run(program, spec, output), ({ kill }) => Effect.sync(kill))
      return Effect.map(running, ({ started }) => started)
    }
  })
})
