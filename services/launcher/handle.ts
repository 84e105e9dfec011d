import { Clock, Effect, Layer, Random, Result } from "effect"
import type { Pause } from "#aws/gate/Gate.ts"
import { Consumer } from "#bus/Consumer.ts"
import { type Delivery, text } from "#bus/Message.ts"
import { Verdict } from "#bus/Verdict.ts"
import { afterDrains, type Drain } from "#ecs-core/Drain.ts"
import { isRunId } from "#ecs-core/Ids.ts"
import { millisOf } from "#ecs-core/Instant.ts"
import { Codecs, type TaskdefReady } from "#ecs-core/Messages.ts"
import { Durables, parseSubject, Streams } from "#ecs-core/Subjects.ts"
import { later } from "#ecs-core/Timeline.ts"
import { probeWhereAsked } from "#process/AwsProbe.ts"
import { watchCredentials } from "#process/CredentialsHealth.ts"
import { readDrain } from "#process/Drain.ts"
import { readFleetMetrics } from "#process/FleetReadings.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { deadSubject, handBack } from "#process/Handling.ts"
import { readRun } from "#process/RunRecords.ts"
import { supervised } from "#process/Supervise.ts"
import type { LauncherSettings } from "./config.ts"
import { type Decision, decide, isToldBlind, needsSight, pausedMillis } from "./decide.ts"
import { type Evidence, untried } from "./evidence.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { readEvidence } from "./find.ts"
import type { Turn } from "./lanes.ts"
import { failed, launch } from "./launch.ts"
import { networkOf } from "./network.ts"
import { perform, reject, type StepError } from "./perform.ts"
import { unreadable } from "./rejections.ts"

/** One order, and what is known of its launches. */
interface Step {
  readonly order: TaskdefReady
  readonly deliveries: number
  /** Of a first delivery nothing is read: if there is anything, the first publish is refused. */
  readonly evidence: Evidence
}

/** The drain has been read, and the order has the time that it takes. */
interface Look extends Step {
  readonly drain: Drain | undefined
}

/** One order: look at the record just before RunTask, launch with this try's token, publish one fact, ack. */
export const handleOrder = (fleet: Fleet, delivery: Delivery): Effect.Effect<Verdict, StepError> =>
  Effect.gen(function* () {
    const decoded = Codecs.taskdefReady.decode(text(delivery))
    if (Result.isFailure(decoded)) return yield* giveUp(fleet, delivery, decoded.failure.message)
    const order = decoded.success
    const { deliveries } = delivery
    const evidence = deliveries > 1 ? yield* readEvidence(fleet, order) : untried
    const turn: Turn = {
      target: order.target,
      deliveries,
      isAgain: (evidence.deferred?.capacityFailures ?? 0) > 0
    }
    return yield* fleet.lanes.within(turn, handleInLane(fleet, { order, deliveries, evidence }, turn))
  })

const look = (fleet: Fleet, step: Step) =>
  Effect.map(readDrain(fleet.meta), (drain): Look => ({ ...step, order: withoutDrains(step.order, drain), drain }))

/** The time that an order waits for the end of a drain is none of its own. */
const withoutDrains = (order: TaskdefReady, drain: Drain | undefined): TaskdefReady => {
  const { at, launchDeadline, notBefore } = order
  return { ...order, launchDeadline: afterDrains(launchDeadline, later(at, notBefore ?? at), drain) }
}

/** A new order whose turn comes at once is looked at then; any other before it waits, too. */
const handleInLane = (fleet: Fleet, step: Step, turn: Turn): Effect.Effect<Verdict, StepError> =>
  Effect.gen(function* () {
    const inTurn = fleet.lanes.inTurn(turn, launchInTurn(fleet, step))
    if (yield* comesAtOnce(fleet, step, turn)) return yield* inTurn
    const now = yield* look(fleet, step)
    const { decision, evidence } = yield* decideNow(fleet, now)
    const next = decision._tag === "Launch" ? inTurn : perform(fleet, now.order, decision, evidence)
    return yield* seeing(fleet, now, decision, next)
  })

const comesAtOnce = (fleet: Fleet, { deliveries, order }: Step, turn: Turn): Effect.Effect<boolean> =>
  deliveries > 1 || order.notBefore !== undefined
    ? Effect.succeed(false)
    : Effect.gen(function* () {
        return (yield* fleet.lanes.isFree(turn)) && (yield* fleet.gate.pauseOf(order.target)) === undefined
      })

