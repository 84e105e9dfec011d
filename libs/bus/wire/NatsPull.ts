import { type Msg, nanos, type Subscription } from "@nats-io/transport-node"
import { Clock, Deferred, Effect, type Scope } from "effect"
import type { BusSettingsShape } from "#bus/BusSettings.ts"
import type { Connection, ConnectionEvent } from "#bus/Connection.ts"
import { wireErrorOf } from "./natsFault.ts"
import { deliveryOf, pullStatusOf } from "./natsMessage.ts"
import { settledWithin } from "./settled.ts"
import { type Pull, type PullEnd, type PullOptions, WireError } from "./Wire.ts"

/*
 * Pull requests, spoken directly (ADR-37) instead of through the client's `consume` and `fetch`, for three reasons.
 * `consume` prefetches by its own rule, and a lease holder must never be handed more than it has room for. `fetch` and
 * `consume` leave their inbox when they end, so what is on the way then is lost until the ack wait is over; here one
 * subscription outlives all requests, and `stop` takes in what is on the way. And a server that stops answers 409, which
 * ends the client's fetch with an error; here it is one of the ways in which a request ends.
 */

type Bus = Connection["Service"]

interface Request {
  readonly id: number
  left: number
  heardAt: number
  readonly end: Deferred.Deferred<PullEnd, WireError>
}

interface Line {
  readonly bus: Bus
  readonly settings: BusSettingsShape
  readonly clock: Clock.Clock
  /** Each request has its own reply subject below it: a late status of an older request is not taken for ours. */
  readonly inbox: string
  /** Where requests go. */
  readonly api: string
  readonly onDelivery: PullOptions["onDelivery"]
  requests: number
  current: Request | undefined
  /** Set for good once the server has refused our subscription or request. */
  denied: WireError | undefined
}

const stopTimeoutMillis = 2_000
const silentHeartbeats = 2
const lastRequestTimeoutMillis = 500

export const openNatsPull = Effect.fnUntraced(function* (
  bus: Bus,
  settings: BusSettingsShape,
  options: PullOptions
): Effect.fn.Return<Pull, WireError, Scope.Scope> {
  const line: Line = {
    bus,
    settings,
    clock: yield* Clock.Clock,
    inbox: bus.newInbox(),
    api: `${bus.apiPrefix}.CONSUMER.MSG.NEXT.${options.stream}.${options.consumer}`,
    onDelivery: options.onDelivery,
    requests: 0,
    current: undefined,
    denied: undefined
  }
  const subscription = yield* Effect.acquireRelease(subscribe(line), (open) => Effect.sync(() => open.unsubscribe()))
  yield* Effect.acquireRelease(
    Effect.sync(() => bus.listen((event) => onEvent(line, event))),
    (ignore) => Effect.sync(ignore)
  )
  return {
    request: (batch) => request(line, batch),
    stop: Effect.promise(async () => {
      if (!bus.isConnected()) return
      await settledWithin(subscription.drain(), stopTimeoutMillis)
      await settledWithin(flushDeadRequests(line), stopTimeoutMillis)
    })
  }
})

const subscribe = (line: Line): Effect.Effect<Subscription, WireError> =>
  Effect.try({
    try: () =>
      line.bus.nc.subscribe(`${line.inbox}.*`, {
        callback: (error, message) => (error === null ? onMessage(line, message) : fail(line, wireErrorOf(error)))
      }),
    catch: wireErrorOf
  })

const fail = (line: Line, error: WireError): void => {
  if (line.current !== undefined) Deferred.doneUnsafe(line.current.end, Effect.fail(error))
}

const finish = (line: Line, end: PullEnd): void => {
  if (line.current !== undefined) Deferred.doneUnsafe(line.current.end, Effect.succeed(end))
}

const onMessage = (line: Line, message: Msg): void => {
  if (line.current !== undefined) line.current.heardAt = line.clock.currentTimeMillisUnsafe()
  const delivery = deliveryOf(message)
  if (delivery === undefined) return onStatus(line, message)
  line.onDelivery(delivery)
  if (line.current !== undefined && --line.current.left === 0) finish(line, "filled")
}

const onStatus = (line: Line, message: Msg): void => {
  if (message.subject !== `${line.inbox}.${line.current?.id}`) return
  const status = pullStatusOf(message.headers?.code ?? 0, message.headers?.description ?? "")
  if (status instanceof WireError) fail(line, status)
  else if (status !== "alive") finish(line, status)
}

const onEvent = (line: Line, event: ConnectionEvent): void => {
  if (event._tag === "Reconnected") finish(line, "broken")
  if (event._tag !== "Denied" || (event.subject !== line.api && !event.subject.startsWith(line.inbox))) return
  line.denied = new WireError({ fault: "denied", message: `no permission for ${event.subject}` })
  fail(line, line.denied)
}

const request = (line: Line, batch: number): Effect.Effect<PullEnd, WireError> =>
  Effect.suspend(() => {
    if (line.denied !== undefined) return line.denied
    const { pullExpiresMillis, pullHeartbeatMillis } = line.settings
    const current: Request = {
      id: ++line.requests,
      left: batch,
      heardAt: line.clock.currentTimeMillisUnsafe(),
      end: Deferred.makeUnsafe()
    }
    line.current = current
    const body = { batch, expires: nanos(pullExpiresMillis), idle_heartbeat: nanos(pullHeartbeatMillis) }
    return Effect.try({
      try: () => line.bus.nc.publish(line.api, JSON.stringify(body), { reply: `${line.inbox}.${current.id}` }),
      catch: wireErrorOf
    }).pipe(Effect.andThen(Effect.raceFirst(Deferred.await(current.end), silence(line, current))))
  }).pipe(
    Effect.ensuring(
      Effect.sync(() => {
        line.current = undefined
      })
    )
  )

const lastRequestMillis = 50

/**
 * Makes the server forget our open request. nats-server up to 2.9 notices only when it next goes through its open
 * requests that nobody listens to one any more, and if that is because of a message handed back, it mistakes the message
 * for a new one (`o.sseq--` in server/consumer.go: the next delivery says "first time", and the message behind it waits
 * for the ack wait). One more, short request makes it go through them before anything is handed back.
 */
const flushDeadRequests = async (line: Line): Promise<void> => {
  const inbox = line.bus.newInbox()
  let answered = () => {}
  const answer = new Promise<void>((resolve) => {
    answered = resolve
  })
  const subscription = line.bus.nc.subscribe(inbox, {
    callback: (_error, message) => {
      const delivery = deliveryOf(message)
      if (delivery !== undefined) line.onDelivery(delivery)
      answered()
    }
  })
  line.bus.nc.publish(line.api, JSON.stringify({ batch: 1, expires: nanos(lastRequestMillis) }), { reply: inbox })
  await settledWithin(answer, lastRequestTimeoutMillis)
  await subscription.drain()
}

/** Ends when neither a message nor a heart-beat has come for two heart-beats. */
const silence = Effect.fnUntraced(function* (line: Line, current: Request): Effect.fn.Return<PullEnd> {
  const patienceMillis = silentHeartbeats * line.settings.pullHeartbeatMillis
  while (line.clock.currentTimeMillisUnsafe() - current.heardAt < patienceMillis)
    yield* Effect.sleep(line.settings.pullHeartbeatMillis)
  return "broken"
})
