import { Clock, Deferred, Effect, Random, Semaphore } from "effect"
import type { Pace, PaceClass } from "#aws/Pace.ts"
import type { AwsTarget } from "#aws/Target.ts"
import { Verdict } from "#bus/Verdict.ts"
import { isAdmitted, type Line, promise, shareOf, slowDelayMillis } from "./admission.ts"

/**
 * The queues of the launcher, one for each region and set of credentials. Their orders come mixed, from one consumer:
 * if each waited its turn in hand, a region that is throttled or slow would soon have every hand, and the others
 * nothing. A lane therefore holds a bounded share of the orders in hand; what has no place goes back to the stream, to
 * come again a little before its turn. The turns themselves are those of `Pace`, in the order of arrival.
 */
export interface Lanes {
  /** Handles one order within its lane's share, or hands it back. */
  readonly within: <E, R>(turn: Turn, handled: Effect.Effect<Verdict, E, R>) => Effect.Effect<Verdict, E, R>
  /** Waits for the order's turn to call RunTask, then goes on; hands the order back if its turn is far. */
  readonly inTurn: <E, R>(turn: Turn, launched: Effect.Effect<Verdict, E, R>) => Effect.Effect<Verdict, E, R>
  /** The turn would come at once: there is a call to be had, and a token for it. */
  readonly isFree: (turn: Turn) => Effect.Effect<boolean>
  /** Hands back what waits for its turn. */
  readonly close: Effect.Effect<void>
}

/** Whose turn it is. */
export interface Turn {
  readonly target: AwsTarget
  /** How often the order was handed out: one that comes back goes before one that is new. */
  readonly deliveries: number
  /** It found no capacity before: such tries leave most of the pace to those that may find some. */
  readonly isAgain: boolean
}

export interface LaneLimits {
  /** Orders in hand at a time, over all lanes. */
  readonly orders: number
  /** RunTask calls of one lane under way at a time. */
  readonly calls: number
}

/** An order that has waited for its turn so long goes back, so that a cancel is seen. */
const TURN_MAX = "10 seconds"

/** As many calls are under way as may be, and for so long none has ended: AWS is slow there. */
const STUCK_MILLIS = 2_000

/** Lanes that are remembered; of more, those are forgotten that hold nothing. */
export const LANES_MAX = 1000

interface Lane {
  held: number
  waiting: number
  /** Under way. */
  calls: number
  /** When the last one ended. */
  endedMillis: number
  readonly permits: Semaphore.Semaphore
  /** When the turn of the last order comes that was handed back. */
  promisedMillis: number
}

interface State {
  readonly pace: typeof Pace.Service
  readonly limits: LaneLimits
  readonly lanes: Map<string, Lane>
  readonly closed: Deferred.Deferred<void>
  held: number
}

export const makeLanes = (pace: typeof Pace.Service, limits: LaneLimits): Lanes => {
  const state: State = { pace, limits, lanes: new Map(), closed: Deferred.makeUnsafe(), held: 0 }
  return {
    within: (turn, handled) => within(state, turn, handled),
    inTurn: (turn, launched) => inTurn(state, turn, launched),
    isFree: (turn) => isFree(state, laneOf(state, turn), turn),
    close: Effect.asVoid(Deferred.succeed(state.closed, undefined))
  }
}

const classOf = ({ isAgain }: Turn): PaceClass => (isAgain ? "runTaskAgain" : "runTask")

const newLane = ({ calls }: LaneLimits): Lane => ({
  held: 0,
  waiting: 0,
  calls: 0,
  endedMillis: 0,
  permits: Semaphore.makeUnsafe(calls),
  promisedMillis: 0
})

const laneOf = ({ lanes, limits }: State, turn: Turn): Lane => {
  const { credentials, region } = turn.target
  const key = `${classOf(turn)}|${credentials ?? "default"}|${region ?? ""}`
  const lane = lanes.get(key) ?? newLane(limits)
  if (!lanes.has(key) && lanes.size >= LANES_MAX) {
    for (const [each, { held }] of lanes) if (held === 0) lanes.delete(each)
  }
  lanes.set(key, lane)
  return lane
}

