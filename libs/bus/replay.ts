import { type Cause, Deferred, Effect, Latch, Option, Queue, Random, type Scope, Stream } from "effect"
import type { BusUnavailable } from "./BusError.ts"
import type { BusSettingsShape } from "./BusSettings.ts"
import { createEphemeral } from "./ephemeral.ts"
import type { BusMessage } from "./Message.ts"
import { patiently, pauseMillis, unavailable } from "./patience.ts"
import type { Pull, WireDelivery, WireError, WireShape } from "./wire/Wire.ts"

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
  /** Epoch milliseconds: from the first message on that was stored then or later. Not together with `fromSeq`. */
  readonly fromTimeMillis?: number
  /** True: goes on with what is published from now on, for ever. False: ends. */
  readonly follow: boolean
}

export interface ReadOptions extends ReplayOptions {
  /**
   * How often, having read what was stored at the start, it reads on to what is stored by then (`follow: false` only).
   * Needed where messages are replaced: one that was replaced before it was read has moved behind the end.
   */
  readonly moreRounds: number
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
  /** The sequence that has to be read, or to be passed, for the end of this round; infinite when there is no end. */
  goal: number
  roundsLeft: number
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
        goal: Number.POSITIVE_INFINITY,
        roundsLeft: options.moreRounds
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
  if (!reading.options.follow) {
    reading.goal = yield* lastSeq(reading).pipe(Effect.mapError(failure(reading)))
    if (reading.goal < reading.nextSeq) return
  }
  for (let fruitless = 0; ; ) {
    const from = reading.nextSeq
    if ((yield* Effect.scoped(readWithOneConsumer(reading))) === "ended") return
    fruitless = reading.nextSeq > from ? 0 : fruitless + 1
    yield* Effect.sleep(pauseMillis(settings, fruitless, yield* Random.next))
  }
})

type Outcome = "ended" | "broken"

const failure = ({ options }: Reading) => unavailable(`replay ${options.subject} of ${options.stream}`)

/** The first message that is stored now and not read. */
const nextStored = ({ deps: { wire, settings }, options, nextSeq }: Reading) =>
  patiently(settings, wire.next(options.stream, options.subject, nextSeq))

/**
 * The sequence of the last message that is stored now; 0 = none that is young enough. nats-server answers a question for the last message of
 * `>` with "none" when the very last one was deleted; if there are others, there is no goal, but still an end.
 */
const lastSeq = Effect.fnUntraced(function* (reading: Reading): Effect.fn.Return<number, WireError> {
  const { deps, options } = reading
  const last = yield* patiently(deps.settings, deps.wire.last(options.stream, options.subject))
  if (Option.isSome(last)) return last.value.time < (options.fromTimeMillis ?? 0) ? 0 : last.value.seq
  if (options.subject !== ">") return 0
  return Option.isNone(yield* nextStored(reading)) ? 0 : Number.POSITIVE_INFINITY
})

const readWithOneConsumer = Effect.fnUntraced(function* (
  reading: Reading
): Effect.fn.Return<Outcome, BusUnavailable, Scope.Scope> {
  const failed = failure(reading)
  const name = yield* createConsumer(reading).pipe(Effect.mapError(failed))
  yield* Effect.forkScoped(deleteConsumers(reading, name))
  const session: Session = { expected: 1, outcome: Deferred.makeUnsafe(), perhapsEnded: Latch.makeUnsafe() }
  const onDelivery = (d: WireDelivery) => deliverInOrder(reading, session, d)
  const pull = yield* reading.deps.wire
    .openPull({ stream: reading.options.stream, consumer: name, onDelivery })
    .pipe(Effect.mapError(failed))
  return yield* Effect.raceAllFirst([
    Deferred.await(session.outcome),
    pullAll(reading, session, pull).pipe(Effect.mapError(failed)),
    watchForEnd(reading, session).pipe(Effect.mapError(failed))
  ])
})

/** Reading with one consumer. */
interface Session {
  /** The running number the next delivery must have. */
  expected: number
  readonly outcome: Deferred.Deferred<Outcome>
  /** Opened when the end may have been reached, which only the stream's leader knows. */
  readonly perhapsEnded: Latch.Latch
}

const createConsumer = ({ deps: { wire, settings }, options, consumers, nextSeq }: Reading) => {
  const isAtStart = nextSeq === 1
  return createEphemeral(settings, "replay", (name) => {
    consumers.add(name)
    return wire.createConsumer(options.stream, {
      name,
      durable: false,
      ack: "none",
      ...(isAtStart && options.fromTimeMillis !== undefined
        ? { fromTimeMillis: options.fromTimeMillis }
        : { fromSeq: nextSeq }),
      inactiveSeconds: settings.replayInactiveSeconds,
      ...(options.subject === ">" ? {} : { filterSubject: options.subject }),
      ...(options.headersOnly ? { headersOnly: true } : {})
    })
  })
}

/** Takes deliveries as long as none is missing between them. */
const deliverInOrder = (reading: Reading, session: Session, delivery: WireDelivery): void => {
  if (Deferred.isDoneUnsafe(session.outcome)) return
  const { reply: _reply, deliverySeq, pending, deliveries: _deliveries, ...message } = delivery
  if (deliverySeq !== session.expected++) return finish(session, "broken")
  reading.nextSeq = message.seq + 1
  Queue.offerUnsafe(reading.queue, message)
  if (reading.options.follow) return
  const reached = reading.nextSeq > reading.goal
  if (reached && reading.roundsLeft === 0) finish(session, "ended")
  else if (reached || pending === 0) session.perhapsEnded.openUnsafe()
}

const finish = (session: Session, outcome: Outcome): void => {
  Deferred.doneUnsafe(session.outcome, Effect.succeed(outcome))
}

/** What a delivery says about messages behind it may be out of date: asks the leader, who answers for one moment. */
const watchForEnd = Effect.fnUntraced(function* (reading: Reading, session: Session) {
  while (true) {
    yield* session.perhapsEnded.await
    session.perhapsEnded.closeUnsafe()
    const reached = reading.nextSeq > reading.goal
    if (Option.isNone(yield* nextStored(reading))) return "ended" as const
    if (!reached) continue
    reading.goal = yield* lastSeq(reading)
    reading.roundsLeft--
  }
})

const pullAll = Effect.fnUntraced(function* (reading: Reading, session: Session, pull: Pull) {
  while (true) {
    const end = yield* pull.request(yield* awaitRoom(reading))
    if (end === "broken") return end
    if (end === "expired" && !reading.options.follow) session.perhapsEnded.openUnsafe()
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
