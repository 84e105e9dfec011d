import { randomUUID } from "node:crypto"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { Effect, FiberSet, Schema, type Scope } from "effect"
import type { WireReply, WireRequest } from "./decide.ts"

/** HTTP, and nothing of AWS: reads requests up to a limit, writes replies, and ends within `closeMillis`. */
export interface Listening {
  readonly port: number
}

export interface ServerOptions {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  readonly requestBytesMax: number
}

export class CannotListen extends Schema.TaggedError<CannotListen>()("CannotListen", {
  host: Schema.String,
  port: Schema.Int,
  cause: Schema.Defect()
}) {
  override get message() {
    return (
      `local-aws cannot listen on ${this.host}:${this.port} (${String(this.cause)}); another one may run already: ` +
      "stop it, or set LOCAL_AWS_PORT to another port, 0 for any free one"
    )
  }
}

/** AWS keeps idle connections longer than clients do; so that a client never writes into one being closed. */
const keepAliveMillis = 75_000

/** Requests in flight have this long to end when the server closes. */
const closeMillis = 500

type Answer = (request: WireRequest, requestId: string) => Effect.Effect<WireReply>

/** Serves until the scope closes. */
export const serve = Effect.fnUntraced(function* (
  options: ServerOptions,
  answer: Answer
): Effect.fn.Return<Listening, CannotListen, Scope.Scope> {
  const run = yield* FiberSet.makeRuntime<never, void, never>()
  const server = createServer({ keepAliveTimeout: keepAliveMillis }, (incoming, response) => {
    const requestId = randomUUID()
    readBody(incoming, options.requestBytesMax, (body) => {
      if (body === undefined) return refuseLarge(incoming, response, requestId, options.requestBytesMax)
      const reply = answer(requestOf(incoming, body), requestId)
      run(
        Effect.map(reply, (reply) =>
          reply.isReset === true ? incoming.socket.resetAndDestroy() : write(response, reply, requestId)
        )
      )
    })
  })
  const port = yield* Effect.acquireRelease(listen(server, options), () => close(server))
  return { port }
})

const listen = (server: Server, { host, port }: ServerOptions): Effect.Effect<number, CannotListen> =>
  Effect.callback((resume) => {
    server.once("error", (cause) => resume(new CannotListen({ host, port, cause })))
    server.listen(port, host, () => {
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
    })
  })

const close = (server: Server): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const patience = setTimeout(() => server.closeAllConnections(), closeMillis)
    server.close(() => {
      clearTimeout(patience)
      resume(Effect.void)
    })
    server.closeIdleConnections()
  })

/** The whole body as text, or undefined as soon as it is larger than `bytesMax`; nothing if the client goes away. */
const readBody = (incoming: IncomingMessage, bytesMax: number, done: (body: string | undefined) => void): void => {
  const chunks: Array<Buffer> = []
  let bytes = 0
  incoming.on("error", () => {})
  incoming.on("data", (chunk: Buffer) => {
    const isFirstTooMany = bytes <= bytesMax && bytes + chunk.length > bytesMax
    bytes += chunk.length
    if (bytes <= bytesMax) chunks.push(chunk)
    else if (isFirstTooMany) done(undefined)
  })
  incoming.on("end", () => {
    if (bytes <= bytesMax) done(Buffer.concat(chunks).toString("utf8"))
  })
}

const requestOf = (incoming: IncomingMessage, body: string): WireRequest => {
  const [path = "/", query = ""] = (incoming.url ?? "/").split("?", 2)
  return {
    method: incoming.method ?? "GET",
    path,
    query,
    headers: Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value])
    ),
    body
  }
}

const write = (response: ServerResponse, reply: WireReply, requestId: string): void => {
  response.writeHead(reply.status, {
    "content-type": reply.contentType,
    "content-length": Buffer.byteLength(reply.body),
    "x-amzn-requestid": requestId
  })
  response.end(reply.body)
}

const refuseLarge = (
  incoming: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  bytesMax: number
): void => {
  const error = { __type: "RequestEntityTooLargeException", message: `A request has at most ${bytesMax} bytes here.` }
  response.setHeader("connection", "close")
  response.once("finish", () => incoming.destroy())
  write(response, { status: 413, contentType: "application/x-amz-json-1.1", body: JSON.stringify(error) }, requestId)
}
