import { Effect, Fiber, Option, type Scope } from "effect"
import type { BusUnavailable } from "#bus/BusError.ts"
import type { BusMessage, Delivery } from "#bus/Message.ts"
import { patiently } from "#bus/patience.ts"
import type { Publishing } from "#bus/publishing.ts"
import type { AckKind, WireDelivery } from "#bus/wire/Wire.ts"
import { attempts } from "./attempts.ts"
import { type Intake, openIntake } from "./intake.ts"
import { bury, type DurableOptions, deadRetryMillis, defaultDefectTries } from "./run.ts"
import { makeWorkers } from "./workers.ts"

export interface LeaseOptions extends DurableOptions {
  /** Every held lease is heart-beaten once in this time; a third of the consumer's ack wait. */
  readonly heartbeatSeconds: number
  /** Upper bound of leases held by this process. */
  readonly capacity: number
  /** How many `onLease` run at a time. Default 64. */
  readonly concurrency?: number
}

/**
 * A message held un-acked: as long as it is, it is ours. There is no fence: a holder that was frozen for longer than the
 * ack wait may believe in a lease that somebody else has by now, so what both do must be idempotent.
 */
export interface Lease {
  /** The message without data and headers: what a holder of 100,000 leases can afford to keep. */
  readonly message: Omit<BusMessage, "data" | "headers">
  /** Deliveries so far; rises when the message is handed to us again while we hold it. */
  readonly deliveries: () => number
  /** Gives the message back as done. Nothing happens if it is not held any more; so with the next two. */
  readonly ack: Effect.Effect<void>
  /** Hands the message to any replica after the delay. */
  readonly nak: (delayMillis: number) => Effect.Effect<void>
  /** Puts a copy of the message, read again from its stream, to the dead letters, then ends the lease. */
  readonly dead: (reason: string) => Effect.Effect<void>
  /** False once it was given back, or the run that held it has ended. */
  readonly isHeld: () => boolean
}

const defaultConcurrency = 64
/** Heart-beats of many leases are spread over the interval in so many portions at most. */
const maxPortions = 80

interface Held {
  readonly message: Lease["message"]
  reply: string
  deliveries: number
}

type OnLease<R> = (d: Delivery, lease: Lease) => Effect.Effect<void, never, R>

interface State {
  readonly deps: Publishing
  readonly options: LeaseOptions
  /** By stream sequence. */
  readonly held: Map<number, Held>
  /** The held leases by the portion of the interval in which they are heart-beaten. */
  readonly portions: ReadonlyArray<Set<Held>>
  freed: () => void
  ending: boolean
}

export const runLeases = <R>(
  deps: Publishing,
  options: LeaseOptions,
  onLease: OnLease<R>
): Effect.Effect<never, BusUnavailable, R> => {
  const count = portionCount(options.heartbeatSeconds, deps.settings.heartbeatStepMillis)
  const portions = Array.from({ length: count }, () => new Set<Held>())
  const state: State = { deps, options, held: new Map(), portions, freed: () => {}, ending: false }
  return Effect.scoped(hold(state, onLease))
}

export const portionCount = (heartbeatSeconds: number, stepMillis: number): number =>
  Math.max(1, Math.min(maxPortions, Math.floor((heartbeatSeconds * 1_000) / stepMillis)))

const hold = Effect.fnUntraced(function* <R>(
  state: State,
  onLease: OnLease<R>
): Effect.fn.Return<never, BusUnavailable, R | Scope.Scope> {
  const { deps, options, held } = state
  const concurrency = options.concurrency ?? defaultConcurrency
  const workers = yield* makeWorkers(concurrency, (d: Delivery) => start(state, onLease, d))
  const beat = yield* Effect.forkScoped(heartbeat(state))
  const intake = yield* openIntake(deps, {
    stream: options.stream,
    consumer: options.durable,
    room: () => options.capacity - held.size,
    threshold: 1,
    onDelivery: (d) => receive(state, workers.submit, d)
  })
  state.freed = intake.freed
  yield* Effect.addFinalizer(() => handBack(state, intake))
  return yield* Effect.raceAllFirst([intake.run, workers.run, Fiber.join(beat)])
})

