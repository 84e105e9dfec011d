import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { Effect, type Scope } from "effect"

/** An HTTP server on a free port of loopback that ends with the scope; its URL. An answer that fails breaks its connection. */
export const listen = (
  answer: (incoming: IncomingMessage, response: ServerResponse) => Promise<void>
): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<Server>((resolve) => {
          const server = createServer((incoming, response) => {
            answer(incoming, response).catch((cause: unknown) => response.destroy(new Error(String(cause))))
          })
          server.listen(0, "127.0.0.1", () => resolve(server))
        })
    ),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  ).pipe(
    Effect.map((server) => {
      const address = server.address()
      return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
    })
  )

export const bodyOf = async (incoming: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString("utf8")
}

/** Hands a request on, its headers unchanged; what came back, as text. */
export const handOn = async (to: string, incoming: IncomingMessage, body: string) => {
  const { host: _host, connection: _connection, "content-length": _length, ...headers } = incoming.headers
  const answer = await fetch(`${to}${incoming.url}`, {
    method: incoming.method ?? "GET",
    headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
    ...(body === "" ? {} : { body })
  })
  return {
    status: answer.status,
    contentType: answer.headers.get("content-type") ?? "text/plain",
    text: await answer.text()
  }
}

export const write = (response: ServerResponse, status: number, contentType: string, body: string): void => {
  response.writeHead(status, { "content-type": contentType })
  response.end(body)
}
