import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { defaults, readFlags, readSettings } from "./config.ts"

describe("settings", () => {
  it.effect("nothing said: loopback, port 4577, real processes, no throttling", () =>
    Effect.gen(function* () {
      const settings = yield* readSettings({ PATH: "/bin" }, [])
      assert.deepStrictEqual(settings, defaults)
      assert.strictEqual(settings.host, "127.0.0.1")
    })
  )

  it.effect("from the environment, flags first", () =>
    Effect.gen(function* () {
      const settings = yield* readSettings(
        {
          LOCAL_AWS_PORT: "0",
          LOCAL_AWS_RUNTIME: "simulated",
          LOCAL_AWS_CLUSTERS: "default,jobs",
          LOCAL_AWS_STOPPED_TASK_TTL_SECONDS: "1.5",
          LOCAL_AWS_QUOTAS: "off"
        },
        ["--quotas", "aws", "--time-scale=instant"]
      )
      assert.deepStrictEqual(settings, {
        ...defaults,
        port: 0,
        runtime: "simulated",
        clusters: ["default", "jobs"],
        stoppedTaskTtlSeconds: 1.5,
        quotas: "aws",
        timeScale: "instant"
      })
    })
  )

  it.effect("every problem at once", () =>
    Effect.gen(function* () {
      const env = { LOCAL_AWS_PORT: "65536", LOCAL_AWS_RUNTIME: "docker", LOCAL_AWS_LOG_DELAY_SECONDS: "-1" }
      const { message } = yield* Effect.flip(readSettings(env, ["--quota", "aws"]))
      for (const name of ["LOCAL_AWS_PORT", "LOCAL_AWS_RUNTIME", "LOCAL_AWS_LOG_DELAY_SECONDS", "--quota: "])
        assert.include(message, name)
    })
  )

  it.effect("65535 is a port", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* readSettings({ LOCAL_AWS_PORT: "65535" }, [])).port, 65_535)
    })
  )

  it.each([
    { args: ["--port", "1", "--host=::1"], env: { LOCAL_AWS_PORT: "1", LOCAL_AWS_HOST: "::1" }, problems: 0 },
    { args: ["--port"], env: {}, problems: 1 },
    { args: ["--what", "--port", "1"], env: { LOCAL_AWS_PORT: "1" }, problems: 1 },
    { args: [], env: {}, problems: 0 }
  ])("flags $args", ({ args, env, problems }) => {
    const flags = readFlags(args)
    assert.deepStrictEqual(flags.env, env)
    assert.strictEqual(flags.problems.length, problems)
  })
})
