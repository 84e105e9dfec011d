import { type Msg, type MsgHdrs, NoRespondersError, type PublishOptions } from "@nats-io/transport-node"
import { Effect, type Scope } from "effect"
import type { Connection, ConnectionEvent } from "#bus/Connection.ts"
import { wireErrorOf } from "./natsFault.ts"
import { WireError } from "./Wire.ts"

/*
 * Requests, spoken directly instead of through the client's `request`, because most of what a run costs here is spent
 * in them: some forty for each run. The client makes promises, a timer and an error with its stack for each, and writes
 * to its socket as often as the code between two of them pauses. Here one subscription takes all answers, one timer
 * looks for those that are late, and what is sent amid one turn of the event loop, acknowledgements too, is written to
 * the socket at once, which spares the server as many reads.
 */

type Bus = Connection["Service"]

export interface NatsRequests {
  /** Sends it at the end of this turn of the event loop, behind what was sent before. */
  readonly send: (subject: string, payload: Uint8Array | string) => void
  /** One request and its answer, whatever it says. Fails as transient when the answer is lost or late. */
  readonly ask: (subject: string, payload: Uint8Array | string, headers?: MsgHdrs) => Effect.Effect<Msg, WireError>
  /** Sends now what waits for the end of this turn. */
  readonly flush: () => void
}

interface Pending {
  readonly subject: string
  /** `performance.now()`, after which its answer is late. */
  readonly deadline: number
  readonly resume: (answer: Effect.Effect<Msg, WireError>) => void
}

interface Outgoing {
  readonly subject: string
  readonly payload: Uint8Array | string
  readonly options: PublishOptions
  readonly refused: (error: unknown) => void
}

interface Desk {
  readonly bus: Bus
  readonly inbox: string
  readonly answerTimeoutMillis: number
  /** By the last token of the reply subject, the oldest first. */
  readonly pending: Map<string, Pending>
  outgoing: Array<Outgoing>
  requests: number
  timer: NodeJS.Timeout | undefined
  /** Set for good once the server has refused our subscription. */
  denied: WireError | undefined
}

export const openNatsRequests = (
  bus: Bus,
  answerTimeoutMillis: number
): Effect.Effect<NatsRequests, never, Scope.Scope> =>
  Effect.gen(function* () {
    const desk: Desk = {
      bus,
      inbox: bus.newInbox(),
      answerTimeoutMillis,
      pending: new Map(),
      outgoing: [],
      requests: 0,
      timer: undefined,
      denied: undefined
    }
    bus.nc.subscribe(`${desk.inbox}.*`, {
      callback: (error, message) => (error === null ? onAnswer(desk, message) : failAll(desk, wireErrorOf(error)))
    })
    const ignore = bus.listen((event) => onEvent(desk, event))
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        flush(desk)
        ignore()
        clearTimeout(desk.timer)
      })
    )
    return {
      send: (subject, payload) => enqueue(desk, { subject, payload, options: {}, refused: () => {} }),
      ask: (subject, payload, headers) => ask(desk, subject, payload, headers),
      flush: () => flush(desk)
    }
  })

const ask = (desk: Desk, subject: string, payload: Uint8Array | string, headers: MsgHdrs | undefined) =>
  Effect.callback<Msg, WireError>((resume) => {
    if (desk.denied !== undefined) return resume(Effect.fail(desk.denied))
    const token = (desk.requests += 1).toString(36)
    const deadline = performance.now() + desk.answerTimeoutMillis
    desk.pending.set(token, { subject, deadline, resume })
    desk.timer ??= setTimeout(() => endLate(desk), desk.answerTimeoutMillis)
    const options = { reply: `${desk.inbox}.${token}`, ...(headers === undefined ? {} : { headers }) }
    enqueue(desk, { subject, payload, options, refused: (error) => settle(desk, token, wireErrorOf(error)) })
    return Effect.sync(() => void desk.pending.delete(token))
  })

const settle = (desk: Desk, token: string, answer: Msg | WireError): void => {
  const waiting = desk.pending.get(token)
  if (waiting === undefined) return
  desk.pending.delete(token)
  waiting.resume(answer instanceof WireError ? Effect.fail(answer) : Effect.succeed(answer))
}

const onAnswer = (desk: Desk, message: Msg): void => {
  const token = message.subject.slice(desk.inbox.length + 1)
  const isUnanswered = message.data.length === 0 && message.headers?.code === 503
  const subject = desk.pending.get(token)?.subject ?? ""
  settle(desk, token, isUnanswered ? wireErrorOf(new NoRespondersError(subject)) : message)
}

const enqueue = (desk: Desk, outgoing: Outgoing): void => {
  if (desk.outgoing.length === 0) setImmediate(() => flush(desk))
  desk.outgoing.push(outgoing)
}

const flush = (desk: Desk): void => {
  const { outgoing } = desk
  desk.outgoing = []
  for (const { options, payload, refused, subject } of outgoing) {
    try {
      desk.bus.nc.publish(subject, payload, options)
    } catch (error) {
      refused(error)
    }
  }
}

const endLate = (desk: Desk): void => {
  desk.timer = undefined
  const now = performance.now()
  for (const [token, { deadline }] of desk.pending) {
    if (deadline > now) {
      desk.timer ??= setTimeout(() => endLate(desk), deadline - now)
      return
    }
    settle(desk, token, new WireError({ fault: "transient", message: "no answer in time" }))
  }
}

/** Those who wait now: whoever gives up may ask for something else at once. */
const failAll = (desk: Desk, error: WireError, subject?: string): void => {
  const waiting = [...desk.pending].filter(([, pending]) => subject === undefined || pending.subject === subject)
  for (const [token] of waiting) settle(desk, token, error)
}

/** When the connection is replaced the answers will not come: those who wait need not wait until they are late. */
const answerLost = new WireError({ fault: "transient", message: "the connection was replaced before the answer came" })

const onEvent = (desk: Desk, event: ConnectionEvent): void => {
  if (event._tag === "Reconnected") failAll(desk, answerLost)
  if (event._tag !== "Denied") return
  const denied = new WireError({ fault: "denied", message: `no permission for ${event.subject}` })
  if (event.subject.startsWith(desk.inbox)) {
    desk.denied = denied
    failAll(desk, denied)
  }
  failAll(desk, denied, event.subject)
}
