import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { Deferred, Effect, type Scope } from "effect"
import { compileCache } from "#test/support/Processes.ts"

/** The command `fleet` as its users start it: a process of its own, judged by what it writes and by its exit code. */

export const projectRoot = join(import.meta.dirname, "..", "..")
export const main = join(projectRoot, "cli", "main.ts")

export interface Ended {
  readonly code: number | NodeJS.Signals
  readonly out: string
  readonly err: string
}

export interface Started {
  readonly ended: Effect.Effect<Ended>
  /** Completes once this has been written to standard output. */
  readonly wrote: (text: string) => Effect.Effect<void>
  readonly signal: (name: NodeJS.Signals) => Effect.Effect<void>
}

export interface Place {
  /** The working directory; `.fleet` is in it. */
  readonly folder: string
  readonly env?: Readonly<Record<string, string>>
}

/** Of the environment only what a command needs to start, and these. */
export const variables = (extra: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  ...compileCache,
  PATH: process.env["PATH"] ?? "",
  HOME: process.env["HOME"] ?? "",
  ...(process.env["NATS_SERVER_BIN"] === undefined ? {} : { NATS_SERVER_BIN: process.env["NATS_SERVER_BIN"] }),
  ...extra
})

export const watch = (child: ChildProcess): Started => {
  const ended = Deferred.makeUnsafe<Ended>()
  const waiting = new Map<string, Deferred.Deferred<void>>()
  let out = ""
  let err = ""
  const tell = () => {
    for (const [text, seen] of waiting) if (out.includes(text)) Deferred.doneUnsafe(seen, Effect.void)
  }
  child.stdout?.on("data", (chunk: Buffer) => {
    out += chunk.toString("utf8")
    tell()
  })
  child.stderr?.on("data", (chunk: Buffer) => {
    err += chunk.toString("utf8")
  })
  child.once("close", (code, signal) =>
    Deferred.doneUnsafe(ended, Effect.succeed({ code: code ?? signal ?? 0, out, err }))
  )
  return {
    ended: Deferred.await(ended),
    wrote: (text) =>
      Effect.suspend(() => {
        const seen = waiting.get(text) ?? Deferred.makeUnsafe<void>()
        waiting.set(text, seen)
        tell()
        return Effect.raceFirst(Deferred.await(seen), Effect.flatMap(Deferred.await(ended), endedEarly(text)))
      }),
    signal: (name) => Effect.sync(() => void child.kill(name))
  }
}

const endedEarly = (text: string) => (ended: Ended) =>
  Effect.die(new Error(`ended with ${ended.code} before it wrote "${text}": ${ended.out}${ended.err}`))

/** Starts the command; it is killed with the scope. */
export const start = (place: Place, args: ReadonlyArray<string>): Effect.Effect<Started, never, Scope.Scope> =>
  startProgram(place, main, args)

const startProgram = (
  place: Place,
  path: string,
  args: ReadonlyArray<string>
): Effect.Effect<Started, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [path, ...args], {
          cwd: place.folder,
          env: variables(place.env),
          stdio: ["ignore", "pipe", "pipe"]
        })
      ),
      (child) => Effect.sync(() => void child.kill("SIGKILL"))
    ),
    watch
  )

/** Runs the command to its end. */
export const fleet = (place: Place, ...args: ReadonlyArray<string>): Effect.Effect<Ended> =>
  Effect.scoped(Effect.flatMap(start(place, args), ({ ended }) => ended))

/** Runs another of the project's programs to its end; the path is from the project's root. */
export const program = (place: Place, path: string, ...args: ReadonlyArray<string>): Effect.Effect<Ended> =>
  Effect.scoped(Effect.flatMap(startProgram(place, join(projectRoot, path), args), ({ ended }) => ended))
