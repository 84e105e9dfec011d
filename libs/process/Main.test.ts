import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { parsed, runApp } from "#process/fixtures/Child.ts"
import { version } from "#process/Version.ts"

describe("runMain", () => {
  it.live.each(["SIGTERM", "SIGINT"] as const)("closes the scope and exits with 0 on %s", (signal) =>
    Effect.gen(function* () {
      const app = yield* runApp("quick")
      yield* app.line("started")
      yield* app.signal(signal)
      const { code, lines, stdout } = yield* app.ended
      const logged = yield* Effect.forEach(lines, parsed)
      assert.deepStrictEqual(
        logged.map(({ message }) => message),
        ["started", "stopping", "closing", "stopped"]
      )
      assert.deepInclude(logged[0], { level: "INFO", service: "tested", version })
      assert.strictEqual(code, 0)
      assert.strictEqual(stdout, "")
    })
  )

  it.live("ends with 124 when closing takes longer than shutdownSeconds", () =>
    Effect.gen(function* () {
      const app = yield* runApp("stuck")
      yield* app.line("started")
      yield* app.signal("SIGTERM")
      const { code, lines } = yield* app.ended
      assert.strictEqual(code, 124)
      assert.strictEqual(lines.at(-1), "tested: did not stop within 1 s, ending now")
    })
  )

  it.live("ends all workers side by side, so that their times do not add up", () =>
    Effect.gen(function* () {
      const app = yield* runApp("together")
      yield* app.line("started")
      yield* app.signal("SIGTERM")
      assert.strictEqual((yield* app.ended).code, 0)
    })
  )

  it.live.each([
    { signal: "SIGTERM", exitCode: 143 },
    { signal: "SIGINT", exitCode: 130 }
  ] as const)("ends at once with $exitCode on a second signal, $signal", ({ signal, exitCode }) =>
    Effect.gen(function* () {
      const app = yield* runApp("stuck")
      yield* app.line("started")
      yield* app.signal("SIGTERM")
      yield* app.line("closing")
      yield* app.signal(signal)
      const { code, lines } = yield* app.ended
      assert.strictEqual(code, exitCode)
      assert.notInclude(lines.join("\n"), "did not stop")
    })
  )

  it.live.each([
    { mode: "crash", says: "DiskFull: no space left" },
    { mode: "defect", says: "TypeError: undefined is not a run" }
  ])("prints a $mode once, as JSON, and exits with 1", ({ mode, says }) =>
    Effect.gen(function* () {
      const { code, lines } = yield* (yield* runApp(mode)).ended
      assert.strictEqual(code, 1)
      assert.lengthOf(lines.join("\n").match(new RegExp(says, "g")) ?? [], 1)
      const crash = yield* parsed(lines.find((line) => line.includes(says)) ?? "")
      assert.deepInclude(crash, { level: "FATAL", message: "crashed" })
      assert.include(crash["cause"], "fixtures/app.ts")
    })
  )

  it.live("prints every problem of the settings plainly and exits with 78", () =>
    Effect.gen(function* () {
      const env = { FLEET_RETRIES: "many", FLEET_NATS_ULR: "nats://x" }
      const { code, lines } = yield* (yield* runApp("settings", env)).ended
      assert.strictEqual(code, 78)
      assert.deepStrictEqual(lines.slice(-4), [
        "tested cannot start. 3 settings need attention:",
        "  FLEET_NATS_URL: is not set; it must be a text. Set FLEET_NATS_URL in the environment",
        "  FLEET_RETRIES: has a value that is not allowed; it must be a string representing a finite number. Correct FLEET_RETRIES, or unset it for its default",
        "  FLEET_NATS_ULR: is not a setting. Did you mean FLEET_NATS_URL?"
      ])
      assert.notInclude(lines.join("\n"), "FATAL")
    })
  )

  it.live.each([
    { what: "AWS settings", env: { FLEET_AWS_MAX_SOCKETS: "0" }, says: "The AWS settings are wrong: " },
    {
      what: "a file of credentials",
      env: { FLEET_AWS_CREDENTIALS_FILE: "nowhere.yaml" },
      says: "FLEET_AWS_CREDENTIALS_FILE: nowhere.yaml needs attention:"
    }
  ])("does the same with $what", ({ env, says }) =>
    Effect.gen(function* () {
      const { code, lines } = yield* (yield* runApp("aws", env)).ended
      assert.strictEqual(code, 78)
      assert.include(lines.join("\n"), `tested cannot start. ${says}`)
      assert.notInclude(lines.join("\n"), "FATAL")
    })
  )

  it.live("reports a Config that was read without readConfig, and its own settings, in the same way", () =>
    Effect.gen(function* () {
      const plain = yield* (yield* runApp("plainConfig")).ended
      assert.strictEqual(plain.code, 78)
      assert.include(plain.lines.join("\n"), "FLEET_NATS_URL: is not set")
      const own = yield* (yield* runApp("quick", { LOG_FORMAT: "xml", FLEET_HEALTH_PORT: "70000" })).ended
      assert.strictEqual(own.code, 78)
      assert.deepStrictEqual(own.lines.slice(0, 1), ["tested cannot start. 2 settings need attention:"])
      assert.include(
        own.lines.join("\n"),
        "FLEET_HEALTH_PORT: has a value that is not allowed; it must be a port, 0 to 65535"
      )
    })
  )
})

