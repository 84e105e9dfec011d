import { execFile } from "node:child_process"
import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { Effect, Schedule, type Scope } from "effect"
import { spawnTethered } from "#bus/server/Tethered.ts"
import type { Order } from "./Peer.ts"
import { type PeerEvent, parseEvents } from "./timings.ts"

/** Starts a program with these variables on top of our own; SIGTERM at the scope's end, SIGKILL where that is not enough. */
export const startProgram = (
  command: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  logFile: string
): Effect.Effect<number, string, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      spawnTethered(
        "/usr/bin/env",
        [...Object.entries(env).map(([key, value]) => `${key}=${value}`), ...command],
        logFile
      ),
      ({ exited, signal }) =>
        Effect.andThen(
          signal("SIGTERM"),
          Effect.timeoutOrElse(exited, {
            duration: "10 seconds",
            orElse: () => Effect.andThen(signal("SIGKILL"), exited)
          })
        )
    ),
    ({ pid }) => pid
  )

/** Runs a program to its end, which has to be a good one. */
export const runProgram = (
  program: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>
): Effect.Effect<string, Error> =>
  Effect.tryPromise({
    try: async () => (await promisify(execFile)(program, [...args], { env: { ...process.env, ...env } })).stdout,
    catch: (error) => (error instanceof Error ? error : new Error(String(error)))
  })

/** What the peers' processes have told so far in this folder. */
export const readEvents = (folder: string): ReadonlyArray<PeerEvent> => {
  const file = join(folder, "events")
  return existsSync(file) ? parseEvents(readFileSync(file, "utf8")) : []
}

export const tellOrder = (folder: string, order: Order): Effect.Effect<void> =>
  Effect.sync(() => appendFileSync(join(folder, "orders"), `${JSON.stringify(order)}\n`))

export const untilReady = (folder: string) =>
  Effect.sync(() => readEvents(folder).some(({ kind }) => kind === "ready")).pipe(
    Effect.repeat({ until: (isReady) => isReady, schedule: Schedule.spaced("100 millis") }),
    Effect.timeout("90 seconds")
  )

/** Processes of this program that we have started ourselves. */
export const childrenCalled = (program: string): Effect.Effect<ReadonlyArray<number>> =>
  Effect.promise(async () => {
    const { stdout } = await promisify(execFile)("ps", ["-o", "pid=,comm=", "--ppid", String(process.pid)])
    const rows = stdout
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
    return rows.flatMap(([pid, name]) => (name === program ? [Number(pid)] : []))
  })

/** Resident megabytes of these processes and of all that come from them. */
export const megabytesOf = (roots: ReadonlyArray<number>): Effect.Effect<number> =>
  Effect.promise(async () => {
    const { stdout } = await promisify(execFile)("ps", ["-eo", "pid=,ppid=,rss="])
    const rows = stdout
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number))
    const found = new Set(roots)
    const grow = (): void => {
      const before = found.size
      for (const [pid = 0, parent = 0] of rows) if (found.has(parent)) found.add(pid)
      if (found.size > before) grow()
    }
    grow()
    return rows.reduce((sum, [pid = 0, , kibibytes = 0]) => sum + (found.has(pid) ? kibibytes / 1024 : 0), 0)
  })
