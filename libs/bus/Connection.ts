import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream"
import {
  AuthorizationError,
  connect,
  createInbox,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
  nkeyAuthenticator,
  PermissionViolationError,
  type Status
} from "@nats-io/transport-node"
import { Clock, Context, Deferred, Effect, Layer, Redacted, type Scope, Stream } from "effect"
import { BusUnavailable } from "./BusError.ts"
import { BusSettings } from "./BusSettings.ts"
import { apiPrefixOf } from "./Rights.ts"
import { settledWithin } from "./wire/settled.ts"

export interface ConnectionOptions {
  /** e.g. `nats://127.0.0.1:4222`; several for a cluster. */
  readonly servers: ReadonlyArray<string>
  /** Shown by the server's monitoring, e.g. `watcher`. */
  readonly name: string
  /** The content of a `.creds` file. */
  readonly creds?: Redacted.Redacted
  /** An NKey seed, `SU…`. */
  readonly nkeySeed?: Redacted.Redacted
  readonly user?: string
  readonly pass?: Redacted.Redacted
  /** Paths of PEM files; an empty object means TLS with the system's authorities. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string }
  /** For accounts that may subscribe to one prefix only, e.g. `_INBOX_watcher`. */
  readonly inboxPrefix?: string
  /** JetStream's domain; for accounts that reach the fleet's streams through an import. */
  readonly jsDomain?: string
  /** How long to wait for a server at the start. Default: for ever, saying so every 10 s. */
  readonly connectWaitSeconds?: number
}

/** What happens to the connection while it lives. */
export type ConnectionEvent =
  | { readonly _tag: "Disconnected" }
  /** Answers and deliveries that were on the way are lost. */
  | { readonly _tag: "Reconnected" }
  /** The server refused a publish or a subscription. */
  | { readonly _tag: "Denied"; readonly subject: string }

/**
 * One connection to NATS. It reconnects by itself for ever; `closed` fails once it is closed for good (rejected
 * credentials, for instance), which a process should treat as fatal. Drained and closed with its scope.
 */
export class Connection extends Context.Service<
  Connection,
  {
    readonly nc: NatsConnection
    readonly js: JetStreamClient
    readonly jsm: JetStreamManager
    readonly serverVersion: string
    /** Where requests to JetStream go, e.g. `$JS.API`. */
    readonly apiPrefix: string
    /** False from a disconnection to the next reconnection. */
    readonly isConnected: () => boolean
    /** Never succeeds; fails when the connection is closed by anything but its own scope. */
    readonly closed: Effect.Effect<never, BusUnavailable>
    /** A subject of our own to get answers at, below `inboxPrefix`. */
    readonly newInbox: () => string
    /** Calls the listener at each event until the returned function is called. */
    readonly listen: (listener: (event: ConnectionEvent) => void) => () => void
  }
>()("bus/Connection") {
  static readonly layer = (options: ConnectionOptions): Layer.Layer<Connection, BusUnavailable> =>
    Layer.effect(Connection, make(options))
}

const make = Effect.fnUntraced(function* (options: ConnectionOptions) {
  let connected = true
  const nc = yield* connectPatiently(options, (opened) => disconnect(opened, connected))
  const listeners = new Set<(event: ConnectionEvent) => void>()
  listeners.add((event) => {
    if (event._tag !== "Denied") connected = event._tag === "Reconnected"
  })
  yield* Effect.forkScoped(watchStatus(nc, listeners))
  const closed = yield* watchClosed(nc)
  const { answerTimeoutSeconds } = yield* BusSettings
  const apiPrefix = apiPrefixOf(options.jsDomain)
  const asked = { apiPrefix, timeout: answerTimeoutSeconds * 1_000 }
  const jsm = yield* Effect.promise(() => jetstreamManager(nc, { ...asked, checkAPI: false }))
  return Connection.of({
    nc,
    js: jetstream(nc, asked),
    jsm,
    serverVersion: nc.info?.version ?? "0.0.0",
    apiPrefix,
    isConnected: () => connected,
    closed,
    newInbox: () => createInbox(options.inboxPrefix),
    listen: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  })
})

const reconnectWaitMillis = 250
const drainTimeoutMillis = 2_000
const announceEveryMillis = 10_000

/** The client's options; exported for its table test. */
export const natsOptions = (options: ConnectionOptions): NodeConnectionOptions => {
  const encoder = new TextEncoder()
  const { creds, nkeySeed, user, pass, tls, inboxPrefix } = options
  return {
    servers: [...options.servers],
    name: options.name,
    noAsyncTraces: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWaitMillis,
    reconnectJitter: reconnectWaitMillis,
    pingInterval: 20_000,
    maxPingOut: 2,
    timeout: 5_000,
    ...(creds === undefined ? {} : { authenticator: credsAuthenticator(encoder.encode(Redacted.value(creds))) }),
    ...(nkeySeed === undefined ? {} : { authenticator: nkeyAuthenticator(encoder.encode(Redacted.value(nkeySeed))) }),
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass: Redacted.value(pass) }),
    ...(tls === undefined ? {} : { tls: { ...tls } }),
    ...(inboxPrefix === undefined ? {} : { inboxPrefix })
  }
}

