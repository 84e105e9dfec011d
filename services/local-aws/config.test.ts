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
      const env = { LOCAL_AWS_PORT: "65536", LOCAL_AWS_RUNTIME: "podman", LOCAL_AWS_LOG_DELAY_SECONDS: "-1" }
      const { message } = yield* Effect.flip(readSettings(env, ["--quota", "aws"]))
      for (const name of ["LOCAL_AWS_PORT", "LOCAL_AWS_RUNTIME", "LOCAL_AWS_LOG_DELAY_SECONDS", "--quota: "])
        assert.include(message, name)
    })
  )

  it.effect("the runtime docker, its engine, network and owner", () =>
    Effect.gen(function* () {
      const env = { DOCKER_HOST: "unix:///run/user/docker.sock", LOCAL_AWS_DOCKER_OWNER: "fleet" }
      const settings = yield* readSettings(env, ["--runtime", "docker", "--docker-network", "host"])
      assert.deepInclude(settings, { runtime: "docker", dockerHost: env.DOCKER_HOST })
      assert.deepInclude(settings, { dockerNetwork: "host", dockerOwner: "fleet" })
    })
  )

  const sizes = { count: 2, cpu: 4096, memory: 8192, gpu: 0 }

  it.effect.each([
    { text: "jobs=2x4096x8192", groups: [{ ...sizes, cluster: "jobs", launchType: "EC2" }] },
    {
      text: "jobs=2x4096x8192x1,on_site:EXTERNAL=2x4096x8192",
      groups: [
        { ...sizes, gpu: 1, cluster: "jobs", launchType: "EC2" },
        { ...sizes, cluster: "on_site", launchType: "EXTERNAL" }
      ]
    },
    { text: "default=0x1x1", groups: [{ cluster: "default", launchType: "EC2", count: 0, cpu: 1, memory: 1, gpu: 0 }] }
  ])("container instances: $text", ({ groups, text }) =>
    Effect.gen(function* () {
      const { containerInstances } = yield* readSettings({}, ["--container-instances", text])
      assert.deepStrictEqual<unknown>(containerInstances, groups)
    })
  )

  it.effect.each([
    { text: "jobs" },
    { text: "jobs=2x4096" },
    { text: "jobs:FARGATE=1x1x1" },
    { text: "jobs=1x0x1" },
    { text: "jobs=10001x1x1" },
    { text: "jobs=1x1x1,=1x1x1" }
  ])("container instances: $text is refused with an example", ({ text }) =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(readSettings({ LOCAL_AWS_CONTAINER_INSTANCES: text }, []))
      assert.include(message, "LOCAL_AWS_CONTAINER_INSTANCES")
      assert.include(message, "default=2x4096x8192")
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
