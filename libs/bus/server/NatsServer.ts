import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import {
  Context,
  Deferred,
  Duration,
  Effect,
  Layer,
  Option,
  Ref,
  Schedule,
  Schema,
  type Scope,
  Semaphore
} from "effect"
import type { NatsBinary } from "./attempt.ts"
import { realTime } from "./realTime.ts"
import { spawnTethered, type Tethered } from "./Tethered.ts"

/** The server did not start, or ended without being asked to. `log` has the last lines of its own log. */
export class NatsServerFailed extends Schema.TaggedError<NatsServerFailed>()("NatsServerFailed", {
  what: Schema.String,
  logFile: Schema.String,
  log: Schema.String
}) {
  override get message() {
    const advice = this.log.includes("address already in use")
      ? "The port is taken: choose another, or end the process that has it."
      : `Its log is ${this.logFile}.`
    return [`nats-server ${this.what}. ${advice}`, this.log].filter((part) => part !== "").join("\n")
  }
}

export interface NatsServerOptions {
  readonly binary: NatsBinary
  /** Holds everything of this server: configuration, log, JetStream's files. Created when missing; never removed. */
  readonly storeDir: string
  /** Client port on 127.0.0.1; absent or 0 = a free one, kept over restarts. */
  readonly port?: number
  readonly serverName?: string
  /** Appended to the configuration file, in nats-server's own syntax, e.g. a `cluster { … }` block. */
  readonly extraConfig?: string
}

export interface NatsServerHandle {
  /** `nats://127.0.0.1:<port>`. */
  readonly url: string
  readonly port: number
  readonly version: string
  readonly logFile: string
  /** Waits until clients can connect; does nothing when it runs. */
  readonly start: Effect.Effect<void, NatsServerFailed>
  /** SIGTERM, then SIGKILL after `stopSeconds`; waits until it is gone. */
  readonly stop: Effect.Effect<void>
  /** SIGKILL, as a crash: nothing is flushed. Waits until it is gone. */
  readonly kill: Effect.Effect<void>
  /** `stop`, then `start` with the same port and files. */
  readonly restart: Effect.Effect<void, NatsServerFailed>
  /** Fails when the process ends without `stop`, `kill` or `restart`. Whoever needs the server races with it. */
  readonly died: Effect.Effect<never, NatsServerFailed>
}

/** How long a server with large stores may take to be ready, and to stop. */
export const readySeconds = 60
export const stopSeconds = 10

/**
 * A nats-server with JetStream on loopback, as long as the scope is open. The process ends with the scope, and also when
 * this process is killed.
 */
export class NatsServer extends Context.Service<NatsServer, NatsServerHandle>()("bus/server/NatsServer") {
  static readonly layer = (options: NatsServerOptions): Layer.Layer<NatsServer, NatsServerFailed> =>
    Layer.effect(NatsServer, runNatsServer(options))
}

/** The same without a layer, for several servers in one scope. */
export const runNatsServer = Effect.fnUntraced(function* (
  options: NatsServerOptions
): Effect.fn.Return<NatsServerHandle, NatsServerFailed, Scope.Scope> {
  const files = filesOf(options.storeDir)
  const died = yield* Deferred.make<never, NatsServerFailed>()
  const running = yield* Ref.make(Option.none<Tethered>())
  const one = yield* Semaphore.make(1)
  const state: State = { options, files, died, running }
  const stop = one.withPermit(end(state, "SIGTERM"))
  yield* Effect.addFinalizer(() => stop)
  const port = yield* one.withPermit(start(state, options.port ?? 0))
  const startAgain = one.withPermit(start(state, port))
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    version: options.binary.version,
    logFile: files.log,
    start: Effect.asVoid(startAgain),
    stop,
    kill: one.withPermit(end(state, "SIGKILL")),
    restart: one.withPermit(Effect.andThen(end(state, "SIGTERM"), Effect.asVoid(start(state, port)))),
    died: Deferred.await(died)
  }
})

interface State {
  readonly options: NatsServerOptions
  readonly files: Files
  readonly died: Deferred.Deferred<never, NatsServerFailed>
  /** The process that should run; none once its end is asked for. */
  readonly running: Ref.Ref<Option.Option<Tethered>>
}

interface Files {
  readonly config: string
  readonly log: string
  readonly ports: string
  readonly jetStream: string
}

const filesOf = (storeDir: string): Files => ({
  config: join(storeDir, "nats-server.conf"),
  log: join(storeDir, "nats-server.log"),
  ports: join(storeDir, "ports"),
  jetStream: join(storeDir, "jetstream")
})