describe("the log", () => {
  it.live("has the run's id, the trace and what was logged beside the message", () =>
    Effect.gen(function* () {
      const app = yield* runApp("traced")
      const line = yield* parsed(yield* app.line("launching"))
      assert.deepInclude(line, { message: "launching", cluster: "main", runId: "r-1" })
      assert.match(String(line["traceId"]), /^[0-9a-f]{32}$/)
      assert.match(String(line["spanId"]), /^[0-9a-f]{16}$/)
    })
  )

  it.live("is for people with LOG_FORMAT=pretty, and leaves out what is below LOG_LEVEL", () =>
    Effect.gen(function* () {
      const pretty = yield* runApp("traced", { LOG_FORMAT: "pretty" })
      assert.match(yield* pretty.line("launching"), /INFO .*launching/)
      const quiet = yield* runApp("crash", { LOG_LEVEL: "fatal" })
      const { lines } = yield* quiet.ended
      assert.deepStrictEqual(
        (yield* Effect.forEach(lines, parsed)).map(({ message }) => message),
        ["crashed"]
      )
    })
  )
})

describe("health of a process", () => {
  it.live("is served on FLEET_HEALTH_PORT with the parts that registered", () =>
    Effect.gen(function* () {
      const app = yield* runApp("unwell", { FLEET_HEALTH_PORT: "0" })
      const { url } = yield* parsed(yield* app.line("health checks are answered"))
      yield* app.line("started")
      const answer = yield* Effect.promise(() => fetch(`${String(url)}/ready`))
      assert.strictEqual(answer.status, 503)
      assert.deepStrictEqual(yield* Effect.promise(() => answer.json()), {
        status: "unavailable",
        parts: [
          { name: "process", status: "ok" },
          { name: "nats", status: "not connected" }
        ]
      })
    })
  )

  it.live("says which port cannot be had, and exits with 1", () =>
    Effect.gen(function* () {
      const first = yield* runApp("quick", { FLEET_HEALTH_PORT: "0" })
      const { url } = yield* parsed(yield* first.line("health checks are answered"))
      const second = yield* runApp("quick", { FLEET_HEALTH_PORT: new URL(String(url)).port })
      const { code, lines } = yield* second.ended
      assert.strictEqual(code, 1)
      assert.include(lines.join("\n"), "Set FLEET_HEALTH_PORT to a free port, or unset it.")
    })
  )
})
