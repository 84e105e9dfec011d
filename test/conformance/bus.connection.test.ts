import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { nkeys } from "@nats-io/transport-node"
import { Deferred, Effect, Exit, Fiber, Layer, Option, Redacted, Stream } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { Bus } from "#bus/Bus.ts"
import { BusSettings, defaultBusSettings } from "#bus/BusSettings.ts"
import { Connection, type ConnectionOptions } from "#bus/Connection.ts"
import { Consumer, Verdict } from "#bus/Consumer.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { Topology } from "#bus/Topology.ts"
import { onNatsServers, runTestServer, type TestServerOptions, tempFolder } from "#test/support/NatsServer.ts"
import { durableOptions, quiet, roomOf } from "./bus.facts.ts"

const user = nkeys.createUser()

/** What a service needs that may create nothing: one stream to write, one durable, one bucket, dead letters, replays. */
const serviceRights = [
  "room.*",
  "dead.room.*",
  "$KV.room.>",
  "$JS.API.STREAM.INFO.KV_room",
  "$JS.API.STREAM.MSG.GET.*",
  "$JS.API.STREAM.MSG.DELETE.KV_room",
  "$JS.API.CONSUMER.INFO.ROOM.*",
  "$JS.API.CONSUMER.MSG.NEXT.ROOM.>",
  "$JS.API.CONSUMER.MSG.NEXT.KV_room.>",
  "$JS.API.CONSUMER.CREATE.ROOM.>",
  "$JS.API.CONSUMER.CREATE.KV_room.>",
  "$JS.API.CONSUMER.DELETE.ROOM.>",
  "$JS.API.CONSUMER.DELETE.KV_room.>",
  "$JS.ACK.ROOM.>"
]

const accounts = `
accounts {
  FLEET {
    jetstream: enabled
    users: [
      { user: admin, password: "adm1n" }
      { nkey: ${user.getPublicKey()} }
      { user: reader, password: reader, permissions: {
        publish: { allow: ["$JS.API.STREAM.INFO.>", "$JS.API.CONSUMER.INFO.>", "$JS.API.STREAM.MSG.GET.>"] }
        subscribe: { allow: ["_INBOX_reader.>"] }
      } }
      { user: service, password: service, permissions: {
        publish: { allow: ${JSON.stringify(serviceRights)} }
        subscribe: { allow: ["_INBOX_service.>"] }
      } }
    ]
  }
}`

const secret = (text: string) => Redacted.make(text)

const admin = { user: "admin", pass: secret("adm1n") }
const reader = { user: "reader", pass: secret("reader"), inboxPrefix: "_INBOX_reader" }
const service = { user: "service", pass: secret("service"), inboxPrefix: "_INBOX_service" }

type Account = Partial<ConnectionOptions>

/** The ports of one client; it waits for nothing longer than a moment. */
const client = (url: string, account: Account, settings: Partial<typeof defaultBusSettings> = {}) =>
  Layer.build(Layer.fresh(Bus.layer({ servers: [url], name: "test", ...account }))).pipe(
    Effect.provideService(BusSettings, { ...defaultBusSettings, ...settings }),
    quiet
  )

