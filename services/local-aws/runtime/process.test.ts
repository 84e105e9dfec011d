import { assert, describe, it, layer, vi } from "@effect/vitest"
import { Deferred, Effect, Exit, Scope } from "effect"
import type { ContainerSpec } from "#aws/model/Runtime.ts"
import { programGone } from "#test/support/LocalAws.ts"
import { environmentOf, exitCodeOf, ProcessRuntime } from "./process.ts"

const specOf = (command: ReadonlyArray<string>, rest: Partial<ContainerSpec> = {}): ContainerSpec => ({
  taskArn: "arn:aws:ecs:us-east-1:000000000000:task/default/0",
  containerName: "main",
  image: "busybox",
  command,
  environment: {},
  essential: true,
  stopTimeoutSeconds: 30,
  ...rest
})

const sh = (script: string, rest: Partial<ContainerSpec> = {}) => specOf(["sh", "-c", script], rest)

/** Starts it, and gives what it writes as it comes. */
const started = Effect.fnUntraced(function* (spec: ContainerSpec) {
  const lines: Array<string> = []
  const first = yield* Deferred.make<string>()
  const runtime = yield* ProcessRuntime
  const { exit, stop } = yield* runtime.start(spec, (line) => {
    lines.push(line)
    Deferred.doneUnsafe(first, Exit.succeed(line))
  })
  return { lines, first: Deferred.await(first), exit, stop }
})

const outcome = (spec: ContainerSpec) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { exit, lines } = yield* started(spec)
      return { ...(yield* exit), lines }
    })
  )

const refusal = (spec: ContainerSpec) => Effect.scoped(Effect.flip(started(spec)))

/** Starts a program in a session of its own, which keeps the output open, and ends. */
const escapes = `
  const { spawn } = require("node:child_process")
  const child = spawn("sleep", ["1000"], { detached: true, stdio: "inherit" })
  child.unref()
  console.log(child.pid)
`

const gone = (pid: string) => programGone(Number(pid))

