import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Duration, Effect, Option, Redacted, Schema } from "effect"
import { configExitCode, readConfig, slipsIn } from "#process/ConfigReport.ts"

const settings = {
  url: Config.String("NATS_URL"),
  token: Config.option(Config.Redacted("FLEET_TOKEN")),
  ackWait: Config.Duration("FLEET_ACK_WAIT").pipe(Config.withDefault(Duration.seconds(60))),
  mode: Config.Literals(["dev", "prod"], "FLEET_MODE").pipe(Config.withDefault("dev" as const)),
  batch: Config.schema(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }, { message: "must be 1 to 100" })),
    "FLEET_BATCH"
  ).pipe(Config.withDefault(100)),
  hosts: Config.Array(Schema.Int, "FLEET_SHARDS").pipe(Config.withDefault([]))
}

describe("readConfig", () => {
  it.effect("answers every value under its own name", () =>
    Effect.gen(function* () {
      const env = { NATS_URL: "nats://a", FLEET_TOKEN: "s3cret", FLEET_ACK_WAIT: "5 seconds", PATH: undefined }
      const values = yield* readConfig(settings, { env })
      assert.strictEqual(values.url, "nats://a")
      assert.strictEqual(Option.getOrThrow(Option.map(values.token, Redacted.value)), "s3cret")
      assert.deepStrictEqual(values.ackWait, Duration.seconds(5))
      assert.deepStrictEqual([values.mode, values.batch, values.hosts], ["dev", 100, []])
    })
  )

  it.effect("reports all problems at once, by variable, with what is allowed and what to do", () =>
    Effect.gen(function* () {
      const env = {
        FLEET_ACK_WAIT: "soon",
        FLEET_MODE: "test",
        FLEET_BATCH: "101",
        FLEET_SHARDS: "1,b",
        FLEET_BTACH: "3"
      }
      const failure = yield* Effect.flip(readConfig(settings, { env }))
      assert.deepStrictEqual(
        failure.problems.map(({ name, problem }) => [name, problem]),
        [
          ["NATS_URL", "is not set; it must be a text"],
          ["FLEET_ACK_WAIT", "has a value that is not allowed; it must be a valid Duration string"],
          ["FLEET_MODE", 'has a value that is not allowed; it must be "dev" | "prod"'],
          ["FLEET_BATCH", "has a value that is not allowed; it must be 1 to 100"],
          ["FLEET_SHARDS", "has a value that is not allowed; it must be array"],
          ["FLEET_BTACH", "is not a setting"]
        ]
      )
      assert.strictEqual(failure["~effect/Runtime/errorExitCode"], configExitCode)
      assert.match(
        failure.message,
        /^6 settings need attention:\n {2}NATS_URL: is not set; .* Set NATS_URL in the environment\n/
      )
    })
  )

  it.effect("never shows a value: it may be a secret", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(readConfig({ a: Config.Int("FLEET_PIN") }, { env: { FLEET_PIN: "hunter2" } }))
      assert.notInclude(failure.message + JSON.stringify(failure), "hunter2")
    })
  )

  it.effect("reads the ConfigProvider in force where no variables are given", () =>
    Effect.gen(function* () {
      const provider = ConfigProvider.layer(ConfigProvider.fromUnknown({ NATS_URL: "nats://b" }))
      const values = yield* readConfig(settings).pipe(Effect.provide(provider))
      assert.strictEqual(values.url, "nats://b")
    })
  )
})

describe("slipsIn", () => {
  const known = new Set(["FLEET_ACK_WAIT", "FLEET_HEALTH_PORT", "NATS_URL"])
  it.each([
    { name: "FLEET_ACKWAIT", meant: "FLEET_ACK_WAIT" },
    { name: "FLEET_HEALTH_PROT", meant: "FLEET_HEALTH_PORT" },
    { name: "FLEET_ACK_WAIT", meant: undefined },
    { name: "FLEET_OF_ANOTHER_SERVICE", meant: undefined },
    { name: "NATS_ULR", meant: undefined }
  ])("$name → $meant", ({ name, meant }) => {
    const advice = slipsIn([name, "PATH"], known).map((slip) => slip.advice)
    assert.deepStrictEqual(advice, meant === undefined ? [] : [`Did you mean ${meant}?`])
  })
})