/** An authority and one certificate for 127.0.0.1, good for server and client, made for this test. */
const makeCertificates = Effect.gen(function* () {
  const folder = yield* tempFolder("tls")
  const at = (name: string) => join(folder, name)
  const openssl = (...args: ReadonlyArray<string>) =>
    Effect.sync(() => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" }))
  writeFileSync(at("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
  const newKey = ["-newkey", "rsa:2048", "-nodes"]
  yield* openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test", "-days", "2")
  yield* openssl("req", ...newKey, "-keyout", "key.pem", "-out", "request", "-subj", "/CN=127.0.0.1")
  const sign = ["-req", "-in", "request", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"]
  yield* openssl("x509", ...sign, "-extfile", "names", "-out", "cert.pem")
  return { caFile: at("ca.pem"), certFile: at("cert.pem"), keyFile: at("key.pem") }
})

const room = roomOf("room")
const setUp = Topology.use((topology) => topology.ensure(room.spec)).pipe(quiet)

await onNatsServers("bus connection", (binary) => {
  const options: TestServerOptions = { binary, extraConfig: accounts }

  it.live("without a server it fails when its time is over, and names the address", () =>
    Effect.gen(function* () {
      const server = yield* runTestServer({ binary })
      yield* server.stop
      const error = yield* Effect.flip(client(server.url, { connectWaitSeconds: 0.3 }))
      assert.strictEqual(error.reason, "NoAnswer")
      assert.include(error.message, server.url)
    }).pipe(Effect.scoped)
  )

  it.live("waits for a server that comes late", () =>
    Effect.gen(function* () {
      const server = yield* runTestServer({ binary })
      yield* server.stop
      const waiting = yield* Effect.forkChild(client(server.url, {}), { startImmediately: true })
      yield* server.start
      const ports = yield* Fiber.join(waiting)
      yield* setUp.pipe(Effect.provideContext(ports))
    }).pipe(Effect.scoped)
  )

  it.live("can be interrupted while it waits for a server", () =>
    Effect.gen(function* () {
      const server = yield* runTestServer({ binary })
      yield* server.stop
      const waiting = yield* Effect.forkChild(client(server.url, {}), { startImmediately: true })
      yield* Fiber.interrupt(waiting)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(waiting)))
    }).pipe(Effect.scoped)
  )

  it.live("rejected credentials end it at once and are not shown", () =>
    Effect.gen(function* () {
      const server = yield* runTestServer(options)
      const error = yield* Effect.flip(client(server.url, { user: "admin", pass: secret("wr0ng") }))
      assert.strictEqual(error.reason, "Denied")
      assert.include(error.message, "NATS_CREDS")
      assert.notInclude(JSON.stringify(error), "wr0ng")
    }).pipe(Effect.scoped)
  )

  it.live("an nkey is accepted; what nobody set up is created", () =>
    Effect.gen(function* () {
      const server = yield* runTestServer(options)
      const nkeySeed = secret(new TextDecoder().decode(user.getSeed()))
      const ports = yield* client(server.url, { nkeySeed })
      const change = yield* setUp.pipe(Effect.provideContext(ports))
      assert.strictEqual(change.created.length, 5)
    }).pipe(Effect.scoped)
  )

  it.live("who may not create waits for somebody who may, then says what is missing", () =>
    Effect.gen(function* () {
      const server = yield* runTestServer(options)
      const impatient = yield* client(server.url, reader, { topologyWaitSeconds: 0 })
      const missing = yield* Effect.flip(setUp.pipe(Effect.provideContext(impatient)))
      assert.strictEqual(missing._tag, "TopologyMissing")
      assert.deepInclude(missing, {
        missing: ["bucket room-meta", "bucket room", "stream ROOM", "stream ROOM_DEAD", "consumer ROOM/worker"]
      })
      const patient = yield* client(server.url, reader)
      const waiting = yield* setUp.pipe(Effect.provideContext(patient), Effect.forkChild({ startImmediately: true }))
      const created = yield* setUp.pipe(Effect.provideContext(yield* client(server.url, admin)))
      assert.strictEqual(created.created.length, 5)
      assert.deepStrictEqual(yield* Fiber.join(waiting), { revision: 1, created: [], updated: [] })
    }).pipe(Effect.scoped)
  )

  it.live("what is not permitted fails at once with the subject: publish, read ahead, consume", () =>
    Effect.gen(function* () {
      const server = yield* runTestServer(options)
      yield* setUp.pipe(Effect.provideContext(yield* client(server.url, admin)))
      const ports = yield* client(server.url, reader)
      const publish = Publisher.use((p) => p.createOnce(room.message("a")))
      const replay = Messages.use((m) => Stream.runDrain(m.replay({ stream: "ROOM", subject: ">", follow: true })))
      const run = Consumer.use((c) =>
        c.run({ ...durableOptions(room), concurrency: 1, ackWaitSeconds: 30 }, () => Effect.succeed(Verdict.ack))
      )
      const denied = yield* Effect.all([Effect.flip(publish), Effect.flip(replay), Effect.flip(run)]).pipe(
        Effect.provideContext(ports)
      )
      for (const error of denied) assert.deepInclude(error, { _tag: "BusUnavailable", reason: "Denied" })
    }).pipe(Effect.scoped)
  )

  it.live("a service gets along with the rights of a service", () =>
    Effect.gen(function* () {
      const server = yield* runTestServer(options)
      yield* setUp.pipe(Effect.provideContext(yield* client(server.url, admin)))
      const ports = yield* client(server.url, service)
      yield* Effect.gen(function* () {
        const publisher = yield* Publisher
        assert.strictEqual(yield* publisher.createOnce(room.message("a")), "created")
        assert.strictEqual(yield* publisher.createOnce(room.message("a")), "exists")
        const handled = yield* Deferred.make<void>()
        const verdict = Effect.as(Deferred.succeed(handled, undefined), Verdict.dead("no"))
        const run = { ...durableOptions(room), concurrency: 1, ackWaitSeconds: 30 }
        yield* Effect.forkScoped(Consumer.use((c) => c.run(run, () => verdict)))
        yield* Deferred.await(handled)
        const { replay } = yield* Messages
        const dead = replay({ stream: "ROOM", subject: "room.*", follow: true }).pipe(Stream.take(1), Stream.runCollect)
        assert.strictEqual((yield* dead).length, 1)
        const bucket = yield* Buckets.use((buckets) => buckets.open("room"))
        const revision = yield* bucket.create("k", "1")
        yield* bucket.update("k", "2", revision)
        assert.deepStrictEqual(yield* bucket.keys(), ["k"])
        yield* bucket.delete("k")
        assert.isTrue(Option.isNone(yield* bucket.get("k")))
      }).pipe(Effect.provideContext(ports))
    }).pipe(Effect.scoped)
  )

  it.live("TLS with an authority of our own, and a certificate of the client", () =>
    Effect.gen(function* () {
      const { caFile, certFile, keyFile } = yield* makeCertificates
      const tls = `tls { cert_file: "${certFile}", key_file: "${keyFile}", ca_file: "${caFile}", verify: true }`
      const server = yield* runTestServer({ binary, extraConfig: tls })
      const ports = yield* client(server.url, { tls: { caFile, certFile, keyFile } })
      yield* setUp.pipe(Effect.provideContext(ports))
      const withoutAuthority = yield* Effect.flip(client(server.url, {}))
      const plain = yield* runTestServer({ binary })
      const withoutTls = yield* Effect.flip(client(plain.url, { tls: { caFile } }))
      for (const error of [withoutAuthority, withoutTls]) {
        assert.strictEqual(error.reason, "Denied")
        assert.include(error.message, "NATS_TLS_CA")
      }
    }).pipe(Effect.scoped)
  )

  it.live("a connection that is closed for good says so to whoever supervises it", () =>
    Effect.gen(function* () {
      const server = yield* runTestServer({ binary })
      const ports = yield* client(server.url, {})
      const { nc, closed } = yield* Connection.pipe(Effect.provideContext(ports))
      const supervisor = yield* Effect.forkChild(Effect.flip(closed), { startImmediately: true })
      yield* Effect.promise(() => nc.close())
      assert.strictEqual((yield* Fiber.join(supervisor)).reason, "Closed")
      const late = yield* Effect.flip(setUp.pipe(Effect.provideContext(ports)))
      assert.deepInclude(late, { _tag: "BusUnavailable", reason: "Closed" })
    }).pipe(Effect.scoped)
  )

  it.live("three replicas are refused where compare-and-set is not safe, or where there is no cluster", () =>
    Effect.gen(function* () {
      const server = yield* runTestServer({ binary })
      const ports = yield* client(server.url, {}, { publishTimeoutSeconds: 0 })
      const replicated = Topology.use((topology) => topology.ensure({ ...room.spec, replicas: 3 }))
      const error = yield* Effect.flip(replicated.pipe(Effect.provideContext(ports)))
      assert.strictEqual(error._tag, server.version === "2.9.10" ? "TopologyUnsupported" : "BusUnavailable")
      assert.match(error.message, /replicas/)
    }).pipe(Effect.scoped)
  )
})