const receive = (state: State, submit: (d: Delivery) => void, { reply, ...d }: WireDelivery): void => {
  const { held, deps, options, portions } = state
  const known = held.get(d.seq)
  if (known !== undefined) {
    known.reply = reply
    known.deliveries = d.deliveries
    return
  }
  if (held.size >= options.capacity && !state.ending) return deps.wire.settle([reply], { nakDelayMillis: 0 })
  const { stream, subject, seq, time } = d
  const lease: Held = { message: { stream, subject, seq, time }, reply, deliveries: d.deliveries }
  held.set(seq, lease)
  portions[seq % portions.length]?.add(lease)
  if (!state.ending) submit(d)
}

const start = <R>(state: State, onLease: OnLease<R>, d: Delivery): Effect.Effect<void, never, R> =>
  Effect.suspend(() => {
    const held = state.held.get(d.seq)
    if (held === undefined) return Effect.void
    const { durable, defectTries } = state.options
    return attempts(durable, defectTries ?? defaultDefectTries, d, onLease(d, leaseOf(state, held))).pipe(
      Effect.flatMap((handled) => (handled._tag === "Died" ? buryLease(state, held, handled.reason) : Effect.void))
    )
  })

const leaseOf = (state: State, held: Held): Lease => ({
  message: held.message,
  deliveries: () => held.deliveries,
  isHeld: () => isHeld(state, held),
  ack: Effect.sync(() => end(state, held, "ack")),
  nak: (delayMillis) => Effect.sync(() => end(state, held, { nakDelayMillis: delayMillis })),
  dead: (reason) => buryLease(state, held, reason)
})

const isHeld = (state: State, held: Held): boolean => state.held.get(held.message.seq) === held

const end = (state: State, held: Held, kind: AckKind): void => {
  if (!isHeld(state, held)) return
  forget(state, held)
  state.deps.wire.settle([held.reply], kind)
  state.freed()
}

const forget = ({ held: all, portions }: State, held: Held): void => {
  const { seq } = held.message
  all.delete(seq)
  portions[seq % portions.length]?.delete(held)
}

const buryLease = Effect.fnUntraced(function* (state: State, held: Held, reason: string) {
  if (!isHeld(state, held)) return
  const { wire, settings } = state.deps
  const { stream, seq } = held.message
  const stored = yield* Effect.option(patiently(settings, wire.at(stream, seq)))
  if (Option.isNone(stored)) return end(state, held, { nakDelayMillis: deadRetryMillis })
  if (Option.isNone(stored.value)) return end(state, held, "term")
  const delivery = { ...stored.value.value, deliveries: held.deliveries }
  end(state, held, yield* bury(state.deps, state.options, delivery, reason))
})

const heartbeat = Effect.fnUntraced(function* ({ deps, options, portions }: State): Effect.fn.Return<never> {
  const portionMillis = (options.heartbeatSeconds * 1_000) / portions.length
  for (let portion = 0; ; portion = (portion + 1) % portions.length) {
    yield* Effect.sleep(portionMillis)
    deps.wire.settle(
      Array.from(portions[portion] ?? [], (held) => held.reply),
      "working"
    )
  }
})

/** SIGTERM: first no more deliveries, else what is handed back would come to us again; then everything at once. */
const handBack = Effect.fnUntraced(function* (state: State, intake: Intake) {
  state.ending = true
  yield* intake.stop
  const replies = Array.from(state.held.values(), (held) => held.reply)
  state.held.clear()
  for (const portion of state.portions) portion.clear()
  state.deps.wire.settle(replies, { nakDelayMillis: 0 })
  yield* state.deps.wire.flush
})