layer(ProcessRuntime.layer, { excludeTestServices: true })("process runtime", (it) => {
  it.effect("stdout and stderr come in the order they were written, and the last line needs no newline", () =>
    Effect.gen(function* () {
      const ended = yield* outcome(sh("echo 1; echo 2 >&2; echo 3; echo 4 > /dev/stderr; echo 5; printf 6"))
      assert.deepStrictEqual(ended, { exitCode: 0, lines: ["1", "2", "3", "4", "5", "6"] })
    })
  )

  it.effect("the exit code is the program's own", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* outcome(sh("exit 3")), { exitCode: 3, lines: [] })
    })
  )

  it.effect("a program that a signal ends has 128 + n", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* outcome(sh("kill -SEGV $$"))).exitCode, 139)
    })
  )

  it.effect("ten thousand lines come whole and in order", () =>
    Effect.gen(function* () {
      const { exitCode, lines } = yield* outcome(specOf(["seq", "1", "10000"]))
      assert.strictEqual(exitCode, 0)
      assert.deepStrictEqual(
        lines,
        Array.from({ length: 10_000 }, (_, i) => String(i + 1))
      )
    })
  )

  it.effect("lines come while the program runs; SIGTERM lets it end in its own way", () =>
    Effect.gen(function* () {
      const script = 'trap "echo bye; exit 7" TERM; echo ready; sleep 1000 & wait'
      const { exit, first, lines, stop } = yield* started(sh(script))
      assert.strictEqual(yield* first, "ready")
      yield* stop
      assert.deepStrictEqual(yield* exit, { exitCode: 7 })
      assert.deepStrictEqual(lines, ["ready", "bye"])
    })
  )

  it.effect("SIGKILL follows for a program that ignores SIGTERM, also when asked twice", () =>
    Effect.gen(function* () {
      const script = 'trap "" TERM; echo ready; sleep 1000'
      const { exit, first, stop } = yield* started(sh(script, { stopTimeoutSeconds: 0.2 }))
      yield* first
      yield* stop
      yield* stop
      assert.deepStrictEqual(yield* exit, { exitCode: 137 })
      yield* stop
    })
  )

  it.effect("a stop ends the whole process group, not only the shell", () =>
    Effect.gen(function* () {
      const { exit, first, stop } = yield* started(sh("sleep 1000 & echo $!; wait"))
      const pid = yield* first
      yield* stop
      assert.deepStrictEqual(yield* exit, { exitCode: 143 })
      yield* gone(pid)
    })
  )

  it.effect("what a program leaves behind ends with it, as in a container", () =>
    Effect.gen(function* () {
      const { exit, first } = yield* started(sh("sleep 1000 & echo $!; exit 5"))
      assert.deepStrictEqual(yield* exit, { exitCode: 5 })
      yield* gone(yield* first)
    })
  )

  it.effect("output held open by a program outside the group delays the end by a second and no longer", () =>
    Effect.gen(function* () {
      const { exit, first } = yield* started(specOf([process.execPath, "-e", escapes]))
      assert.deepStrictEqual(yield* exit, { exitCode: 0 })
      process.kill(Number(yield* first), "SIGKILL")
    })
  )

  it.effect("closing the scope ends it at once", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { exit, first } = yield* Scope.provide(started(sh('trap "" TERM; echo $$; sleep 1000')), scope)
      const pid = yield* first
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* exit, { exitCode: 137 })
      yield* gone(pid)
    })
  )

  it.effect("the program sees its own environment and four names of the server's", () =>
    Effect.gen(function* () {
      const { lines } = yield* outcome(specOf(["env"], { environment: { GREETING: "hi there", TZ: "Europe/Berlin" } }))
      const names = lines.map((line) => line.split("=")[0])
      assert.includeMembers([...lines], ["GREETING=hi there", "TZ=Europe/Berlin", `PATH=${process.env["PATH"]}`])
      assert.isTrue(names.every((name) => ["PATH", "HOME", "LANG", "TZ", "GREETING"].includes(name ?? "")))
    })
  )

  it.effect("stdin is empty", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* outcome(specOf(["cat"])), { exitCode: 0, lines: [] })
    })
  )

  it.effect.each([
    { command: ["nope"], says: 'exec: "nope": executable file not found in $PATH' },
    { command: ["/nope/nope"], says: "stat /nope/nope: no such file or directory" },
    { command: ["/etc/passwd"], says: 'exec: "/etc/passwd": permission denied' },
    { command: ["/tmp"], says: "permission denied" },
    { command: ["a\0b"], says: "exec: " },
    { command: [], says: "set command (or entryPoint) in the task definition" }
  ])("does not start $command", ({ command, says }) =>
    Effect.gen(function* () {
      const refused = yield* refusal(specOf(command))
      assert.match(refused.reason, /^CannotStartContainerError: /)
      assert.include(refused.reason, says)
      assert.isUndefined(refused.exitCode)
    })
  )

  it.effect("without a pipe for its output it does not start, and the reason says what is needed", () =>
    Effect.gen(function* () {
      const path = process.env["PATH"]
      const noMkfifo = Effect.acquireRelease(
        Effect.sync(() => vi.stubEnv("PATH", "/nowhere")),
        () => Effect.sync(() => vi.stubEnv("PATH", path))
      )
      const fresh = Effect.provide(refusal(specOf(["/bin/true"])), ProcessRuntime.layer, { local: true })
      const refused = yield* Effect.scoped(Effect.andThen(noMkfifo, fresh))
      assert.match(refused.reason, /^CannotStartContainerError: .*mkfifo.*ulimit -n/)
    })
  )

  it.effect("forty at once", () =>
    Effect.gen(function* () {
      const numbers = Array.from({ length: 40 }, (_, i) => i)
      const ends = yield* Effect.forEach(numbers, (n) => outcome(sh(`echo ${n}; exit ${n}`)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        ends,
        numbers.map((n) => ({ exitCode: n, lines: [String(n)] }))
      )
    })
  )
})

describe("what a program is given and what it gives", () => {
  it.each([
    { own: { PATH: "/bin", SECRET: "x" }, given: {}, sees: { PATH: "/bin" } },
    {
      own: { PATH: "/bin", HOME: "/root" },
      given: { HOME: "/app", A: "1" },
      sees: { PATH: "/bin", HOME: "/app", A: "1" }
    },
    { own: {}, given: {}, sees: {} }
  ])("environment $sees", ({ own, given, sees }) => {
    assert.deepStrictEqual(environmentOf(own, given), sees)
  })

  it.each([
    { code: 0, signal: null, exitCode: 0 },
    { code: 3, signal: null, exitCode: 3 },
    { code: null, signal: "SIGTERM" as const, exitCode: 143 },
    { code: null, signal: "SIGKILL" as const, exitCode: 137 }
  ])("exit code $exitCode", ({ code, signal, exitCode }) => {
    assert.strictEqual(exitCodeOf(code, signal), exitCode)
  })
})
