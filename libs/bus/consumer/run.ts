import { Clock, Duration, Effect, Fiber, Metric, type Scope } from "effect"
import type { BusUnavailable } from "#bus/BusError.ts"
import type { BusMessage, Delivery } from "#bus/Message.ts"
import { messages, messageWaitSeconds } from "#bus/metrics.ts"
import type { Publishing } from "#bus/publishing.ts"
import type { Verdict } from "#bus/Verdict.ts"
import type { WireDelivery } from "#bus/wire/Wire.ts"
import { attempts } from "./attempts.ts"
import { publishDead } from "./deadLetter.ts"
import { openIntake } from "./intake.ts"
import { makeWorkers, type Workers } from "./workers.ts"

export interface DurableOptions {
  readonly stream: string
  readonly durable: string
  /** Where the copy of a message goes that ends in `Dead`. */
  readonly deadSubject: (m: BusMessage) => string
  /** The stream that takes `deadSubject`. */
  readonly deadStream: string
  /** How often a handler that dies with a defect is tried in process before its message is dead. Default 3. */
  readonly defectTries?: number
}

export interface ConsumeOptions extends DurableOptions {
  /** How many messages are handled at a time; as many more are fetched ahead. */
  readonly concurrency: number
  /** The consumer's ack wait; messages in hand are heart-beaten each third of it. */
  readonly ackWaitSeconds: number
  /** How long handlers in hand may go on after an interruption. Default 4: half of the time a process has to end. */
  readonly drainSeconds?: number
}

export const defaultDefectTries = 3
const defaultDrainSeconds = 4
/** When the dead letters cannot be reached, the message comes again after this time. */
export const deadRetryMillis = 5_000

/** A message that was handed to us and is not settled: waiting or being handled. */
interface Hand {
  readonly delivery: Delivery
  /** The newest reply subject: a message handed to us again while in hand is the same work, not more work. */
  reply: string
  started: boolean
}

type Handler<R> = (d: Delivery) => Effect.Effect<Verdict, never, R>

interface Run<R> {
  readonly deps: Publishing
  readonly options: ConsumeOptions
  readonly handler: Handler<R>
  /** By stream sequence. */
  readonly hands: Map<number, Hand>
  ending: boolean
}

export const runConsumer = <R>(
  deps: Publishing,
  options: ConsumeOptions,
  handler: Handler<R>
): Effect.Effect<never, BusUnavailable, R> =>
  Effect.scoped(consume({ deps, options, handler, hands: new Map(), ending: false }))

/*
 * The order of the scope's finalizers is the order of an orderly end, read from the bottom: take in what is on the way
 * and hand back what was not started; wait for handlers in hand; interrupt what is left (each hands its message back);
 * end the heart-beats; make sure that the server has all of it.
 */
const consume = Effect.fnUntraced(function* <R>(run: Run<R>): Effect.fn.Return<never, BusUnavailable, R | Scope.Scope> {
  const { deps, options, hands } = run
  yield* Effect.addFinalizer(() => deps.wire.flush)
  const beat = yield* Effect.forkScoped(heartbeat(run))
  const workers: Workers<Hand, R> = yield* makeWorkers(options.concurrency, (hand: Hand) =>
    work(run, hand, intake.freed)
  )
  const capacity = 2 * options.concurrency
  const intake = yield* openIntake(deps, {
    stream: options.stream,
    consumer: options.durable,
    room: () => capacity - hands.size,
    threshold: options.concurrency,
    onDelivery: (d) => receive(run, workers, d)
  })
  yield* Effect.addFinalizer(() => drain(run, intake.stop, workers.idle))
  return yield* Effect.raceAllFirst([intake.run, workers.run, Fiber.join(beat)])
})

