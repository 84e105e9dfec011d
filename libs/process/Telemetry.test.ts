import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Layer, Logger, Option, Redacted } from "effect"
import { jsonLogger, layer, splitMessage } from "#process/Telemetry.ts"
import { version } from "#process/Version.ts"
import { collector } from "#test/support/Collector.ts"

/** What `log` writes as JSON. */
const written = Effect.fnUntraced(function* (log: Effect.Effect<void>) {
  const lines: Array<string> = []
  yield* log.pipe(Effect.provide(Logger.layer([Logger.map(jsonLogger("svc"), (line) => void lines.push(line))])))
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
})

describe("jsonLogger", () => {
  it.effect("never lets a fact replace the line's own fields", () =>
    Effect.gen(function* () {
      const [line] = yield* written(
        Effect.logInfo("text", { level: "fake", service: "other", n: 1 }).pipe(Effect.annotateLogs("message", "fake"))
      )
      assert.deepInclude(line, { level: "INFO", service: "svc", message: "text", n: 1 })
    })
  )

  it.effect("hides what is redacted, survives what JSON cannot hold, and writes the cause of a failure", () =>
    Effect.gen(function* () {
      const circular: Record<string, unknown> = { big: 10n }
      circular["self"] = circular
      const [secret, odd, failed] = yield* written(
        Effect.all(
          [
            Effect.logInfo("login", { token: Redacted.make("s3cret") }),
            Effect.logInfo("odd", circular),
            Effect.logError("lost", Cause.fail(new Error("gone")))
          ],
          { discard: true }
        )
      )
      assert.strictEqual(secret?.["token"], "<redacted>")
      assert.strictEqual(odd?.["message"], "odd")
      assert.include(String(failed?.["cause"]), "gone")
    })
  )
})

describe("splitMessage", () => {
  it.each([
    { message: "a", text: "a", facts: {} },
    { message: ["a", { b: 1 }, { c: 2 }], text: "a", facts: { b: 1, c: 2 } },
    { message: ["a", "b"], text: "a b", facts: {} },
    { message: [{ b: 1 }], text: "", facts: { b: 1 } },
    { message: ["a", [1, 2]], text: ["a", [1, 2]], facts: {} },
    { message: 5, text: 5, facts: {} }
  ])("$message", ({ message, text, facts }) => {
    assert.deepStrictEqual(splitMessage(message), { text, facts })
  })
})

describe("OTLP_URL", () => {
  it.live("sends logs and traces under the service's name, flushed at the end", () =>
    Effect.gen(function* () {
      const { bodies, url } = yield* collector
      const settings = { logLevel: "Info", logFormat: "json", otlpUrl: Option.some(new URL(url)) } as const
      yield* Effect.logInfo("hello").pipe(
        Effect.withSpan("launch"),
        Effect.provide(Layer.fresh(layer("launcher", settings)))
      )
      assert.include(bodies("/v1/logs").join(), "hello")
      const traces = bodies("/v1/traces").join()
      assert.include(traces, "launch")
      assert.include(traces, `{"stringValue":"launcher"}`)
      assert.include(traces, `{"stringValue":"${version}"}`)
    })
  )
})

describe("version", () => {
  it("is that of package.json", () => {
    assert.match(version, /^\d+\.\d+\.\d+/)
  })
})
