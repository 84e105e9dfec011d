import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { connect as connectSocket, createServer, type Socket } from "node:net"
import { join } from "node:path"
import { assert, describe, it, layer } from "@effect/vitest"
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import { connect, type NatsConnection } from "@nats-io/transport-node"
import { Effect } from "effect"
import { obtainNatsServer } from "#bus/server/NatsBinary.ts"
import { NatsServer, type NatsServerHandle, runNatsServer } from "#bus/server/NatsServer.ts"
import { layerTestWith, onNatsServers, runTestServer, tempFolder } from "#test/support/NatsServer.ts"

const withClient = <A>(server: NatsServerHandle, use: (client: NatsConnection) => Promise<A>) =>
  Effect.acquireUseRelease(
    Effect.promise(() => connect({ servers: server.url, reconnect: false })),
    (client) => Effect.promise(() => use(client)),
    (client) => Effect.promise(() => client.close())
  )

const store = (client: NatsConnection) =>
  jetstreamManager(client)
    .then((manager) => manager.streams.add({ name: "KEPT", subjects: ["kept"] }))
    .then(() => jetstream(client).publish("kept", "a"))

const messagesKept = (client: NatsConnection) =>
  jetstreamManager(client)
    .then((manager) => manager.streams.info("KEPT"))
    .then((info) => info.state.messages)

/** Completes when the other side is gone: the operating system closes a dead process's connections. */
const closed = (socket: Socket) =>
  Effect.callback<void>((resume) => {
    if (socket.closed) return resume(Effect.void)
    socket.once("close", () => resume(Effect.void))
  })

const socketTo = (port: number) =>
  Effect.callback<Socket, Error>((resume) => {
    const socket = connectSocket(port, "127.0.0.1", () => resume(Effect.succeed(socket.resume())))
    socket.on("error", (error) => resume(Effect.fail(error)))
  })

await onNatsServers("a test's server", (binary) => {
  layer(layerTestWith({ binary, serverName: "here" }))((it) => {
    it.effect("is that version, under that name, with JetStream, on loopback alone", () =>
      Effect.gen(function* () {
        const server = yield* NatsServer
        const info = yield* withClient(server, (client) => Promise.resolve(client.info))
        assert.strictEqual(info?.version, binary.version)
        assert.strictEqual(info?.server_name, "here")
        assert.isTrue(info?.jetstream)
        assert.strictEqual(info?.host, "127.0.0.1")
      })
    )

    it.effect("keeps its port and what it stored over a restart and over a kill", () =>
      Effect.gen(function* () {
        const server = yield* NatsServer
        yield* withClient(server, store)
        yield* server.restart
        assert.strictEqual(yield* withClient(server, messagesKept), 1)
        yield* server.kill
        yield* server.start
        yield* server.start
        assert.strictEqual(yield* withClient(server, messagesKept), 1)
      })
    )

    it.effect("answers nobody after stop", () =>
      Effect.gen(function* () {
        const server = yield* NatsServer
        yield* server.stop
        yield* server.stop
        const refused = yield* Effect.flip(socketTo(server.port))
        assert.include(refused.message, "ECONNREFUSED")
        yield* server.start
      })
    )
  })
})

describe("a server's end", () => {
  it.effect("comes with its scope, and the folder goes too", () =>
    Effect.gen(function* () {
      const [socket, logFile] = yield* Effect.scoped(
        Effect.gen(function* () {
          const server = yield* runTestServer()
          return [yield* socketTo(server.port), server.logFile] as const
        })
      )
      yield* closed(socket)
      assert.isFalse(existsSync(logFile))
    })
  )

  it.live("comes when its owner is killed with SIGKILL: it never stays behind", () =>
    Effect.gen(function* () {
      const { binary, storeDir } = yield* aBinaryAndFolder
      const owner = spawn(process.execPath, [join(import.meta.dirname, "fixtures/owner.ts"), binary.path, storeDir], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      const port = yield* Effect.callback<number>((resume) => {
        owner.stdout.once("data", (line) => resume(Effect.succeed(Number(line))))
      })
      const socket = yield* socketTo(port)
      owner.kill("SIGKILL")
      yield* closed(socket)
    })
  )

  it.live("that nobody asked for is reported with the last lines of its log", () =>
    Effect.gen(function* () {
      const server = yield* runTestServer()
      process.kill(pidIn(server.logFile), "SIGKILL")
      const failure = yield* Effect.flip(server.died)
      assert.include(failure.message, "ended unexpectedly (SIGKILL)")
      assert.include(failure.log, "Server is ready")
      yield* server.start
      yield* socketTo(server.port)
    })
  )
})

describe("a server that cannot start", () => {
  it.live("because the port is taken says so and what to do", () =>
    Effect.gen(function* () {
      const { binary, storeDir } = yield* aBinaryAndFolder
      const taken = createServer()
      const port = yield* Effect.acquireRelease(
        Effect.callback<number>((resume) => {
          taken.listen(0, "127.0.0.1", () => {
            const address = taken.address()
            resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
          })
        }),
        () => Effect.sync(() => void taken.close())
      )
      const failure = yield* Effect.flip(runNatsServer({ binary, storeDir, port }))
      assert.include(failure.message, "choose another")
      assert.include(failure.log, "address already in use")
    })
  )

  it.live("because of its configuration shows the server's own words", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(runTestServer({ extraConfig: "nonsense: [" }))
      assert.include(failure.message, "ended while starting (1)")
      assert.include(failure.message, "Parse error on line 5")
    })
  )

  it.live("because there is no such program says so", () =>
    Effect.gen(function* () {
      const binary = { path: "/nowhere/nats-server", version: "2.9.10", source: "test" }
      const failure = yield* Effect.flip(runTestServer({ binary }))
      assert.include(failure.message, "could not be started: spawn /nowhere/nats-server ENOENT")
    })
  )
})

const aBinaryAndFolder = Effect.all({ binary: obtainNatsServer(), storeDir: tempFolder("nats") })

/** Each line of the server's log begins with its process id. */
const pidIn = (logFile: string): number => Number(/^\[(\d+)\]/.exec(readFileSync(logFile, "utf8"))?.[1])