/** Goes on with a decision, unless AWS would have to be asked about it and its set of credentials pauses. */
const seeing = (fleet: Fleet, step: Step, decision: Decision, next: Effect.Effect<Verdict, StepError>) =>
  Effect.gen(function* () {
    const pause = needsSight(decision) ? yield* fleet.gate.pauseOf(step.order.target) : undefined
    return yield* pause === undefined ? next : waitForCredentials(fleet, step, pause)
  })

/** The set of credentials pauses: AWS is not asked, and nothing is judged. That is told once; then the order only waits. */
const waitForCredentials = (fleet: Fleet, step: Step, pause: Pause): Effect.Effect<Verdict, StepError> =>
  Effect.gen(function* () {
    const { deliveries, order } = step
    const evidence = deliveries > 1 ? step.evidence : yield* readEvidence(fleet, order)
    if (!isToldBlind(evidence)) {
      const blindSince = Math.max(pause.sinceMillis, millisOf(order.notBefore ?? order.at))
      const settled = yield* failed(fleet, { ...step, evidence, blindSince }, pause.why, undefined)
      return yield* perform(fleet, order, settled, evidence)
    }
    return Verdict.nak(pausedMillis(evidence, yield* Random.next, yield* Clock.currentTimeMillis))
  })

/** Record and drain are read here, whatever was known before: the turn may have been long in coming. */
const launchInTurn = (fleet: Fleet, step: Step): Effect.Effect<Verdict, StepError> =>
  Effect.gen(function* () {
    const network = yield* Effect.result(networkOf(fleet.network, step.order))
    const now = yield* look(fleet, step)
    const { order } = now
    if (Result.isFailure(network)) {
      return yield* perform(fleet, order, yield* failed(fleet, now, network.failure, undefined), step.evidence)
    }
    const { decision, evidence, checkedMillis } = yield* decideNow(fleet, now)
    if (decision._tag !== "Launch") {
      return yield* seeing(fleet, now, decision, perform(fleet, order, decision, evidence))
    }
    const plan = { ...now, ...decision, evidence, network: network.success, checkedMillis }
    return yield* perform(fleet, order, yield* launch(fleet, plan), evidence)
  })

/**
 * The decision on the record as it is. Before an attempt is given up what is stored about it is read even at a first
 * delivery: nats-server up to 2.9 may call a message new that was handed out before.
 */
const decideNow = (fleet: Fleet, { order, deliveries, evidence, drain }: Look) =>
  Effect.gen(function* () {
    const checkedMillis = yield* Clock.currentTimeMillis
    const { run } = yield* readRun(fleet.runs, order.runId)
    const decision = decide(order, run, evidence, checkedMillis, drain)
    if (decision._tag !== "Reject" || deliveries > 1) return { decision, evidence, checkedMillis }
    const stored = yield* readEvidence(fleet, order)
    return { decision: decide(order, run, stored, checkedMillis, drain), evidence: stored, checkedMillis }
  })

const giveUp = (fleet: Fleet, delivery: Delivery, why: string) =>
  Effect.gen(function* () {
    const parsed = parseSubject(delivery.subject)
    if (parsed?.kind === "taskdef.ready" && isRunId(parsed.runId)) {
      const rejected = unreadable({ runId: parsed.runId, attempt: parsed.attempt }, why, yield* Clock.currentTimeMillis)
      yield* reject(fleet, rejected)
    }
    return Verdict.dead(why)
  })

/** The launcher: one durable consumer of launch orders. */
export const layer = (settings: LauncherSettings) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const { fleetId } = yield* setUpFleet(settings, "launcher")
      yield* watchCredentials
      yield* readFleetMetrics(settings, "launcher")
      const fleet = yield* makeFleet(fleetId, { orders: settings.orders, calls: settings.concurrency })
      const consumer = yield* Consumer
      const listen = consumer.run(
        {
          stream: Streams.fleet,
          durable: Durables.launcher,
          concurrency: settings.orders,
          ackWaitSeconds: settings.ackWaitSeconds,
          deadStream: Streams.dead,
          deadSubject: deadSubject("launcher")
        },
        (delivery) => handBack(delivery, handleOrder(fleet, delivery))
      )
      yield* Effect.forkScoped(supervised("launcher", listen))
      yield* probeWhereAsked(settings, fleet)
      yield* Effect.addFinalizer(() => fleet.lanes.close)
    })
  )
