import type { IncomingMessage } from "node:http"
import { Context, Deferred, Effect, Fiber, Layer, Schema } from "effect"
import { type ContainerExit, type ContainerSpec, type Runtime, RuntimeRefused } from "#aws/model/Runtime.ts"
import {
  cannotCreate,
  cannotPull,
  cannotStart,
  createBody,
  EngineInfo,
  instanceLabel,
  type Ownership,
  outOfMemory,
  ownerLabel,
  pullError,
  readFrames,
  splitReference
} from "./dockerRequests.ts"
import { type Engine, EngineRefused, type EngineUnreachable, makeEngine } from "./Engine.ts"
import { cut, flush, noBytes } from "./lines.ts"

export interface DockerSettings extends Ownership {
  /** As in Docker's variable `DOCKER_HOST`. */
  readonly dockerHost: string
  /** The Docker network of every container. */
  readonly network: string
}

/**
 * Runs each container of a task as a container of a Docker engine: attached to before it starts, so that no line is
 * missed, and removed with its scope, however that ends. What a killed local-aws left behind bears its owner's label.
 */
export class DockerRuntime extends Context.Service<
  DockerRuntime,
  {
    readonly start: Runtime["Service"]["start"]
    /** Removes containers of this owner that another process made. Only for whoever is sure to be the only one now. */
    readonly removeLeftovers: Effect.Effect<void>
  }
>()("local-aws/DockerRuntime") {
  static readonly layer = (settings: DockerSettings) => Layer.effect(DockerRuntime, make(settings))
}

/** The runtime `docker` was asked for, and there is no engine. */
export class EngineMissing extends Schema.TaggedError<EngineMissing>()("EngineMissing", {
  dockerHost: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return (
      `local-aws cannot run tasks with Docker (${this.reason}). Start Docker, set DOCKER_HOST (now ${this.dockerHost}), ` +
      "let this user use its socket, or set LOCAL_AWS_RUNTIME to process"
    )
  }
}

type EngineError = EngineRefused | EngineUnreachable

const make = Effect.fnUntraced(function* (settings: DockerSettings) {
  const engine = makeEngine(settings.dockerHost)
  const info = yield* engine.call("GET", "/info").pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(EngineInfo)),
    Effect.mapError(({ message }) => new EngineMissing({ dockerHost: settings.dockerHost, reason: message }))
  )
  return DockerRuntime.of({
    start: (spec, output) => start({ engine, info, settings }, spec, output),
    removeLeftovers: removeLeftovers(engine, settings)
  })
})

interface Host {
  readonly engine: Engine
  readonly info: EngineInfo
  readonly settings: DockerSettings
}

const refusedAs = (words: (reason: string) => string) =>
  Effect.mapError(({ message }: EngineError) => new RuntimeRefused({ reason: words(message) }))

const start = Effect.fnUntraced(function* (host: Host, spec: ContainerSpec, output: (line: string) => void) {
  const { engine } = host
  yield* pull(engine, spec.image)
  const id = yield* Effect.acquireRelease(create(host, spec), (id) => remove(engine, id))
  const attached = yield* engine
    .open(`/containers/${id}/attach?stream=1&stdout=1&stderr=1`)
    .pipe(refusedAs(cannotStart))
  const drained = passLines(attached, output)
  yield* engine.call("POST", `/containers/${id}/start`).pipe(refusedAs(cannotStart))
  const ending = yield* Effect.forkScoped(Effect.orDie(exitOf(engine, id, drained)))
  let isAsked = false
  const stop = Effect.suspend(() => {
    if (isAsked) return Effect.void
    isAsked = true
    return askToStop(engine, id, spec)
  })
  return { exit: Fiber.join(ending), stop, execute: execute(engine, id) }
})

/** As the ECS agent with `prefer-cached`: an image that is here already is taken as it is. */
const pull = (engine: Engine, image: string): Effect.Effect<void, RuntimeRefused> =>
  engine.call("GET", `/images/${encodeURI(image)}/json`).pipe(
    Effect.asVoid,
    Effect.catchTag("EngineRefused", (refused) => (refused.status === 404 ? fetchImage(engine, image) : refused)),
    refusedAs(cannotPull)
  )

const fetchImage = Effect.fnUntraced(function* (engine: Engine, image: string) {
  const { name, tag } = splitReference(image)
  const query = new URLSearchParams({ fromImage: name, tag })
  const error = pullError(yield* engine.call("POST", `/images/create?${query}`))
  if (error !== undefined) return yield* new EngineRefused({ status: 200, reason: error })
})

const Created = Schema.fromJsonString(Schema.Struct({ Id: Schema.String }))
const idOf = (answer: string) => Effect.orDie(Effect.map(Schema.decodeUnknownEffect(Created)(answer), ({ Id }) => Id))

