import type { Vitest } from "@effect/vitest"
import { Effect, Queue, References, Schedule, Stream } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { Consumer, type Delivery, type Lease, type LeaseOptions } from "#bus/Consumer.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { type Outgoing, Publisher } from "#bus/Publisher.ts"
import type { ConsumerSpec, StreamSpec, TopologySpec } from "#bus/Topology.ts"
import { Topology } from "#bus/Topology.ts"
import { type BenchServices, BusBench, type Client } from "./bus.bench.ts"

/** What a part of the suite defines its tests with. */
export type BusIt = Vitest.MethodsNonLive<BenchServices>

let rooms = 0

/** Streams of a test's own on the shared server. */
export interface Room {
  readonly spec: TopologySpec
  readonly stream: string
  readonly deadStream: string
  readonly bucket: string
  /** A message for subject `<room>.<token>`. */
  readonly message: (token: string, data?: string) => Outgoing
}

export interface RoomOptions {
  readonly stream?: Partial<StreamSpec>
  readonly consumer?: Partial<ConsumerSpec>
}

/** The durable of every room. */
export const durable = "worker"

/** Creates a stream, its dead letters, a bucket and a durable consumer that nobody else uses. */
export const openRoom = Effect.fnUntraced(function* (options: RoomOptions = {}) {
  const room = roomOf(`room${++rooms}`, options)
  yield* (yield* Topology).ensure(room.spec)
  return room
})

export const roomOf = (name: string, options: RoomOptions = {}): Room => {
  const limits = { maxAgeSeconds: 3_600, maxBytes: -1, discard: "old", maxMessageBytes: -1 } as const
  const stream = name.toUpperCase()
  const deadStream = `${stream}_DEAD`
  const spec: TopologySpec = {
    revision: 1,
    replicas: 1,
    metaBucket: `${name}-meta`,
    streams: [
      { name: stream, subjects: [`${name}.*`], ...limits, ...options.stream },
      { name: deadStream, subjects: [`dead.${name}.*`], ...limits }
    ],
    buckets: [{ name }],
    consumers: [{ stream, name: durable, ackWaitSeconds: 30, maxAckPending: 1_000, ...options.consumer }]
  }
  return {
    spec,
    stream,
    deadStream,
    bucket: name,
    message: (token, data = token) => ({ stream, subject: `${name}.${token}`, data })
  }
}

/** The options of `Consumer.run` and `leases` that are the same in every test. */
export const durableOptions = (room: Room) => ({
  stream: room.stream,
  durable,
  deadStream: room.deadStream,
  deadSubject: (m: { readonly subject: string }) => `dead.${m.subject}`
})

/** Publishes `count` messages `<room>.m1`, `m2` … and returns their data. */
export const publishMany = Effect.fnUntraced(function* (room: Room, count: number, first = 1) {
  const publisher = yield* Publisher
  const tokens = Array.from({ length: count }, (_, i) => `m${first + i}`)
  yield* Effect.forEach(tokens, (token) => publisher.publish(room.message(token)))
  return tokens
})

/** Everything stored in a stream now. */
export const storedIn = Effect.fnUntraced(function* (stream: string) {
  return yield* (yield* Messages).replay({ stream, subject: ">", follow: false }).pipe(Stream.runCollect)
})

export const textsIn = (stream: string) => Effect.map(storedIn(stream), (messages) => messages.map(text))

/** Looks again and again until the fact holds; the test's own timeout is the only limit. */
export const until = <A, E, R>(look: Effect.Effect<A, E, R>, holds: (value: A) => boolean) =>
  look.pipe(Effect.repeat({ until: holds, schedule: Schedule.spaced("10 millis") }))

/** Waits until the durable of a room has so many un-acknowledged messages. */
export const untilUnacked = (room: Room, count: number) =>
  Effect.flatMap(BusBench, (bench) => until(bench.unacked(room.stream, durable), (n) => n === count))

/** Runs an effect with another client's ports. */
export const as =
  (client: Client) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.provideContext(self, client.ports)

export const startClient = Effect.flatMap(BusBench, (bench) => bench.startClient)

export const openBucket = (room: Room) => Effect.flatMap(Buckets, (buckets) => buckets.open(room.bucket))

/** For tests in which handlers die on purpose. */
export const quiet = Effect.provideService(References.MinimumLogLevel, "Fatal")

export interface Held {
  readonly d: Delivery
  readonly lease: Lease
}

/** Holds leases until the scope ends; what is newly held comes out of the queue. */
export const hold = Effect.fnUntraced(function* (room: Room, more: Partial<LeaseOptions> = {}) {
  const held = yield* Queue.unbounded<Held>()
  const options = { ...durableOptions(room), heartbeatSeconds: 10, capacity: 100, ...more }
  const fiber = yield* Effect.forkScoped(
    Consumer.use((c) => c.leases(options, (d, lease) => Effect.asVoid(Queue.offer(held, { d, lease }))))
  )
  return { held, fiber }
})
