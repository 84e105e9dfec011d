import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer, Result, Schedule, Stream } from "effect"
import { Bus } from "#bus/Bus.ts"
import { Connection } from "#bus/Connection.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { Topology } from "#bus/Topology.ts"
import { fleetTopology, LOGS_BYTES_MIN, TOPOLOGY_REVISION, topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { LogCodecs } from "#ecs-core/LogLine.ts"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { readConfig } from "#process/ConfigReport.ts"
import { setUpFleet, topologyConfig } from "#process/FleetSetup.ts"
import { layerTestWith, onNatsServers } from "#test/support/NatsServer.ts"

describe("settings of the streams", () => {
  const read = (env: Record<string, string>) => readConfig(topologyConfig, { env })

  it.effect("have the topology's defaults, and are read to their edges", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({}), topologyDefaults)
      const least = { FLEET_LOGS_AGE_SECONDS: "1", FLEET_LOGS_BYTES_MAX: `${LOGS_BYTES_MIN}` }
      assert.deepInclude(yield* read(least), { logsAgeSeconds: 1, logsBytesMax: LOGS_BYTES_MIN })
    })
  )

  it.effect.each([
    ["FLEET_LOGS_AGE_SECONDS", "0"],
    ["FLEET_LOGS_AGE_SECONDS", "0.5"],
    ["FLEET_LOGS_BYTES_MAX", `${LOGS_BYTES_MIN - 1}`],
    ["FLEET_LOGS_BYTES_MAX", "-1"]
  ] as const)("%s=%s is refused by name", ([name, value]) =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(read({ [name]: value }))
      assert.deepStrictEqual(
        refused.problems.map((problem) => problem.name),
        [name]
      )
    })
  )
})

/** 60 KiB of lines. */
const publishLines = (runId: string, name: string) =>
  Publisher.use((publisher) =>
    publisher.publish({
      stream: Streams.logs,
      subject: Subjects.logs(runId),
      data: LogCodecs.batch.encode({
        attempt: 1,
        lines: [{ time: "2026-03-01T09:00:00.000Z", container: "main", text: name.padEnd(60 * 1024, ".") }],
        positions: []
      })
    })
  )

/** What is kept of a run's lines. */
const kept = (runId: string) =>
  Messages.use((messages) =>
    messages.replay({ stream: Streams.logs, subject: Subjects.logs(runId), follow: false }).pipe(
      Stream.map((message) => Result.getOrThrow(LogCodecs.batch.decode(text(message)))),
      Stream.flatMap(({ lines }) => Stream.fromIterable(lines.map((line) => line.text.replaceAll(".", "")))),
      Stream.runCollect
    )
  )

/** Queues had no stream of their own in revision 1. */
const firstRevision = () => {
  const now = fleetTopology(topologyDefaults)
  const streams = now.streams
    .filter(({ name }) => name !== Streams.queues)
    .map((stream) => ({
      ...stream,
      subjects: stream.name === Streams.fleet ? [...stream.subjects, ...Filters.queues] : stream.subjects
    }))
  return { ...now, revision: 1, streams }
}

await onNatsServers("set-up of a fleet", (binary) => {
  const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "set-up" }))).pipe(
    Layer.provide(layerTestWith({ binary }))
  )

  layer(bus, { excludeTestServices: true })((it) => {
    it.effect(
      "a full log stream takes new lines and drops the oldest, whatever their run; then a shorter age drops all",
      () =>
        Effect.gen(function* () {
          yield* setUpFleet(topologyDefaults)
          yield* publishLines("quiet", "first")
          const smaller = { ...topologyDefaults, logsBytesMax: LOGS_BYTES_MIN }
          assert.deepInclude(yield* setUpFleet(smaller), { created: [], updated: ["stream FLEET_LOGS"] })
          assert.deepStrictEqual(yield* kept("quiet"), ["first"])
          const names = Array.from({ length: 17 }, (_, n) => `line ${n}`)
          yield* Effect.forEach(names, (name) => publishLines("loud", name))
          assert.deepStrictEqual(yield* kept("quiet"), [])
          assert.deepStrictEqual(yield* kept("loud"), names)
          yield* publishLines("loud", "line 17")
          assert.deepStrictEqual(yield* kept("loud"), [...names.slice(1), "line 17"])

          const shorter = { ...smaller, logsAgeSeconds: 1 }
          assert.deepInclude(yield* setUpFleet(shorter), { created: [], updated: ["stream FLEET_LOGS"] })
          const look = {
            until: (lines: ReadonlyArray<string>) => lines.length === 0,
            schedule: Schedule.spaced("10 millis")
          }
          yield* Effect.repeat(kept("loud"), look)
          assert.deepInclude(yield* setUpFleet(shorter), { created: [], updated: [] })
          assert.deepInclude(yield* setUpFleet(smaller), { created: [], updated: ["stream FLEET_LOGS"] })
          yield* publishLines("loud", "after")
          assert.deepStrictEqual(yield* kept("loud"), ["after"])
        })
    )
  })

  layer(Layer.fresh(bus), { excludeTestServices: true })((it) => {
    it.effect("brings a fleet of revision 1 to this one: queues get a stream of their own", () =>
      Effect.gen(function* () {
        yield* Topology.use((topology) => topology.ensure(firstRevision()))
        const { created, updated, revision } = yield* setUpFleet(topologyDefaults)
        assert.deepStrictEqual([created, updated], [["stream FLEET_QUEUES"], ["stream FLEET"]])
        assert.strictEqual(revision, TOPOLOGY_REVISION)
        assert.deepInclude(yield* setUpFleet(topologyDefaults), { created: [], updated: [] })
      })
    )

    it.effect("of one service looks after its own consumers only", () =>
      Effect.gen(function* () {
        const { jsm } = yield* Connection
        for (const name of ["launcher", "watcher"]) yield* Effect.promise(() => jsm.consumers.delete("FLEET", name))
        assert.deepInclude(yield* setUpFleet(topologyDefaults, "launcher"), { created: ["consumer FLEET/launcher"] })
        assert.deepInclude(yield* setUpFleet(topologyDefaults), { created: ["consumer FLEET/watcher"] })
      })
    )
  })
})
