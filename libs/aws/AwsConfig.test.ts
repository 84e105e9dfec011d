import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { AwsConfig, knowsProxies } from "./AwsConfig.ts"

const settings = (env: Record<string, string>) =>
  AwsConfig.useSync((config) => config).pipe(
    Effect.provide(AwsConfig.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))))
  )

describe("AwsConfig", () => {
  it.effect("has a default for everything but the region", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* settings({}), {
        region: undefined,
        credentialsFile: undefined,
        credentialsCheckSeconds: 5,
        probeSeconds: 1,
        probeSecondsMax: 30,
        caBundle: undefined,
        proxy: undefined,
        noProxy: undefined,
        requestTimeoutSeconds: 15,
        connectionTimeoutSeconds: 3,
        maxSockets: 50,
        maxAttempts: 1,
        maxClients: 100,
        missingStreamSeconds: 2,
        networkCacheSeconds: 300,
        runTaskPerSecond: 19,
        runTaskBurst: 10,
        filterLogEventsPerSecond: undefined
      })
    })
  )

  it.effect("takes AWS_REGION, else AWS_DEFAULT_REGION", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* settings({ AWS_DEFAULT_REGION: "eu-west-1" })).region, "eu-west-1")
      const both = { AWS_DEFAULT_REGION: "eu-west-1", AWS_REGION: "us-east-1" }
      assert.strictEqual((yield* settings(both)).region, "us-east-1")
    })
  )

  it.effect("reads numbers up to their edges", () =>
    Effect.gen(function* () {
      const edges = {
        FLEET_AWS_MAX_ATTEMPTS: "10",
        FLEET_AWS_RUN_TASK_PER_SECOND: "0.1",
        FLEET_AWS_NETWORK_CACHE_SECONDS: "0",
        FLEET_AWS_FILTER_LOG_EVENTS_PER_SECOND: "10000"
      }
      const read = yield* settings(edges)
      assert.deepInclude(read, {
        maxAttempts: 10,
        runTaskPerSecond: 0.1,
        networkCacheSeconds: 0,
        filterLogEventsPerSecond: 10_000
      })
    })
  )

  it.effect("names every variable that is wrong, at once", () =>
    Effect.gen(function* () {
      const wrong = {
        FLEET_AWS_REQUEST_TIMEOUT_SECONDS: "soon",
        FLEET_AWS_MAX_ATTEMPTS: "11",
        FLEET_AWS_RUN_TASK_BURST: "0",
        FLEET_AWS_FILTER_LOG_EVENTS_PER_SECOND: "0"
      }
      const problem = yield* Effect.flip(settings(wrong))
      for (const name of Object.keys(wrong)) assert.include(problem.message, name)
      assert.include(problem.message, "must be a number from 1 to 10")
    })
  )

  it.each([
    { version: "24.4.9", known: false },
    { version: "24.5.0", known: true },
    { version: "24.21.0", known: true },
    { version: "26.0.0", known: true },
    { version: "22.21.0", known: false }
  ])("Node $version knows proxies: $known", ({ known, version }) => {
    assert.strictEqual(knowsProxies(version), known)
  })

  it.effect("an empty variable says nothing", () =>
    Effect.gen(function* () {
      const { proxy, credentialsFile } = yield* settings({ HTTPS_PROXY: "", FLEET_AWS_CREDENTIALS_FILE: "" })
      assert.deepStrictEqual([proxy, credentialsFile], [undefined, undefined])
    })
  )
})
