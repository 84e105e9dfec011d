import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Queue, References, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Buckets } from "./Bucket.ts"
import { Bus } from "./Bus.ts"
import { Consumer, type Delivery, type Lease, Verdict } from "./Consumer.ts"
import { MemoryServer } from "./MemoryServer.ts"
import { text } from "./Message.ts"
import { Messages } from "./Messages.ts"
import { type MemoryFault, MemoryLink } from "./memory/MemoryLink.ts"
import { Publisher } from "./Publisher.ts"
import { Topology, type TopologySpec } from "./Topology.ts"

const limits = { maxAgeSeconds: 3_600, maxBytes: -1, discard: "old", maxMessageBytes: -1 } as const

const spec: TopologySpec = {
  revision: 1,
  replicas: 1,
  metaBucket: "meta",
  streams: [
    { name: "S", subjects: ["s.*"], ...limits },
    { name: "DEAD", subjects: ["dead.*"], ...limits }
  ],
  buckets: [{ name: "b" }],
  consumers: [{ stream: "S", name: "w", ackWaitSeconds: 60, maxAckPending: 1_000 }]
}

const durable = { stream: "S", durable: "w", deadStream: "DEAD", deadSubject: () => "dead.s" }
const runOptions = { ...durable, concurrency: 4, ackWaitSeconds: 60 }

const publish = (token: string, data = token) =>
  Publisher.use((p) => p.publish({ stream: "S", subject: `s.${token}`, data }))

const stored = (stream: string) =>
  Messages.use(({ replay }) => Stream.runCollect(replay({ stream, subject: ">", follow: false })))

const hold = Effect.fnUntraced(function* (heartbeatSeconds = 20) {
  const held = yield* Queue.unbounded<{ readonly d: Delivery; readonly lease: Lease }>()
  const options = { ...durable, heartbeatSeconds, capacity: 10 }
  const fiber = yield* Effect.forkScoped(
    Consumer.use((c) => c.leases(options, (d, lease) => Effect.asVoid(Queue.offer(held, { d, lease }))))
  )
  return { held, fiber }
})

/** Another process on the same server, with what its link does to its requests. */
const otherProcess = (faultOf: (operation: string) => MemoryFault, isSevered = () => false) =>
  Layer.build(
    Layer.fresh(Bus.layerAttached).pipe(
      Layer.provide(
        Layer.succeed(MemoryLink, { faultOf: (r) => faultOf(r.operation), latencyMillis: () => 0, isSevered })
      )
    )
  )

/** The fault for the first `times` requests of an operation. */
const first = (operation: string, times: number, fault: MemoryFault) => {
  let left = times
  return (asked: string): MemoryFault => (asked === operation && left-- > 0 ? fault : "none")
}

type Services = Layer.Success<typeof Bus.layerMemory> | Scope.Scope

/** A test on a server of its own, in virtual time. */
const onServer = <A, E>(name: string, body: Effect.Effect<A, E, Services>) =>
  it.effect(name, () =>
    Topology.use((topology) => topology.ensure(spec)).pipe(
      Effect.andThen(body),
      Effect.provide(Bus.layerMemory),
      Effect.provideService(References.MinimumLogLevel, "Fatal")
    )
  )

describe("leases in virtual time", () => {
  onServer(
    "never acknowledged, never heart-beaten: comes again when the ack wait is over, not a millisecond before",
    Effect.gen(function* () {
      yield* publish("a")
      let severed = false
      const ports = yield* otherProcess(
        () => "none",
        () => severed
      )
      const dying = yield* hold().pipe(Effect.provideContext(ports))
      yield* Queue.take(dying.held)
      severed = true
      const { held } = yield* hold()
      yield* TestClock.adjust(59_999)
      assert.strictEqual(yield* Queue.size(held), 0)
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Queue.take(held)).d.deliveries, 2)
    })
  )

  onServer(
    "the heart-beat holds a lease for an hour",
    Effect.gen(function* () {
      yield* publish("a")
      const { held } = yield* hold()
      const { lease } = yield* Queue.take(held)
      yield* TestClock.adjust("59 minutes")
      assert.deepStrictEqual([lease.isHeld(), lease.deliveries(), yield* Queue.size(held)], [true, 1, 0])
    })
  )

  onServer(
    "a message that has aged out of its stream is not handed out again",
    Effect.gen(function* () {
      yield* publish("a")
      const { held } = yield* hold()
      const { lease } = yield* Queue.take(held)
      yield* lease.nak(3_600_000)
      yield* TestClock.adjust("2 hours")
      assert.strictEqual(yield* Queue.size(held), 0)
      assert.strictEqual(yield* MemoryServer.use((server) => server.unacked("S", "w")), 0)
    })
  )
})

