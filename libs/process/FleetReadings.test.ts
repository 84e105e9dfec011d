import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric } from "effect"
import { TestClock } from "effect/testing"
import { paceCallsLeft, paceShare } from "#aws/metrics.ts"
import { Pace } from "#aws/Pace.ts"
import { Publisher } from "#bus/Publisher.ts"
import { topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { Durables, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { readFleetMetrics } from "#process/FleetReadings.ts"
import { consumerUnacknowledged, consumerWaiting } from "#process/metrics.ts"
import { READ_SECONDS, Readings } from "#process/Readings.ts"
import { layerMemoryFleet } from "#test/support/MemoryFleet.ts"

const target = { region: "eu-west-1" }
const room = { quota: "runTask", region: "eu-west-1", credentials: "default" }

describe("readings of a service", () => {
  it.effect("tell the backlog of its consumers, and the room under AWS's quotas, as they are now", () =>
    Effect.gen(function* () {
      yield* readFleetMetrics(topologyDefaults, "launcher")
      yield* Effect.forkChild(Effect.flatMap(Readings, ({ takeForEver }) => takeForEver))
      const valueOf = (gauge: typeof consumerWaiting, labels: Readonly<Record<string, string>>) =>
        Effect.map(Metric.value(Metric.withAttributes(gauge, labels)), ({ value }) => value)
      const publisher = yield* Publisher
      for (const runId of ["a", "b"]) {
        yield* publisher.publish({ stream: Streams.fleet, subject: Subjects.taskdefReady(runId, 1), data: "{}" })
      }
      yield* Pace.use((pace) => pace.take("runTask", target))
      yield* Pace.use((pace) => pace.throttled("runTask", target))
      yield* TestClock.adjust("100 millis")
      yield* TestClock.adjust(`${READ_SECONDS} seconds`)
      const consumer = Durables.launcher
      assert.strictEqual(yield* valueOf(consumerWaiting, { consumer }), 2)
      assert.strictEqual(yield* valueOf(consumerUnacknowledged, { consumer }), 0)
      assert.strictEqual(yield* valueOf(paceShare, room), 1)
      assert.strictEqual(yield* valueOf(paceCallsLeft, room), 10)
    }).pipe(
      Effect.scoped,
      Effect.provideService(Metric.MetricRegistry, new Map()),
      Effect.provide(Layer.merge(layerMemoryFleet(), Readings.layer))
    )
  )
})
