import { createServer, type Server, type Socket, connect as tcpConnect } from "node:net"
import { Effect } from "effect"

/** What to do with publishes that come by. */
export type Loss = "request" | "answer"

/** A TCP proxy before a nats-server that loses what it is told to lose, as a network does: by breaking the connection. */
export interface LossyProxy {
  readonly url: string
  /** Breaks the connection at each of the next `times` publishes: before the server has it, or before its answer arrives. */
  readonly lose: (what: Loss, times: number) => void
  /** Breaks the connection for good and admits no other: to the server the client is dead, without a word. */
  readonly sever: () => void
}

interface Link {
  readonly client: Socket
  readonly server: Socket
  /** The answer to a publish is on its way here and shall not arrive. */
  swallowing: boolean
}

interface State {
  readonly links: Set<Link>
  what: Loss
  times: number
  severed: boolean
}

/** The proxy listens on a free loopback port until the scope ends. */
export const startLossyProxy = Effect.fnUntraced(function* (serverPort: number) {
  const state: State = { links: new Set(), what: "request", times: 0, severed: false }
  const listener = yield* Effect.acquireRelease(
    Effect.promise(() => listen((client) => admit(state, client, serverPort))),
    (server) => Effect.sync(() => close(state, server))
  )
  const address = listener.address()
  if (address === null || typeof address === "string") return yield* Effect.die("the proxy has no port")
  const proxy: LossyProxy = {
    url: `nats://127.0.0.1:${address.port}`,
    lose: (what, times) => {
      state.what = what
      state.times = times
    },
    sever: () => {
      state.severed = true
      for (const link of state.links) cut(state, link)
    }
  }
  return proxy
})

const listen = (admitClient: (client: Socket) => void): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer(admitClient)
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => resolve(server))
  })

const close = (state: State, server: Server): void => {
  for (const link of state.links) cut(state, link)
  server.close()
}

const cut = (state: State, link: Link): void => {
  state.links.delete(link)
  link.client.destroy()
  link.server.destroy()
}

const admit = (state: State, client: Socket, serverPort: number): void => {
  if (state.severed) {
    client.destroy()
    return
  }
  const link: Link = { client, server: tcpConnect(serverPort, "127.0.0.1"), swallowing: false }
  state.links.add(link)
  client.on("data", (chunk: Buffer) => upstream(state, link, chunk))
  link.server.on("data", (chunk: Buffer) => downstream(state, link, chunk))
  for (const socket of [client, link.server]) {
    socket.on("error", () => cut(state, link))
    socket.on("close", () => cut(state, link))
  }
}

/** The client publishes with headers (`HPUB`) whenever it waits for a stream's acknowledgement. */
const upstream = (state: State, link: Link, chunk: Buffer): void => {
  if (state.times > 0 && /(^|\n)HPUB [^$]/.test(chunk.toString("latin1"))) {
    state.times--
    if (state.what === "request") {
      cut(state, link)
      return
    }
    link.swallowing = true
  }
  link.server.write(chunk)
}

const downstream = (state: State, link: Link, chunk: Buffer): void => {
  if (link.swallowing && chunk.toString("latin1").includes('"seq":')) cut(state, link)
  else link.client.write(chunk)
}
