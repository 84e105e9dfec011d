import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Metric, Option } from "effect"
import { TestClock } from "effect/testing"
import { afterEach, vi } from "vitest"
import { Aws } from "#aws/Aws.ts"
import { Ecs } from "#aws/Ecs.ts"
import type { Fault } from "#aws/model/Fault.ts"
import { Pace } from "#aws/Pace.ts"
import { probeConfig, probeWhereAsked } from "#process/AwsProbe.ts"
import { readConfig } from "#process/ConfigReport.ts"
import { Health } from "#process/Health.ts"
import { probeHealthy } from "#process/metrics.ts"
import { calls, clearFaults, inject, LocalAws, layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"

/** The probe through the real SDK, against local-aws and against what is no AWS at all; the clock is the test's. */

afterEach(() => {
  vi.unstubAllEnvs()
})

const sdkAt = (url: string) => {
  const env = sdkEnv(url)
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  return Aws.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
}

const sdk = Layer.unwrap(Effect.map(LocalAws, ({ url }) => sdkAt(url)))

const SECONDS = 60

const probing = Effect.fnUntraced(function* (cluster: string) {
  const settings = { probeCluster: Option.some(cluster), probeSeconds: SECONDS }
  yield* probeWhereAsked(settings, { ecs: yield* Ecs, pace: yield* Pace })
})

const statusNow = Effect.gen(function* () {
  yield* Effect.yieldNow
  return (yield* (yield* Health).report).parts[0]?.status ?? ""
})

/** What `/ready` says of AWS once it says something of this kind. */
const statusThat = (isIt: (status: string) => boolean) => Effect.repeat(statusNow, { until: isIt })

/** The same where rejected credentials have to be probed before they are used again. */
const statusInTime = Effect.fnUntraced(function* (isIt: (status: string) => boolean) {
  while (true) {
    yield* TestClock.adjust("100 millis")
    const status = yield* statusNow
    if (isIt(status)) return status
  }
})

const gauge = Effect.map(Metric.value(probeHealthy), ({ value }) => Number(value))

const next = TestClock.adjust(`${SECONDS} seconds`)

const during = (fault: Omit<Fault, "action">) => inject({ action: "StopTask", times: 0, ...fault })

describe("the probe of AWS", () => {
  it.effect("is well, falls ill with each bad answer, and recovers (peers 121, scenario 70)", () =>
    Effect.gen(function* () {
      yield* probing("default")
      yield* statusThat((status) => status === "ok")
      assert.strictEqual(yield* gauge, 1)
      const denied = { name: "AccessDeniedException", message: "User: x is not authorized to perform: ecs:StopTask" }
      const expired = {
        name: "ExpiredTokenException",
        message: "The security token included in the request is expired"
      }
      for (const [fault, says] of [
        [{ error: denied }, "AccessDenied: "],
        [{ error: expired }, "CredentialsRejected: "],
        [{ reset: "before" as const }, "ServiceUnavailable: "]
      ] as const) {
        yield* during(fault)
        yield* next
        yield* statusThat((status) => status.startsWith(says))
        assert.strictEqual(yield* gauge, 0)
        yield* clearFaults
        yield* next
        yield* statusInTime((status) => status === "ok")
      }
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(Health.layer, sdk.pipe(Layer.provideMerge(localAws())))))
  )

  it.effect("asks once at a time of its own, and not before", () =>
    Effect.gen(function* () {
      yield* probing("default")
      yield* statusThat((status) => status === "ok")
      yield* TestClock.adjust(`${SECONDS - 1} seconds`)
      assert.strictEqual((yield* calls).calls["StopTask"], 1)
      yield* TestClock.adjust("1 second")
      yield* Effect.repeat(calls, { until: (counted) => counted.calls["StopTask"] === 2 })
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(Health.layer, sdk.pipe(Layer.provideMerge(localAws())))))
  )

  it.effect("of a cluster that is not there is never well (peers 121, scenario 70)", () =>
    Effect.gen(function* () {
      yield* probing("nowhere")
      assert.strictEqual(yield* statusNow, "not answered yet")
      yield* statusThat((status) => status.startsWith("ClusterNotFound: "))
      assert.strictEqual(yield* gauge, 0)
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(Health.layer, sdk.pipe(Layer.provideMerge(localAws())))))
  )

  it.effect("an endpoint where everything succeeds is not ECS (peers 121, scenario 70)", () =>
    Effect.gen(function* () {
      const server = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const made = createServer((_, response) => response.end("{}"))
          made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
        }),
        (made) => Effect.sync(() => void made.close())
      )
      const { port } = server.address() as AddressInfo
      yield* Effect.gen(function* () {
        yield* probing("default")
        yield* statusThat((status) => status.includes("is not ECS"))
      }).pipe(Effect.scoped, Effect.provide(sdkAt(`http://127.0.0.1:${port}`)))
    }).pipe(Effect.scoped, Effect.provide(Health.layer))
  )
})

describe("its settings", () => {
  const read = (env: Record<string, string>) => readConfig(probeConfig, { env })

  it.effect("are off unless a cluster is named", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({}), { probeCluster: Option.none(), probeSeconds: 60 })
      const { probeCluster } = yield* read({ FLEET_AWS_PROBE_CLUSTER: "prod", FLEET_AWS_PROBE_SECONDS: "5" })
      assert.deepStrictEqual(probeCluster, Option.some("prod"))
      assert.deepStrictEqual((yield* Effect.flip(read({ FLEET_AWS_PROBE_SECONDS: "4" }))).problems.length, 1)
      yield* probeWhereAsked(yield* read({}), { ecs: yield* Ecs, pace: yield* Pace })
      assert.strictEqual(yield* statusNow, "")
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(Health.layer, sdkAt("http://127.0.0.1:1"))))
  )
})
