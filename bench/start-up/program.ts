import { spawn } from "node:child_process"
import { performance } from "node:perf_hooks"
import { Effect } from "effect"
import { takenBy } from "#bench/resources.ts"
import { freePort } from "#test/support/ports.ts"

/** So long after it is ready a program's memory is looked at: by then it does what it does when there is nothing to do. */
const SETTLED_MILLIS = 2000

const LOOK_MILLIS = 5
const PATIENCE_MILLIS = 60_000

export interface Start {
  /** From the start of the process until `/ready` answers 200, milliseconds. */
  readonly ready: number
  /** Resident a few seconds later, MB. */
  readonly memory: number
}

/** Starts a program, looks until it is ready and then at its memory, and ends it. */
export const startOf = (file: string, env: Readonly<Record<string, string>>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const port = yield* Effect.promise(freePort)
      const begun = performance.now()
      const child = yield* spawned([file], { ...env, FLEET_HEALTH_PORT: String(port), LOG_LEVEL: "error" })
      yield* Effect.promise(() => untilReady(`http://127.0.0.1:${port}/ready`))
      const ready = performance.now() - begun
      yield* Effect.sleep(SETTLED_MILLIS)
      const { megabytes } = yield* takenBy(child.pid ?? 0)
      return { ready, memory: megabytes } satisfies Start
    })
  )

/** The same of Node alone: what no program can be better than. */
export const startOfNode = Effect.scoped(
  Effect.gen(function* () {
    const begun = performance.now()
    const child = yield* spawned(["-e", "process.stdout.write('.'); setInterval(() => {}, 1000)"], {})
    yield* Effect.promise(() => new Promise((resolve) => child.stdout?.once("data", resolve)))
    const ready = performance.now() - begun
    yield* Effect.sleep(SETTLED_MILLIS)
    const { megabytes } = yield* takenBy(child.pid ?? 0)
    return { ready, memory: megabytes } satisfies Start
  })
)

const spawned = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, args, {
        env: { PATH: process.env["PATH"], ...env },
        stdio: ["ignore", "pipe", "inherit"]
      })
    ),
    (child) => Effect.sync(() => void child.kill("SIGKILL"))
  )

const untilReady = async (url: string): Promise<void> => {
  for (const begun = performance.now(); performance.now() - begun < PATIENCE_MILLIS; ) {
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 0
    )
    if (status === 200) return
    await new Promise((resolve) => setTimeout(resolve, LOOK_MILLIS))
  }
  throw new Error(`${url} was not ready within ${PATIENCE_MILLIS / 1000} s`)
}
