import { assert, describe, it } from "@effect/vitest"
import { fleetTopology, runTimeoutSecondsMax, topologyDefaults } from "#ecs-core/FleetTopology.ts"

describe("fleetTopology", () => {
  it("refuses publishes to a full inbox, but drops the oldest lines of full logs", () => {
    const { streams } = fleetTopology({ ...topologyDefaults, inboxBytesMax: 1000, logsBytesMax: 2000 })
    assert.deepStrictEqual(
      streams.map(({ name, discard, maxBytes }) => ({ name, discard, maxBytes })),
      [
        { name: "FLEET_IN", discard: "new", maxBytes: 1000 },
        { name: "FLEET", discard: "old", maxBytes: -1 },
        { name: "FLEET_QUEUES", discard: "old", maxBytes: -1 },
        { name: "FLEET_LOGS", discard: "old", maxBytes: 2000 },
        { name: "FLEET_DEAD", discard: "old", maxBytes: -1 }
      ]
    )
  })

  it("waits the lease for the owners of tasks, the ack wait for everybody else", () => {
    const { consumers } = fleetTopology({ ...topologyDefaults, ackWaitSeconds: 3, leaseSeconds: 9 })
    const leases = consumers.filter(({ ackWaitSeconds }) => ackWaitSeconds === 9)
    assert.deepStrictEqual(
      leases.map(({ name }) => name),
      ["watcher", "log-streamer"]
    )
    assert.isTrue(consumers.every(({ ackWaitSeconds }) => ackWaitSeconds === 3 || ackWaitSeconds === 9))
  })

  it.each([
    { streamAgeSeconds: 604_800, expected: 518_400 },
    { streamAgeSeconds: 86_401, expected: 1 },
    { streamAgeSeconds: 60, expected: 1 }
  ])(
    "lets a run last a day less than its stream: $streamAgeSeconds s → $expected s",
    ({ streamAgeSeconds, expected }) => {
      assert.strictEqual(runTimeoutSecondsMax(streamAgeSeconds), expected)
    }
  )
})
