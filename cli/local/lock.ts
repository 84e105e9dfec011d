/**
 * One `fleet up` a folder: two of them would write the same JetStream files. A process id alone cannot tell whether the
 * other still lives, because ids are used again (in a container even by ourselves after a restart). So the holder
 * listens on a loopback port and answers with the token that stands in its file; where nobody does, the file was left
 * behind by a process that was killed.
 */

import { randomUUID } from "node:crypto"
import { mkdir, rename, rm, writeFile } from "node:fs/promises"
import { type AddressInfo, connect, createServer, type Server } from "node:net"
import { Effect, Schema, type Scope } from "effect"
import { readUpFile, type UpFile, upFilePath } from "./home.ts"

/** Another `fleet up` runs in the same folder. */
export class FleetRunning extends Schema.TaggedError<FleetRunning>()("FleetRunning", {
  home: Schema.String,
  pid: Schema.Int,
  natsUrl: Schema.optionalKey(Schema.String)
}) {
  override get message() {
    const at = this.natsUrl === undefined ? "" : ` (NATS at ${this.natsUrl})`
    return (
      `A fleet runs in ${this.home} already: process ${this.pid}${at}. Use it, stop it with Ctrl-C there, or start ` +
      "another one with FLEET_HOME set to another folder and --nats-port and --aws-port to other ports."
    )
  }
}

/** The folder cannot be used. */
export class HomeUnusable extends Schema.TaggedError<HomeUnusable>()("HomeUnusable", {
  home: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The folder ${this.home} cannot be used: ${this.reason}. Choose another one with FLEET_HOME.`
  }
}

/** How long a holder may take to answer. */
const ANSWER_MILLIS = 1_000

/** Held until the scope ends; `announce` tells other commands where NATS listens. */
export interface HeldHome {
  readonly announce: (natsUrl: string) => Effect.Effect<void, HomeUnusable>
}

/** Takes the folder, or fails if a living process has it. */
export const holdHome = Effect.fnUntraced(function* (
  home: string
): Effect.fn.Return<HeldHome, FleetRunning | HomeUnusable, Scope.Scope> {
  const usable = <A>(use: () => Promise<A>) =>
    Effect.tryPromise({ try: use, catch: (cause) => new HomeUnusable({ home, reason: reasonOf(cause) }) })
  yield* usable(() => mkdir(home, { recursive: true }))
  const other = readUpFile(home)
  if (other !== undefined && (yield* Effect.promise(() => answers(other)))) {
    const { pid, natsUrl } = other
    return yield* new FleetRunning({ home, pid, ...(natsUrl === undefined ? {} : { natsUrl }) })
  }
  const token = randomUUID()
  const server = yield* Effect.acquireRelease(
    usable(() => listen(token)),
    (listening) => Effect.promise(() => close(listening))
  )
  const { port } = server.address() as AddressInfo
  const file: UpFile = { pid: process.pid, port, token }
  const write = (content: UpFile) => usable(() => replace(upFilePath(home), content))
  yield* Effect.acquireRelease(write(file), () => Effect.promise(() => removeOwn(home, token)))
  return { announce: (natsUrl) => write({ ...file, natsUrl }) }
})

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

const listen = (token: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.on("error", () => undefined).end(token))
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => resolve(server))
  })

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()))

/** Readers never see half a file. */
const replace = async (path: string, content: UpFile): Promise<void> => {
  const fresh = `${path}.${content.pid}`
  await writeFile(fresh, JSON.stringify(content))
  await rename(fresh, path)
}

const removeOwn = async (home: string, token: string): Promise<void> => {
  if (readUpFile(home)?.token === token) await rm(upFilePath(home), { force: true })
}

const answers = ({ port, token }: UpFile): Promise<boolean> =>
  new Promise((resolve) => {
    let heard = ""
    const socket = connect({ host: "127.0.0.1", port, timeout: ANSWER_MILLIS })
    const done = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket
      .on("data", (chunk) => {
        heard = (heard + chunk.toString("utf8")).slice(0, token.length + 1)
      })
      .on("end", () => done(heard === token))
      .on("error", () => done(false))
      .on("timeout", () => done(false))
  })
