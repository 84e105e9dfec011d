import { X509Certificate } from "node:crypto"
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Ended, fleet } from "#test/support/fleetCommand.ts"
import { tempFolder } from "#test/support/NatsServer.ts"

const SEED = /^NATS_NKEY_SEED=(SU[A-Z2-7]{56})$/m

/** What is in the folder that `fleet auth init` writes to. */
const place = Effect.map(tempFolder("auth"), (folder) => {
  const out = join(folder, "fleet-auth")
  return {
    init: (...args: ReadonlyArray<string>): Effect.Effect<Ended> => fleet({ folder }, "auth", "init", ...args),
    at: (name: string) => join(out, name),
    read: (name: string) => readFileSync(join(out, name), "utf8"),
    names: () => readdirSync(out).toSorted(),
    mode: (name: string) => (statSync(join(out, name)).mode & 0o777).toString(8)
  }
})

const test = (name: string, body: (at: Effect.Success<typeof place>) => Effect.Effect<void>) =>
  it.live(name, () => Effect.flatMap(place, body).pipe(Effect.scoped))

describe("fleet auth init", () => {
  test("keeps every secret for its owner, and none in what the server reads", ({ init, read, names, mode }) =>
    Effect.gen(function* () {
      const { code, out } = yield* init("--producer", "web")
      assert.strictEqual(code, 0)
      const users = ["init", "dispatcher", "launcher", "watcher", "log-streamer", "operator", "web"]
      assert.deepStrictEqual(
        names(),
        ["accounts.conf", ...users.flatMap((user) => [`${user}.env`, `${user}.nk`])].toSorted()
      )
      for (const user of users) {
        const seed = SEED.exec(read(`${user}.env`))?.[1] ?? ""
        assert.deepStrictEqual(
          [mode(`${user}.env`), mode(`${user}.nk`), read(`${user}.nk`)],
          ["600", "600", `${seed}\n`]
        )
        assert.notInclude(read("accounts.conf") + out, seed)
      }
      assert.strictEqual(mode("accounts.conf"), "644")
      assert.include(out, "nats-server -js -c fleet-auth/accounts.conf\n")
      assert.include(read("web.env"), "\nNATS_INBOX_PREFIX=_INBOX_web\nNATS_JS_DOMAIN=FLEET\n")
    }))

  test("again with another user keeps all seeds, and overwrites only with --force", ({ init, read }) =>
    Effect.gen(function* () {
      yield* init()
      const before = [read("accounts.conf"), read("launcher.env")]
      const refused = yield* init("--reader", "guest")
      assert.strictEqual(refused.code, 1)
      assert.match(refused.err, /fleet-auth\/accounts\.conf\. Overwrite them with --force, which keeps all seeds/)
      assert.deepStrictEqual([read("accounts.conf"), read("launcher.env")], before)
      const forced = yield* init("--reader", "guest", "--force")
      assert.include(forced.out, "changed fleet-auth/accounts.conf\n")
      assert.include(forced.out, "kept    fleet-auth/launcher.env\n")
      assert.strictEqual(read("launcher.env"), before[1])
      assert.include(read("accounts.conf"), "# guest")
    }))

  test("gives new credentials to whoever's file was taken away, and to nobody else", ({ init, read, at }) =>
    Effect.gen(function* () {
      yield* init()
      const [launcher, watcher] = [read("launcher.env"), read("watcher.env")]
      rmSync(at("launcher.env"))
      assert.strictEqual((yield* init("--force")).code, 0)
      assert.notStrictEqual(read("launcher.env"), launcher)
      assert.strictEqual(read("watcher.env"), watcher)
      assert.include(read("launcher.env"), read("launcher.nk").trim())
    }))

  test("names every file that holds no such credentials, and shows none of them", ({ init, at }) =>
    Effect.gen(function* () {
      yield* init()
      writeFileSync(at("launcher.env"), "NATS_NKEY_SEED=SUSECRET\n")
      writeFileSync(at("watcher.env"), "NATS_PASSWORD=hush\n")
      const { code, err } = yield* init("--force")
      assert.strictEqual(code, 1)
      for (const name of ["launcher.env", "watcher.env"]) assert.include(err, `${name}: move it away`)
      assert.notMatch(err, /SUSECRET|hush/)
    }))

  test("with --passwords closes what the server reads, too", ({ init, read, mode }) =>
    Effect.gen(function* () {
      yield* init("--passwords")
      const password = /^NATS_PASSWORD=(\S{32})$/m.exec(read("launcher.env"))?.[1] ?? "none"
      assert.include(read("accounts.conf"), password)
      assert.strictEqual(mode("accounts.conf"), "600")
    }))

  test("--tls makes an authority once, and the server a new certificate with --force", ({ init, read, mode }) =>
    Effect.gen(function* () {
      const { out } = yield* init("--tls", "nats.internal,10.0.0.5")
      assert.include(out, "--tls --tlscert fleet-auth/tls/server.pem --tlskey fleet-auth/tls/server.key")
      const [authority, first] = [read("tls/ca.pem"), read("tls/server.pem")]
      assert.deepStrictEqual([mode("tls/ca.key"), mode("tls/server.key")], ["600", "600"])
      assert.strictEqual((yield* init("--tls", "nats.internal,10.0.0.5")).code, 0)
      assert.strictEqual(read("tls/server.pem"), first)
      const refused = yield* init("--tls", "other.internal")
      assert.match(refused.err, /would change: .*tls\/server\.pem/)
      yield* init("--tls", "other.internal", "--force")
      assert.strictEqual(read("tls/ca.pem"), authority)
      const [before, after] = [new X509Certificate(first), new X509Certificate(read("tls/server.pem"))]
      const issuer = new X509Certificate(authority)
      for (const certificate of [before, after]) assert.isTrue(certificate.verify(issuer.publicKey))
      assert.strictEqual(before.subjectAltName, "DNS:nats.internal, IP Address:10.0.0.5")
      assert.strictEqual(after.subjectAltName, "DNS:other.internal")
    }))

  test("refuses names and hosts that are none, and writes nothing", ({ init, names }) =>
    Effect.gen(function* () {
      const user = yield* init("--producer", "web=*")
      assert.strictEqual(user.code, 2)
      const host = yield* init("--tls", "https://nats")
      assert.deepStrictEqual([host.code, host.err.includes('"https://nats" must be a host name')], [2, true])
      assert.throws(names)
    }))
})