describe("consumers in virtual time", () => {
  onServer(
    "a durable that is missing for a minute ends the run, one that is created again in time does not",
    Effect.gen(function* () {
      const { state } = yield* MemoryServer
      const seen = yield* Queue.unbounded<string>()
      const run = Consumer.use((c) => c.run(runOptions, (d) => Effect.as(Queue.offer(seen, text(d)), Verdict.ack)))
      const fiber = yield* Effect.forkScoped(run)
      state.deleteConsumer("S", "w")
      yield* TestClock.adjust("50 seconds")
      yield* Topology.use((topology) => topology.ensure(spec))
      yield* publish("a")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Queue.take(seen), "a")
      state.deleteConsumer("S", "w")
      yield* TestClock.adjust("70 seconds")
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.strictEqual(error.reason, "Missing")
      assert.include(error.message, "create the topology")
    })
  )

  onServer(
    "a message whose dead letter cannot be stored is not dropped: it comes again",
    Effect.gen(function* () {
      yield* publish("a")
      const ports = yield* otherProcess(first("publish", 60, "requestLost"))
      const tries = yield* Queue.unbounded<number>()
      const handler = (d: Delivery) => Effect.as(Queue.offer(tries, d.deliveries), Verdict.dead("no"))
      yield* Effect.forkScoped(Consumer.use((c) => c.run(runOptions, handler)).pipe(Effect.provideContext(ports)))
      yield* TestClock.adjust("29 seconds")
      assert.deepStrictEqual([yield* Queue.size(tries), (yield* stored("DEAD")).length], [1, 0])
      yield* TestClock.adjust("2 minutes")
      const copies = yield* stored("DEAD")
      assert.strictEqual(copies.length, 1)
      assert.strictEqual(copies[0]?.headers["Fleet-Dead-Deliveries"], String(yield* Queue.size(tries)))
    })
  )

  onServer(
    "a replay reads no further ahead than its buffer, and goes on after the server has forgotten its consumer",
    Effect.gen(function* () {
      yield* Effect.forEach(
        Array.from({ length: 1_200 }, (_, i) => `m${i}`),
        (token) => publish(token)
      )
      const { state } = yield* MemoryServer
      const gate = yield* Queue.unbounded<void>()
      const reader = yield* Messages.use(({ replay }) =>
        replay({ stream: "S", subject: ">", follow: true }).pipe(
          Stream.tap(() => Queue.take(gate)),
          Stream.take(1_200),
          Stream.runCollect
        )
      ).pipe(Effect.forkChild)
      const replays = () => state.consumersOf("S").filter(({ config }) => !config.durable)
      yield* Effect.repeat(Effect.yieldNow, { until: () => replays()[0]?.pending === 200 })
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(replays(), [])
      yield* Queue.offerAll(
        gate,
        Array.from({ length: 1_200 }, () => undefined)
      )
      yield* Effect.repeat(TestClock.adjust("1 second"), { until: () => reader.pollUnsafe() !== undefined })
      const seqs = (yield* Fiber.join(reader)).map(({ seq }) => seq)
      assert.deepStrictEqual(
        seqs,
        Array.from({ length: 1_200 }, (_, i) => i + 1)
      )
    })
  )
})

describe("lost answers", () => {
  onServer(
    "append: our message is stored, another is appended behind it before we ask again: it is still ours",
    Effect.gen(function* () {
      const log = (data: string) => ({ stream: "S", subject: "s.log", data })
      const ports = yield* otherProcess(first("publish", 1, "answerLost"))
      const ours = yield* Effect.forkChild(
        Publisher.use((p) => p.append(log("ours"), 0)).pipe(Effect.provideContext(ports))
      )
      yield* Effect.repeat(stored("S"), { until: (messages) => messages.length === 1 })
      yield* Publisher.use((p) => p.append(log("theirs"), 1))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(ours), 1)
    })
  )

  onServer(
    "update: our value was replaced before we ask again: a conflict, to be decided again",
    Effect.gen(function* () {
      const ports = yield* otherProcess(first("publish", 1, "answerLost"))
      const bucket = yield* Buckets.use((buckets) => buckets.open("b"))
      const revision = yield* bucket.create("k", "0")
      const other = yield* Buckets.use((buckets) => buckets.open("b")).pipe(Effect.provideContext(ports))
      const ours = yield* Effect.forkChild(Effect.flip(other.update("k", "ours", revision)))
      const lost = yield* Effect.repeat(bucket.get("k"), {
        until: Option.exists((entry) => entry.revision > revision)
      })
      yield* bucket.update("k", "theirs", Option.getOrThrow(lost).revision)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(ours))._tag, "RevisionConflict")
    })
  )
})

describe("streams in virtual time", () => {
  onServer(
    "messages age out, ids are forgotten after their window, `discard: old` drops the oldest",
    Effect.gen(function* () {
      const { state } = yield* MemoryServer
      const old = { name: "OLD", subjects: ["old.*"], maxAgeSeconds: 10, maxBytes: 30, discard: "old" } as const
      const config = { ...old, maxMessageBytes: -1, maxMessagesPerSubject: -1, duplicateWindowSeconds: 5, replicas: 1 }
      state.createStream(config)
      const put = (data: string, messageId?: string) =>
        state.publish({
          subject: "old.a",
          data: new TextEncoder().encode(data),
          headers: {},
          ...(messageId === undefined ? {} : { messageId })
        })
      assert.deepInclude(put("0123456789", "id"), { seq: 1, duplicate: false })
      yield* TestClock.adjust(4_999)
      assert.deepInclude(put("0123456789", "id"), { seq: 1, duplicate: true })
      yield* TestClock.adjust(1)
      assert.deepInclude(put("0123456789", "id"), { seq: 2, duplicate: false })
      put("0123456789")
      put("0123456789")
      assert.deepStrictEqual(
        (yield* stored("OLD")).map(({ seq }) => seq),
        [2, 3, 4]
      )
      yield* TestClock.adjust(10_000)
      assert.deepStrictEqual(yield* stored("OLD"), [])
    })
  )

  onServer(
    "a severed link: nothing arrives and nothing is told",
    Effect.gen(function* () {
      let severed = false
      const ports = yield* otherProcess(
        () => "none",
        () => severed
      )
      severed = true
      const error = yield* Effect.flip(publish("a").pipe(Effect.provideContext(ports)))
      assert.deepInclude(error, { _tag: "BusUnavailable", reason: "Closed" })
      assert.deepStrictEqual(yield* stored("S"), [])
    })
  )
})
