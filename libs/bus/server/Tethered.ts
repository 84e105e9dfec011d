/**
 * A child process that does not outlive this one.
 *
 * A scope ends its children, but a process that is killed with SIGKILL closes no scope, and a server left behind holds
 * its port and its files. So beside each child stands a guard: a shell that waits for a line on a pipe from us. The line
 * `done` says the child has ended. The pipe breaking without it says we are gone, however we went, and the guard kills
 * the child. (Linux alone could let the kernel do it; this works on macOS too.) Only a kill of the guard itself defeats it.
 *
 * Both run in process groups of their own, so that Ctrl-C at a terminal reaches us first and we end them in order.
 */

import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { Deferred, Effect } from "effect"

export interface Tethered {
  readonly pid: number
  /** Completes when the process is gone: its exit code, or the signal that ended it. */
  readonly exited: Effect.Effect<number | NodeJS.Signals>
  readonly signal: (name: "SIGTERM" | "SIGKILL") => Effect.Effect<void>
}

const guardScript = 'read -r word; [ "$word" = done ] || kill -KILL "$0"'

/** Starts `program`; its output is appended to `logFile`. Fails with one line when it cannot be started. */
export const spawnTethered = (
  program: string,
  args: ReadonlyArray<string>,
  logFile: string
): Effect.Effect<Tethered, string> =>
  Effect.callback<Tethered, string>((resume) => {
    const log = openSync(logFile, "a")
    const child = spawn(program, args, { stdio: ["ignore", log, log], detached: true })
    closeSync(log)
    const exited = Deferred.makeUnsafe<number | NodeJS.Signals>()
    child.once("error", (error) => resume(Effect.fail(error.message)))
    child.once("spawn", () => {
      const guard = startGuard(child)
      child.once("exit", (code, signal) => {
        guard.stdin?.end("done\n")
        Deferred.doneUnsafe(exited, Effect.succeed(signal ?? code ?? 0))
      })
      resume(
        Effect.succeed({
          pid: child.pid ?? 0,
          exited: Deferred.await(exited),
          signal: (name) => Effect.sync(() => void child.kill(name))
        })
      )
    })
  })

const startGuard = (child: ChildProcess): ChildProcess => {
  const guard = spawn("/bin/sh", ["-c", guardScript, String(child.pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true
  })
  guard.on("error", () => undefined)
  guard.stdin.on("error", () => undefined)
  guard.unref()
  return guard
}