const create = ({ engine, info, settings }: Host, spec: ContainerSpec): Effect.Effect<string, RuntimeRefused> => {
  const taskId = spec.taskArn.slice(spec.taskArn.lastIndexOf("/") + 1)
  const query = new URLSearchParams({ name: `ecs-${taskId}-${spec.containerName}` })
  const body = createBody(spec, settings, settings.network, info)
  return engine.call("POST", `/containers/create?${query}`, body).pipe(refusedAs(cannotCreate), Effect.flatMap(idOf))
}

const remove = (engine: Engine, id: string): Effect.Effect<void> =>
  engine.call("DELETE", `/containers/${id}?force=1&v=1`).pipe(
    Effect.catchTag("EngineRefused", (refused) =>
      // Gone already, or on its way.
      refused.status === 404 || refused.status === 409 ? Effect.void : Effect.logWarning(refused.message)
    ),
    Effect.catchTag("EngineUnreachable", ({ message }) => Effect.logWarning(message)),
    Effect.asVoid
  )

/** Passes on what comes, line by line, each stream for itself; completes when all of it has come. */
const passLines = (attached: IncomingMessage, output: (line: string) => void): Deferred.Deferred<void> => {
  const drained = Deferred.makeUnsafe<void>()
  const unfinished = new Map<number, Buffer>()
  let rest: Buffer = noBytes
  attached.on("data", (chunk: Buffer) => {
    const read = readFrames(rest, chunk)
    rest = read.rest
    for (const { bytes, stream } of read.frames) {
      const next = cut(unfinished.get(stream) ?? noBytes, bytes)
      unfinished.set(stream, next.rest)
      for (const line of next.lines) output(line)
    }
  })
  attached.on("error", () => {})
  attached.once("close", () => {
    for (const left of unfinished.values()) for (const line of flush(left)) output(line)
    Deferred.doneUnsafe(drained, Effect.void)
  })
  return drained
}

/** The engine closes the stream when it has passed on everything; one that does not is waited for no longer. */
const drainSeconds = 5

const Waited = Schema.fromJsonString(Schema.Struct({ StatusCode: Schema.Int }))
const Inspected = Schema.fromJsonString(Schema.Struct({ State: Schema.Struct({ OOMKilled: Schema.Boolean }) }))

const exitOf = Effect.fnUntraced(function* (engine: Engine, id: string, drained: Deferred.Deferred<void>) {
  const waited = yield* engine.call("POST", `/containers/${id}/wait`)
  const { StatusCode: exitCode } = yield* Schema.decodeUnknownEffect(Waited)(waited)
  const { State } = yield* Schema.decodeUnknownEffect(Inspected)(yield* engine.call("GET", `/containers/${id}/json`))
  yield* Effect.timeoutOption(Deferred.await(drained), `${drainSeconds} seconds`)
  const exit: ContainerExit = State.OOMKilled ? { exitCode, reason: outOfMemory } : { exitCode }
  return exit
})

/** The engine sends the image's STOPSIGNAL, else SIGTERM, and SIGKILL after the timeout; `exit` tells the end. */
const askToStop = (engine: Engine, id: string, spec: ContainerSpec): Effect.Effect<void> =>
  engine.call("POST", `/containers/${id}/stop?t=${Math.ceil(spec.stopTimeoutSeconds)}`).pipe(
    Effect.asVoid,
    Effect.catch(() => remove(engine, id))
  )

const Executed = Schema.fromJsonString(Schema.Struct({ ExitCode: Schema.Int }))

const execute =
  (engine: Engine, id: string) =>
  (command: ReadonlyArray<string>): Effect.Effect<number, RuntimeRefused> =>
    Effect.gen(function* () {
      const body = { Cmd: command, AttachStdout: true, AttachStderr: true }
      const check = yield* engine.call("POST", `/containers/${id}/exec`, body).pipe(Effect.flatMap(idOf))
      yield* engine.call("POST", `/exec/${check}/start`, { Detach: false, Tty: false })
      const ended = yield* engine.call("GET", `/exec/${check}/json`)
      return (yield* Effect.orDie(Schema.decodeUnknownEffect(Executed)(ended))).ExitCode
    }).pipe(refusedAs((reason) => reason))

const Listed = Schema.fromJsonString(
  Schema.Array(Schema.Struct({ Id: Schema.String, Labels: Schema.Record(Schema.String, Schema.String) }))
)

const removeLeftovers = (engine: Engine, { instance, owner }: Ownership): Effect.Effect<void> =>
  Effect.gen(function* () {
    const filters = JSON.stringify({ label: [`${ownerLabel}=${owner}`] })
    const query = new URLSearchParams({ all: "1", filters })
    const found = yield* Schema.decodeUnknownEffect(Listed)(yield* engine.call("GET", `/containers/json?${query}`))
    const left = found.filter(({ Labels }) => Labels[instanceLabel] !== instance)
    yield* Effect.forEach(left, ({ Id }) => remove(engine, Id), { concurrency: 8, discard: true })
    if (left.length > 0) yield* Effect.logWarning(`removed ${left.length} containers that an earlier local-aws left`)
  }).pipe(
    Effect.catch(({ message }) => Effect.logWarning(`containers of an earlier local-aws may be left: ${message}`))
  )