const receive = <R>(run: Run<R>, workers: Workers<Hand, R>, { reply, ...d }: WireDelivery): void => {
  const known = run.hands.get(d.seq)
  if (known !== undefined) {
    known.reply = reply
    return
  }
  const hand: Hand = { delivery: d, reply, started: false }
  run.hands.set(d.seq, hand)
  workers.submit(hand)
}

const work = <R>(run: Run<R>, hand: Hand, freed: () => void): Effect.Effect<void, never, R> =>
  Effect.suspend(() => {
    if (run.ending) return Effect.void
    hand.started = true
    return handleOne(run, hand)
  }).pipe(
    Effect.ensuring(
      Effect.sync(() => {
        if (run.hands.delete(hand.delivery.seq)) run.deps.wire.settle([hand.reply], { nakDelayMillis: 0 })
        freed()
      })
    )
  )

const handleOne = Effect.fnUntraced(function* <R>(run: Run<R>, hand: Hand): Effect.fn.Return<void, never, R> {
  const { deps, options, handler } = run
  const tries = options.defectTries ?? defaultDefectTries
  yield* countWait(options.durable, hand.delivery)
  const handled = yield* attempts(options.durable, tries, hand.delivery, handler(hand.delivery))
  const verdict: Verdict = handled._tag === "Done" ? handled.value : { _tag: "Dead", reason: handled.reason }
  yield* countMessage(options.durable, verdict)
  const kind = yield* ackKindOf(deps, options, hand.delivery, verdict)
  if (run.hands.delete(hand.delivery.seq)) deps.wire.settle([hand.reply], kind)
})

const verdictNames = { Ack: "ack", Nak: "nak", Dead: "dead" } as const

const countMessage = (consumer: string, { _tag }: Verdict): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(messages, { consumer, verdict: verdictNames[_tag] }), 1)

/** Of one that comes again the time since it was stored says nothing of the backlog. */
const countWait = (consumer: string, { deliveries, time }: Delivery): Effect.Effect<void> =>
  deliveries > 1
    ? Effect.void
    : Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Metric.update(Metric.withAttributes(messageWaitSeconds, { consumer }), Math.max(0, now - time) / 1000)
      )

/** What is told to the server; a message is terminated only after its copy is safe. */
const ackKindOf = Effect.fnUntraced(function* (
  deps: Publishing,
  options: DurableOptions,
  d: Delivery,
  verdict: Verdict
) {
  if (verdict._tag === "Ack") return "ack" as const
  if (verdict._tag === "Nak") return { nakDelayMillis: verdict.delayMillis }
  return yield* bury(deps, options, d, verdict.reason)
})

export const bury = (deps: Publishing, options: DurableOptions, d: Delivery, reason: string) =>
  publishDead(deps, options, d, reason).pipe(
    Effect.as("term" as const),
    Effect.catch((error) =>
      Effect.as(
        Effect.logError(`no dead letter for ${d.subject} (${d.stream}:${d.seq}), it comes again: ${error.message}`),
        { nakDelayMillis: deadRetryMillis }
      )
    )
  )

const heartbeat = Effect.fnUntraced(function* <R>({ deps, options, hands }: Run<R>): Effect.fn.Return<never> {
  const intervalMillis = (options.ackWaitSeconds * 1_000) / 3
  while (true) {
    yield* Effect.sleep(intervalMillis)
    deps.wire.settle(
      Array.from(hands.values(), (hand) => hand.reply),
      "working"
    )
  }
})

const drain = Effect.fnUntraced(function* <R>(run: Run<R>, stop: Effect.Effect<void>, idle: Effect.Effect<void>) {
  run.ending = true
  yield* stop
  const waiting = [...run.hands.values()].filter((hand) => !hand.started)
  for (const hand of waiting) run.hands.delete(hand.delivery.seq)
  run.deps.wire.settle(
    waiting.map((hand) => hand.reply),
    { nakDelayMillis: 0 }
  )
  yield* Effect.timeoutOption(idle, Duration.seconds(run.options.drainSeconds ?? defaultDrainSeconds))
})