/*
 * The client's own `waitOnFirstConnect` can neither be interrupted nor does it say what it waits for, and it takes
 * rejected credentials for a server that is not there yet. So the first connect is repeated here; later ones are the
 * client's. Only the pauses can be interrupted: no connection may get lost between being opened and being owned.
 */
const connectPatiently = (options: ConnectionOptions, close: (nc: NatsConnection) => Effect.Effect<void>) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const started = yield* Clock.currentTimeMillis
      let announced = started - announceEveryMillis
      while (true) {
        const attempt = yield* Effect.result(connectOnce(options))
        if (attempt._tag === "Success") {
          yield* Effect.addFinalizer(() => close(attempt.success))
          return attempt.success
        }
        const now = yield* Clock.currentTimeMillis
        const isOver = now - started >= (options.connectWaitSeconds ?? Number.POSITIVE_INFINITY) * 1_000
        if (isOver || connectAdvice(attempt.failure) !== undefined)
          return yield* connectFailed(options, attempt.failure)
        if (now - announced >= announceEveryMillis) {
          announced = now
          yield* Effect.logWarning(`waiting for NATS at ${options.servers.join(", ")}: ${reasonOf(attempt.failure)}`)
        }
        yield* restore(Effect.sleep(reconnectWaitMillis))
      }
    })
  )

const connectOnce = (options: ConnectionOptions): Effect.Effect<NatsConnection, unknown> =>
  Effect.tryPromise({ try: () => connect(natsOptions(options)), catch: (error) => error })

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error && error.message === "" ? error.cause.message : error.message
}

/** Codes of Node and OpenSSL for certificates that do not fit. */
const tlsFailure = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/

/** What to do about a failure that waiting does not mend; undefined for a server that may still come. */
const connectAdvice = (error: unknown): string | undefined => {
  if (error instanceof AuthorizationError)
    return "NATS rejects the credentials: check NATS_CREDS, NATS_NKEY_SEED or NATS_USER and NATS_PASSWORD"
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  if (tlsFailure.test(code) || reasonOf(error).includes("does not support 'tls'"))
    return "TLS with NATS fails: check NATS_TLS_CA, NATS_TLS_CERT, NATS_TLS_KEY and the name in the server's certificate"
  return undefined
}

const connectFailed = (options: ConnectionOptions, error: unknown) => {
  const servers = options.servers.join(", ")
  const advice = connectAdvice(error)
  return new BusUnavailable({
    operation: `connect ${servers}`,
    reason: advice === undefined ? "NoAnswer" : "Denied",
    message:
      advice === undefined
        ? `no NATS server at ${servers} (${reasonOf(error)}): start one, or set NATS_URL`
        : `${advice} (${servers}: ${reasonOf(error)})`
  })
}

/** Drains, so that acknowledgements on the way arrive; a server that does not answer holds nobody up. */
const disconnect = (nc: NatsConnection, connected: boolean): Effect.Effect<void> =>
  Effect.promise(async () => {
    if (connected) await settledWithin(nc.drain(), drainTimeoutMillis)
    await nc.close()
  })

const watchStatus = (
  nc: NatsConnection,
  listeners: ReadonlySet<(event: ConnectionEvent) => void>
): Effect.Effect<void> =>
  Stream.fromAsyncIterable(nc.status(), (error) => error).pipe(
    Stream.runForEach((status) => {
      const event = eventOf(status)
      if (event === undefined) return Effect.void
      for (const listener of listeners) listener(event)
      return logOf(event)
    }),
    Effect.catchCause((cause) => Effect.logWarning("the status of the NATS connection is no longer watched", cause))
  )

const eventOf = (status: Status): ConnectionEvent | undefined => {
  if (status.type === "disconnect") return { _tag: "Disconnected" }
  if (status.type === "reconnect") return { _tag: "Reconnected" }
  if (status.type === "error" && status.error instanceof PermissionViolationError)
    return { _tag: "Denied", subject: status.error.subject }
  return undefined
}

const logOf = (event: ConnectionEvent): Effect.Effect<void> => {
  if (event._tag === "Disconnected") return Effect.logWarning("NATS disconnected, reconnecting")
  if (event._tag === "Reconnected") return Effect.logInfo("NATS reconnected")
  return Effect.logDebug(`NATS denies ${event.subject}`)
}

/** An effect that fails when the connection ends before its scope does. */
const watchClosed = Effect.fnUntraced(function* (
  nc: NatsConnection
): Effect.fn.Return<Effect.Effect<never, BusUnavailable>, never, Scope.Scope> {
  const closed = yield* Deferred.make<never, BusUnavailable>()
  let ending = false
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      ending = true
    })
  )
  const watch = Effect.promise(() => nc.closed()).pipe(
    Effect.flatMap((error) => (ending ? Effect.void : Deferred.fail(closed, closedForGood(error))))
  )
  yield* Effect.forkScoped(watch)
  return Deferred.await(closed)
})

const closedForGood = (error: unknown) =>
  new BusUnavailable({
    operation: "connection",
    reason: "Closed",
    message: `the NATS connection was closed for good (${reasonOf(error ?? "no reason given")}): check credentials and server, then start again`
  })
