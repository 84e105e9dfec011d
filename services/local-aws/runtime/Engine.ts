import { type IncomingMessage, request } from "node:http"
import { Effect, Schema, type Scope } from "effect"
import { parseDockerHost } from "./EngineAddress.ts"

/**
 * Docker's API over plain HTTP: ten calls, which have been the same for years, are no reason for a client library and
 * what it brings (dockerode: gRPC and protobuf). Paths bear no version, so that each engine answers in its own.
 */
export interface Engine {
  /** Fails with `EngineRefused` for every status from 400 on. */
  readonly call: (
    method: "GET" | "POST" | "DELETE",
    path: string,
    body?: object
  ) => Effect.Effect<string, EngineRefused | EngineUnreachable>
  /** The answer while it comes; closed with the scope. */
  readonly open: (
    path: string,
    body?: object
  ) => Effect.Effect<IncomingMessage, EngineRefused | EngineUnreachable, Scope.Scope>
}

/** The engine said no, in its own words. */
export class EngineRefused extends Schema.TaggedError<EngineRefused>()("EngineRefused", {
  status: Schema.Int,
  reason: Schema.String
}) {
  override get message() {
    return `Error response from daemon: ${this.reason}`
  }
}

/** Nobody answered, or the connection broke. */
export class EngineUnreachable extends Schema.TaggedError<EngineUnreachable>()("EngineUnreachable", {
  url: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `Cannot connect to the Docker daemon at ${this.url} (${this.reason}). Is the docker daemon running?`
  }
}

const ApiError = Schema.fromJsonString(Schema.Struct({ message: Schema.String }))
const decodeApiError = Schema.decodeUnknownOption(ApiError)

/** The engine's words: its JSON's `message`, else the whole body. */
export const reasonIn = (body: string): string => {
  const decoded = decodeApiError(body)
  return decoded._tag === "Some" ? decoded.value.message : body.trim()
}

const notServed =
  "only unix:///PATH and tcp://HOST:PORT are served; of an engine behind SSH or TLS forward the socket: " +
  "ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST"

const textOf = async (response: IncomingMessage): Promise<string> =>
  Buffer.concat((await response.toArray()) as ReadonlyArray<Buffer>).toString("utf8")

/** The engine at this `DOCKER_HOST`. */
export const makeEngine = (dockerHost: string): Engine => {
  const address = parseDockerHost(dockerHost)
  const unreachable = (cause: unknown) =>
    new EngineUnreachable({ url: dockerHost, reason: cause instanceof Error ? cause.message : String(cause) })

  const send = (method: string, path: string, body?: object): Effect.Effect<IncomingMessage, EngineUnreachable> =>
    Effect.callback((resume) => {
      if (address === undefined) return resume(Effect.fail(unreachable(notServed)))
      const content = body === undefined ? "" : JSON.stringify(body)
      const headers = {
        host: "docker",
        "content-type": "application/json",
        "content-length": Buffer.byteLength(content)
      }
      const sent = request({ ...address, method, path, headers, agent: false }, (response) =>
        resume(Effect.succeed(response))
      )
      sent.on("error", (error) => resume(Effect.fail(unreachable(error))))
      sent.end(content)
      return Effect.sync(() => sent.destroy())
    })

  const text = (response: IncomingMessage) =>
    Effect.tryPromise({ try: () => textOf(response), catch: unreachable }).pipe(
      Effect.onInterrupt(() => Effect.sync(() => response.destroy()))
    )

  const accepted = (response: IncomingMessage): Effect.Effect<IncomingMessage, EngineRefused | EngineUnreachable> => {
    const status = response.statusCode ?? 0
    if (status < 400) return Effect.succeed(response)
    return Effect.flatMap(text(response), (body) => Effect.fail(new EngineRefused({ status, reason: reasonIn(body) })))
  }

  return {
    call: (method, path, body) => send(method, path, body).pipe(Effect.flatMap(accepted), Effect.flatMap(text)),
    open: (path, body) =>
      Effect.acquireRelease(send("POST", path, body), (response) => Effect.sync(() => response.destroy())).pipe(
        Effect.flatMap(accepted)
      )
  }
}
