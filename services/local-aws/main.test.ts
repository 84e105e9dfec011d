import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { LocalAws, logsClient, programGone, register, runTask } from "#test/support/LocalAws.ts"

const main = fileURLToPath(new URL("main.ts", import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stderr: string
}

/** local-aws as a process of its own; `ended` waits for its exit. */
const startMain = (env: Record<string, string>, args: ReadonlyArray<string> = []) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, [main, ...args], {
        env: { PATH: process.env["PATH"], LOCAL_AWS_PORT: "0", LOCAL_AWS_TIME_SCALE: "instant", ...env },
        stdio: ["ignore", "ignore", "pipe"]
      })
      let stderr = ""
      child.stderr.on("data", (chunk: Buffer) => {
        stderr += chunk.toString()
      })
      const ended = new Promise<Ended>((resolve) => child.once("close", (code) => resolve({ code, stderr })))
      return { child, ended: Effect.promise(() => ended), url: Effect.promise(() => announcedUrl(child)) }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

const announcedUrl = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ""
    child.once("exit", () => reject(new Error(`local-aws ended before it was ready: ${text}`)))
    child.stderr?.on("data", (chunk: Buffer) => {
      text += chunk.toString()
      const url = /AWS_ENDPOINT_URL=(http:[^\s"]+)/.exec(text)?.[1]
      if (url !== undefined) resolve(url)
    })
  })

/** Starts a task that never ends by itself, and gives the id of its process. */
const runningTask = Effect.gen(function* () {
  const definition = yield* register("forever", ["sh", "-c", 'trap "" TERM; echo $$; sleep 1000'])
  yield* runTask(definition)
  const logs = yield* logsClient
  const filter = new FilterLogEventsCommand({ logGroupName: "/jobs" })
  const events = Effect.promise(async () => {
    try {
      return (await logs.send(filter)).events ?? []
    } catch {
      return []
    }
  })
  const [first] = yield* Effect.repeat(events, { until: (events) => events.length > 0 })
  return Number(first?.message)
})

describe("local-aws as a process", () => {
  it.live.each([
    { signal: "SIGTERM" as const, code: 0 },
    { signal: "SIGINT" as const, code: 0 },
    { signal: "SIGKILL" as const, code: null }
  ])("$signal: no program outlives it", ({ code, signal }) =>
    Effect.gen(function* () {
      const server = yield* startMain({})
      const url = yield* server.url
      const here = LocalAws.of({ host: "127.0.0.1", port: Number(new URL(url).port), url })
      const pid = yield* Effect.provideService(runningTask, LocalAws, here)
      assert.isTrue(process.kill(pid, 0))
      const asked = performance.now()
      server.child.kill(signal)
      assert.strictEqual((yield* server.ended).code, code)
      assert.isTrue(performance.now() - asked < 2000)
      yield* programGone(pid)
    })
  )

  it.live("wrong settings: every problem, and the exit code of a bad configuration", () =>
    Effect.gen(function* () {
      const server = yield* startMain({ LOCAL_AWS_RUNTIME: "podman" }, ["--time-scale", "slow", "--nope"])
      const { code, stderr } = yield* server.ended
      assert.strictEqual(code, 78)
      for (const name of ["LOCAL_AWS_RUNTIME", "LOCAL_AWS_TIME_SCALE", "--nope"]) assert.include(stderr, name)
    })
  )
})