/** Starts the server unless it runs, and answers the port it listens on. */
const start = Effect.fnUntraced(function* (state: State, port: number) {
  if (Option.isSome(yield* Ref.get(state.running))) return port
  yield* Effect.tryPromise({
    try: () => prepareFiles(state, port),
    catch: (error) => failed(state, `could not write its files: ${String(error)}`, "")
  })
  return yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { binary } = state.options
      const child = yield* spawnTethered(binary.path, ["-c", state.files.config], state.files.log).pipe(
        Effect.mapError((why) => failed(state, `could not be started: ${why}`, ""))
      )
      yield* Ref.set(state.running, Option.some(child))
      const listening = yield* restore(ready(state, child)).pipe(Effect.onError(() => end(state, "SIGKILL")))
      yield* Effect.forkDetach(watch(state, child))
      return listening
    })
  )
}, realTime)

/** A process that ends while it should run has died. The fiber ends with the process, which the scope's end brings about. */
const watch = Effect.fnUntraced(function* (state: State, child: Tethered) {
  const status = yield* child.exited
  const current = yield* Ref.get(state.running)
  if (Option.isNone(current) || current.value !== child) return
  yield* Ref.set(state.running, Option.none())
  yield* Deferred.fail(state.died, failed(state, `ended unexpectedly (${status})`, yield* lastLines(state.files.log)))
})

const prepareFiles = async ({ options, files }: State, port: number): Promise<void> => {
  await rm(files.ports, { recursive: true, force: true })
  await mkdir(files.ports, { recursive: true })
  await mkdir(files.jetStream, { recursive: true })
  await writeFile(files.config, serverConfig(options, files, port))
}

/** The configuration file. `port` 0 lets the server choose a free one. */
export const serverConfig = (options: NatsServerOptions, files: Files, port: number): string =>
  [
    `listen: "127.0.0.1:${port === 0 ? -1 : port}"`,
    ...(options.serverName === undefined ? [] : [`server_name: ${JSON.stringify(options.serverName)}`]),
    `ports_file_dir: ${JSON.stringify(files.ports)}`,
    `jetstream { store_dir: ${JSON.stringify(files.jetStream)} }`,
    options.extraConfig ?? "",
    ""
  ].join("\n")

/** The server writes its ports file once clients can connect; a server that ends first has its reason in the log. */
const ready = Effect.fnUntraced(function* (state: State, child: Tethered) {
  const ended = Effect.gen(function* () {
    const status = yield* child.exited
    return yield* failed(state, `ended while starting (${status})`, yield* lastLines(state.files.log))
  })
  const listening = Effect.repeat(readPort(state, child), {
    schedule: Schedule.spaced("20 millis"),
    until: (port) => port !== undefined
  })
  const port = yield* Effect.raceFirst(listening, ended).pipe(Effect.timeoutOption(Duration.seconds(readySeconds)))
  return (
    Option.getOrUndefined(port) ??
    (yield* failed(state, `was not ready within ${readySeconds} s`, yield* lastLines(state.files.log)))
  )
})

const PortsFile = Schema.fromJsonString(Schema.Struct({ nats: Schema.NonEmptyArray(Schema.String) }))
const decodePortsFile = Schema.decodeUnknownOption(PortsFile)

const readPort = ({ options, files }: State, child: Tethered): Effect.Effect<number | undefined> =>
  Effect.promise(async () => {
    const name = `${options.binary.path.split("/").at(-1)}_${child.pid}.ports`
    const text = await readFile(join(files.ports, name), "utf8").catch(() => "")
    return Option.match(decodePortsFile(text), {
      onNone: () => undefined,
      onSome: ({ nats }) => Number(new URL(nats[0]).port)
    })
  })

const end = Effect.fnUntraced(
  function* (state: State, signal: "SIGTERM" | "SIGKILL") {
    const child = yield* Ref.getAndSet(state.running, Option.none())
    if (Option.isNone(child)) return
    yield* child.value.signal(signal)
    const gone = yield* Effect.timeoutOption(child.value.exited, Duration.seconds(stopSeconds))
    if (Option.isSome(gone)) return
    yield* child.value.signal("SIGKILL")
    yield* child.value.exited
  },
  Effect.uninterruptible,
  realTime
)

const failed = (state: State, what: string, log: string) =>
  new NatsServerFailed({ what, logFile: state.files.log, log })

const lastLines = (file: string): Effect.Effect<string> =>
  Effect.promise(async () => {
    const text = await readFile(file, "utf8").catch(() => "")
    return text.trimEnd().split("\n").slice(-5).join("\n")
  })
