import { type Cause, Deferred, Effect, Latch, Option, Queue, Random, type Scope, Stream } from "effect"
import type { BusUnavailable } from "./BusError.ts"
import type { BusSettingsShape } from "./BusSettings.ts"
import type { BusMessage } from "./Message.ts"
import { patiently, pauseMillis, unavailable } from "./patience.ts"
import type { Pull, WireConsumerInfo, WireDelivery, WireShape } from "./wire/Wire.ts"

/*
 * Reading a stream in order, without loss and without doubling, over restarts and elections. The server-side consumer
 * lives in memory and vanishes with its server, or when this process was frozen; what it had sent by then may be lost.
 * So nothing is believed but the numbers: each delivery carries the consumer's running number, and at the first gap, or
 * whenever a request breaks, a new consumer is made that starts behind the last message that was given. Consumers are
 * deleted when the stream's scope ends; a server keeps the one of a process that died for `replayInactiveSeconds`.
 */

export interface ReplayOptions {
  readonly stream: string
  /** A subject, wildcards allowed. */
  readonly subject: string
  /** Default: from the oldest message on. */
  readonly fromSeq?: number
  /** True: goes on with what is published from now on, for ever. False: ends. */
  readonly follow: boolean
}

export interface ReadOptions extends ReplayOptions {
  /** With `follow: false`: what was stored at the start is enough, or everything until nothing more is stored. */
  readonly end: "stored" | "caughtUp"
  readonly headersOnly: boolean
}

interface Deps {
  readonly wire: WireShape
  readonly settings: BusSettingsShape
}

interface Reading {
  readonly deps: Deps
  readonly options: ReadOptions
  readonly queue: Queue.Queue<BusMessage, BusUnavailable | Cause.Done>
  /** Opened when the reader has taken something. */
  readonly taken: Latch.Latch
  /** Names of consumers that may still exist on the server. */
  readonly consumers: Set<string>
  nextSeq: number
  /** How many messages are to come until the end; undefined before the first look, or when there is no end. */
  left: number | undefined
}

export const read = (deps: Deps, options: ReadOptions): Stream.Stream<BusMessage, BusUnavailable> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const reading: Reading = {
        deps,
        options,
        queue: yield* Queue.unbounded<BusMessage, BusUnavailable | Cause.Done>(),
        taken: Latch.makeUnsafe(),
        consumers: new Set(),
        nextSeq: options.fromSeq ?? 1,
        left: undefined
      }
      yield* Effect.addFinalizer(() => deleteConsumers(reading))
      yield* Effect.forkScoped(Queue.into(feed(reading), reading.queue))
      return Stream.fromQueue(reading.queue).pipe(
        Stream.mapArray((messages) => {
          reading.taken.openUnsafe()
          return messages
        })
      )
    })
  )

/** One consumer after the other until the end. */
const feed = Effect.fnUntraced(function* (reading: Reading): Effect.fn.Return<void, BusUnavailable> {
  const { settings } = reading.deps
  for (let fruitless = 0; ; ) {
    const from = reading.nextSeq
    if ((yield* Effect.scoped(readWithOneConsumer(reading))) === "ended") return
    fruitless = reading.nextSeq > from ? 0 : fruitless + 1
    yield* Effect.sleep(pauseMillis(settings, fruitless, yield* Random.next))
  }
})

type Outcome = "ended" | "broken"

const readWithOneConsumer = Effect.fnUntraced(function* (
  reading: Reading
): Effect.fn.Return<Outcome, BusUnavailable, Scope.Scope> {
  const { deps, options } = reading
  const failed = unavailable(`replay ${options.subject} of ${options.stream}`)
  const name = `replay-${(yield* Random.nextInt).toString(36).replace("-", "")}`
  const info = yield* createConsumer(reading, name).pipe(Effect.mapError(failed))
  yield* deleteConsumers(reading, name)
  if (!options.follow) reading.left = leftAfterLook(reading, info)
  if (reading.left === 0) return "ended"
  const outcome = Deferred.makeUnsafe<Outcome>()
  const onDelivery = deliverInOrder(reading, (end) => Deferred.doneUnsafe(outcome, Effect.succeed(end)))
  const pull = yield* deps.wire
    .openPull({ stream: options.stream, consumer: name, onDelivery })
    .pipe(Effect.mapError(failed))
  return yield* Effect.raceFirst(Deferred.await(outcome), pullAll(reading, name, pull).pipe(Effect.mapError(failed)))
})

const createConsumer = ({ deps: { wire, settings }, options, consumers, nextSeq }: Reading, name: string) => {
  consumers.add(name)
  const creation = wire.createConsumer(options.stream, {
    name,
    durable: false,
    ack: "none",
    fromSeq: nextSeq,
    inactiveSeconds: settings.replayInactiveSeconds,
    ...(options.subject === ">" ? {} : { filterSubject: options.subject }),
    ...(options.headersOnly ? { headersOnly: true } : {})
  })
  return patiently(settings, creation)
}

const leftAfterLook = ({ left, options }: Reading, { pending }: WireConsumerInfo): number =>
  options.end === "caughtUp" || left === undefined ? pending : Math.min(left, pending)

/** Takes deliveries as long as none is missing between them. */
const deliverInOrder = (reading: Reading, finish: (outcome: Outcome) => void) => {
  let expected = 1
  let finished = false
  const end = (outcome: Outcome) => {
    finished = true
    finish(outcome)
  }
  return ({ reply: _reply, deliverySeq, pending, deliveries: _deliveries, ...message }: WireDelivery): void => {
    if (finished) return
    if (deliverySeq !== expected) return end("broken")
    expected++
    reading.nextSeq = message.seq + 1
    Queue.offerUnsafe(reading.queue, message)
    if (reading.options.follow) return
    reading.left = reading.options.end === "stored" ? Math.min((reading.left ?? 1) - 1, pending) : pending
    if (reading.left === 0) end("ended")
  }
}

const pullAll = Effect.fnUntraced(function* (reading: Reading, name: string, pull: Pull) {
  const { deps, options } = reading
  while (true) {
    const end = yield* pull.request(yield* awaitRoom(reading))
    if (end === "broken") return end
    if (end === "filled" || options.follow) continue
    const info = yield* patiently(deps.settings, deps.wire.consumer(options.stream, name))
    if (Option.isNone(info)) return "broken" as const
    if (info.value.pending === 0) return "ended" as const
  }
})

const awaitRoom = Effect.fnUntraced(function* ({ deps: { settings }, queue, taken }: Reading) {
  const room = () => Math.min(settings.replayBufferMessages - Queue.sizeUnsafe(queue), settings.pullMaxMessages)
  while (room() <= 0) {
    taken.closeUnsafe()
    yield* taken.await
  }
  return room()
})

const deleteTimeoutMillis = 2_000

/** Deletes the consumers of this reading but `keep`; one that cannot be reached now is tried again, or is forgotten by the server. */
const deleteConsumers = ({ deps, options, consumers }: Reading, keep?: string): Effect.Effect<void> =>
  Effect.forEach(
    [...consumers].filter((name) => name !== keep),
    (name) =>
      deps.wire.deleteConsumer(options.stream, name).pipe(
        Effect.catchIf(
          (error) => error.fault === "missing",
          () => Effect.void
        ),
        Effect.andThen(Effect.sync(() => consumers.delete(name))),
        Effect.ignore
      ),
    { concurrency: "unbounded", discard: true }
  ).pipe(Effect.timeoutOption(deleteTimeoutMillis), Effect.asVoid)