const within = <E, R>(state: State, turn: Turn, handled: Effect.Effect<Verdict, E, R>): Effect.Effect<Verdict, E, R> =>
  Effect.suspend(() => {
    const lane = laneOf(state, turn)
    if (lane.held >= shareOf(state.limits.orders, state.held)) return handBack(state, lane, turn)
    const hold = (orders: 1 | -1) => {
      lane.held += orders
      state.held += orders
    }
    hold(1)
    return Effect.ensuring(
      handled,
      Effect.sync(() => hold(-1))
    )
  })

const inTurn = <E, R>(state: State, turn: Turn, launched: Effect.Effect<Verdict, E, R>): Effect.Effect<Verdict, E, R> =>
  Effect.gen(function* () {
    const lane = laneOf(state, turn)
    if (!isAdmitted(yield* lineOf(state, lane, turn), turn.deliveries > 1)) return yield* handBack(state, lane, turn)
    let isFirst = false
    lane.waiting++
    const queue = Effect.suspend(() => {
      isFirst = true
      return call(state, lane, turn, launched)
    })
    const giveUp = Effect.suspend(() => (isFirst ? Effect.never : handBack(state, lane, turn)))
    const waited = Effect.raceFirst(lane.permits.withPermit(queue), Effect.andThen(tooLong(state), giveUp))
    return yield* Effect.onExit(waited, () => (isFirst ? Effect.void : leaveQueue(lane)))
  })

const isFree = (state: State, lane: Lane, turn: Turn): Effect.Effect<boolean> =>
  lane.waiting + lane.calls >= state.limits.calls
    ? Effect.succeed(false)
    : Effect.map(lineOf(state, lane, turn), ({ waitMillis }) => waitMillis === 0)

const leaveQueue = (lane: Lane) =>
  Effect.sync(() => {
    lane.waiting--
  })

const tooLong = ({ closed }: State) => Effect.raceFirst(Effect.sleep(TURN_MAX), Deferred.await(closed))

/** The first in the queue waits for its token. */
const call = <E, R>(
  state: State,
  lane: Lane,
  turn: Turn,
  launched: Effect.Effect<Verdict, E, R>
): Effect.Effect<Verdict, E, R> =>
  Effect.gen(function* () {
    const token = Effect.as(state.pace.take(classOf(turn), turn.target), true)
    const hasToken = yield* Effect.ensuring(Effect.raceFirst(token, Effect.as(tooLong(state), false)), leaveQueue(lane))
    if (!hasToken) return yield* handBack(state, lane, turn)
    lane.calls++
    return yield* Effect.ensuring(launched, callEnded(lane))
  })

const callEnded = (lane: Lane) =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    lane.calls--
    lane.endedMillis = now
  })

const handBack = (state: State, lane: Lane, turn: Turn): Effect.Effect<Verdict> =>
  Effect.gen(function* () {
    const jitter = yield* Random.next
    if (yield* Deferred.isDone(state.closed)) return Verdict.nak(0)
    const line = yield* lineOf(state, lane, turn)
    const isStuck = lane.calls >= state.limits.calls && line.nowMillis - lane.endedMillis > STUCK_MILLIS
    if (isStuck) return Verdict.nak(slowDelayMillis(jitter))
    const { delayMillis, promisedMillis } = promise(line, jitter)
    lane.promisedMillis = promisedMillis
    return Verdict.nak(delayMillis)
  })

const lineOf = ({ pace }: State, { promisedMillis, waiting }: Lane, turn: Turn): Effect.Effect<Line> =>
  Effect.gen(function* () {
    const waitMillis = yield* pace.waitMillis(classOf(turn), turn.target, waiting)
    const next = yield* pace.waitMillis(classOf(turn), turn.target, waiting + 1)
    const nowMillis = yield* Clock.currentTimeMillis
    return { nowMillis, waitMillis, stepMillis: next - waitMillis, promisedMillis }
  })
