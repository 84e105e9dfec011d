import { assert } from "@effect/vitest"
import { Effect, Option, Queue } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { Topology, type TopologySpec } from "#bus/Topology.ts"
import { BusBench } from "./bus.bench.ts"
import {
  as,
  type BusIt,
  durable,
  hold,
  openRoom,
  publishMany,
  roomOf,
  startClient,
  storedIn,
  textsIn,
  until
} from "./bus.facts.ts"

const ensure = (spec: TopologySpec) => Topology.use((topology) => topology.ensure(spec))
const inspect = (spec: TopologySpec) => Topology.use((topology) => topology.inspect(spec))

const everything = (name: string) =>
  [`bucket ${name}-meta`, `bucket ${name}`, `stream ${name.toUpperCase()}`, `stream ${name.toUpperCase()}_DEAD`].concat(
    `consumer ${name.toUpperCase()}/worker`
  )

const storedRevision = (name: string) =>
  Effect.map(storedIn(`KV_${name}-meta`), (messages) => messages.map((m) => JSON.parse(text(m)) as unknown))

export const topologySuite = (it: BusIt): void => {
  it.effect("ensure creates what is missing, once; a second one changes nothing", () =>
    Effect.gen(function* () {
      const { spec } = roomOf("top1")
      assert.deepStrictEqual(new Set((yield* inspect(spec)).map(({ state }) => state)), new Set(["missing"]))
      assert.deepStrictEqual(yield* ensure(spec), { revision: 1, created: everything("top1"), updated: [] })
      assert.deepStrictEqual(yield* ensure(spec), { revision: 1, created: [], updated: [] })
      assert.deepStrictEqual(yield* storedRevision("top1"), [{ revision: 1 }])
      assert.deepStrictEqual(
        (yield* inspect(spec)).map(({ what, state }) => `${what}: ${state}`),
        everything("top1").map((what) => `${what}: ok`)
      )
    })
  )

  it.effect("four processes at once", () =>
    Effect.gen(function* () {
      const { spec } = roomOf("top2")
      const clients = yield* Effect.all(Array.from({ length: 4 }, () => startClient))
      const changes = yield* Effect.forEach(clients, (client) => ensure(spec).pipe(as(client)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(new Set(changes.flatMap(({ created }) => created)), new Set(everything("top2")))
      assert.deepStrictEqual(
        changes.flatMap(({ updated }) => updated),
        []
      )
      assert.deepStrictEqual(new Set((yield* inspect(spec)).map(({ state }) => state)), new Set(["ok"]))
    })
  )

  it.effect("an older revision is brought to ours and keeps its messages; only what differs is touched", () =>
    Effect.gen(function* () {
      const older = roomOf("top3")
      yield* ensure(older.spec)
      const bucket = yield* Buckets.use((buckets) => buckets.open("top3"))
      yield* bucket.put("k", "v")
      const newer = roomOf("top3", {
        stream: { maxAgeSeconds: 7_200, maxMessageBytes: 5_000, subjects: ["top3.*", "top3.more.*"] },
        consumer: { ackWaitSeconds: 60, maxAckPending: 5, filterSubject: "top3.a" }
      })
      const spec = { ...newer.spec, revision: 2, buckets: [{ name: "top3", maxAgeSeconds: 3_600 }] }
      const change = yield* ensure(spec)
      assert.deepStrictEqual(change, {
        revision: 2,
        created: [],
        updated: ["bucket top3", "stream TOP3", "consumer TOP3/worker"]
      })
      assert.deepStrictEqual(yield* ensure(spec), { revision: 2, created: [], updated: [] })
      assert.deepStrictEqual(yield* bucket.keys(), ["k"])
    })
  )

  it.effect("a filter can be given to a consumer and taken away again", () =>
    Effect.gen(function* () {
      const all = roomOf("top6").spec
      const some = roomOf("top6", { consumer: { filterSubject: "top6.a" } }).spec
      yield* ensure(all)
      assert.deepStrictEqual((yield* ensure(some)).updated, ["consumer TOP6/worker"])
      assert.deepStrictEqual((yield* ensure(all)).updated, ["consumer TOP6/worker"])
      assert.deepStrictEqual((yield* ensure(all)).updated, [])
    })
  )

  it.effect("what a newer revision has arranged is accepted and left alone", () =>
    Effect.gen(function* () {
      const newer = roomOf("top4", { stream: { maxAgeSeconds: 7_200 } })
      yield* ensure({ ...newer.spec, revision: 5 })
      const older = roomOf("top4")
      assert.deepStrictEqual(yield* ensure(older.spec), { revision: 5, created: [], updated: [] })
      const states = new Map((yield* inspect(older.spec)).map(({ what, state }) => [what, state]))
      assert.strictEqual(states.get("stream TOP4"), "differs")
    })
  )

  it.effect("what somebody has deleted is created again by the next process that starts", () =>
    Effect.gen(function* () {
      const { spec } = roomOf("top5")
      yield* ensure({ ...spec, consumers: [] })
      assert.deepStrictEqual(yield* BusBench.use((bench) => bench.consumers("TOP5")), [])
      assert.deepStrictEqual((yield* ensure(spec)).created, ["consumer TOP5/worker"])
      assert.deepStrictEqual(yield* BusBench.use((bench) => bench.consumers("TOP5")), ["worker"])
    })
  )

  it.effect("a smaller byte limit drops the oldest at once; at the limit each new one pushes out the oldest", () =>
    Effect.gen(function* () {
      const before = roomOf("top7")
      yield* ensure(before.spec)
      const publish = (n: number) =>
        Publisher.use((publisher) => publisher.publish(before.message(`m${n}`, `${n}`.padEnd(1_000, "."))))
      const stored = Effect.map(storedIn("TOP7"), (messages) => messages.map(({ subject }) => subject))
      yield* Effect.forEach([1, 2, 3, 4], publish)
      const smaller = roomOf("top7", { stream: { maxBytes: 3_500 } }).spec
      assert.deepStrictEqual((yield* ensure(smaller)).updated, ["stream TOP7"])
      assert.deepStrictEqual(yield* stored, ["top7.m2", "top7.m3", "top7.m4"])
      yield* publish(5)
      assert.deepStrictEqual(yield* stored, ["top7.m3", "top7.m4", "top7.m5"])
      assert.deepStrictEqual((yield* ensure(before.spec)).updated, ["stream TOP7"])
      yield* publish(6)
      assert.deepStrictEqual(yield* stored, ["top7.m3", "top7.m4", "top7.m5", "top7.m6"])
    })
  )

  it.effect("a shorter age drops what is older, also of what is there already", () =>
    Effect.gen(function* () {
      const before = roomOf("top8")
      yield* ensure(before.spec)
      yield* publishMany(before, 2)
      yield* ensure(roomOf("top8", { stream: { maxAgeSeconds: 1 } }).spec)
      yield* until(textsIn("TOP8"), (texts) => texts.length === 0)
      yield* ensure(before.spec)
      yield* publishMany(before, 1, 3)
      assert.deepStrictEqual(yield* textsIn("TOP8"), ["m3"])
    })
  )

  it.effect("reading a stream that does not exist says what to do", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(Messages.use((m) => m.last("NO_SUCH", "a")))
      assert.deepInclude(refused, { reason: "Missing" })
      assert.include(refused.message, "create the streams")
    })
  )

  it.effect("a consumer by itself: made, made again, changed, taken away, each twice", () =>
    Effect.gen(function* () {
      const room = yield* openRoom()
      const topology = yield* Topology
      const spec = { stream: room.stream, name: "turns", ackWaitSeconds: 30, maxAckPending: 2 }
      const mine = Effect.map(topology.consumerNames(room.stream), (names) => names.toSorted())
      yield* Effect.all([topology.ensureConsumer(spec), topology.ensureConsumer(spec)], { concurrency: 2 })
      assert.deepStrictEqual(yield* mine, ["turns", "worker"])
      yield* topology.ensureConsumer({ ...spec, maxAckPending: 3 })
      yield* topology.ensureConsumer({ ...spec, maxAckPending: 3 })
      yield* topology.deleteConsumer(room.stream, "turns")
      yield* topology.deleteConsumer(room.stream, "turns")
      assert.deepStrictEqual(yield* mine, ["worker"])
      assert.isTrue(Option.isNone(yield* topology.backlog(room.stream, "turns")))
    })
  )

  it.effect("a consumer hands out as many as it may, follows a change at once, and tells how far it has come", () =>
    Effect.gen(function* () {
      const room = yield* openRoom({ consumer: { maxAckPending: 2 } })
      const topology = yield* Topology
      const may = (maxAckPending: number) =>
        topology.ensureConsumer({ stream: room.stream, name: durable, ackWaitSeconds: 30, maxAckPending })
      const backlog = Effect.map(topology.backlog(room.stream, durable), Option.getOrThrow)
      yield* publishMany(room, 8)
      assert.deepStrictEqual(yield* backlog, { waiting: 8, unacked: 0, handedOutSeq: 0, ackedSeq: 0 })
      const { held } = yield* hold(room)
      const [first, second] = yield* Queue.takeN(held, 2)
      yield* until(backlog, ({ unacked }) => unacked === 2)
      yield* may(4)
      yield* Queue.takeN(held, 2)
      assert.deepInclude(yield* until(backlog, ({ unacked }) => unacked === 4), { waiting: 4, handedOutSeq: 4 })
      yield* may(1)
      for (const each of [first, second]) yield* each?.lease.ack ?? Effect.void
      assert.deepInclude(yield* until(backlog, ({ unacked }) => unacked === 2), { waiting: 4, ackedSeq: 2 })
      assert.strictEqual(yield* Queue.size(held), 0)
      yield* may(3)
      yield* Queue.take(held)
      assert.deepInclude(yield* until(backlog, ({ unacked }) => unacked === 3), { waiting: 3, handedOutSeq: 5 })
    }).pipe(Effect.scoped)
  )
}
