import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { assert, it } from "@effect/vitest"
import { createAccount, createOperator, createUser, type KeyPair } from "@nats-io/nkeys"
import { Effect, Layer } from "effect"
import { Bus } from "#bus/Bus.ts"
import { Connection } from "#bus/Connection.ts"
import { apiPrefixOf, permissionsOf } from "#bus/Rights.ts"
import type { NatsServerHandle } from "#bus/server/NatsServer.ts"
import { fleetTopology, topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { Subjects } from "#ecs-core/Subjects.ts"
import { fleetRights } from "#process/FleetRights.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { type Env, guardedServer, optionsOf, refused } from "#test/support/auth.ts"
import { fleet } from "#test/support/fleetCommand.ts"
import { onNatsServers, runTestServer, tempFolder } from "#test/support/NatsServer.ts"

/** How clients prove who they are, and whom they trust. */

const connected = (env: Env) =>
  Effect.flatMap(optionsOf(env), (options) =>
    Layer.build(Layer.fresh(Bus.layer({ ...options, connectWaitSeconds: 5 })))
  )

const tlsBlock = (folder: string): string =>
  `tls { cert_file: "${join(folder, "tls/server.pem")}", key_file: "${join(folder, "tls/server.key")}" }`

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")

/** A JWT as `nsc` makes it: what `issuer` says of `subject`. */
const jwt = (issuer: KeyPair, subject: string, nats: object): string => {
  const claims = { jti: "test", iat: 1_700_000_000, iss: issuer.getPublicKey(), name: "test", sub: subject }
  const body = `${encoded({ typ: "JWT", alg: "ed25519-nkey" })}.${encoded({ ...claims, nats: { ...nats, version: 2 } })}`
  return `${body}.${Buffer.from(issuer.sign(Buffer.from(body))).toString("base64url")}`
}

const noLimit = { subs: -1, data: -1, payload: -1 }
const accountLimits = { ...noLimit, conn: -1, leaf: -1, imports: -1, exports: -1, wildcards: true }
const jetStream = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 }

/** The content of a `.creds` file with the rights of `init`, and a server's configuration that trusts it. */
const handMade = () => {
  const [operator, account, system, user] = [createOperator(), createAccount(), createAccount(), createUser()]
  const client = { inboxPrefix: "_INBOX_init", apiPrefix: apiPrefixOf(undefined) }
  const { publish, subscribe } = permissionsOf(fleetRights.init, fleetTopology(topologyDefaults), client)
  const accountJwt = (of: KeyPair, limits: object) =>
    jwt(operator, of.getPublicKey(), { type: "account", limits, default_permissions: { pub: {}, sub: {} } })
  const userJwt = jwt(account, user.getPublicKey(), { type: "user", ...noLimit, pub: publish, sub: subscribe })
  const seed = new TextDecoder().decode(user.getSeed())
  return {
    creds: `-----BEGIN NATS USER JWT-----\n${userJwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
    config: [
      `operator: ${jwt(operator, operator.getPublicKey(), { type: "operator" })}`,
      "resolver: MEMORY",
      "max_control_line: 32KB",
      `system_account: ${system.getPublicKey()}`,
      "resolver_preload: {",
      `  ${account.getPublicKey()}: ${accountJwt(account, { ...accountLimits, ...jetStream })}`,
      `  ${system.getPublicKey()}: ${accountJwt(system, accountLimits)}`,
      "}"
    ].join("\n")
  }
}

/** Changes the server's configuration and signals it to read it. */
const readAgain = ({ logFile }: NatsServerHandle, change: (config: string) => string): void => {
  const at = (name: string) => join(dirname(logFile), name)
  writeFileSync(at("nats-server.conf"), change(readFileSync(at("nats-server.conf"), "utf8")))
  const [ports = ""] = readdirSync(at("ports"))
  process.kill(Number(/_(\d+)\.ports$/.exec(ports)?.[1]), "SIGHUP")
}

await onNatsServers("connections", (binary) => {
  it.live(
    "TLS with the authority of `fleet auth init`; without it, or with another, the error says what to check",
    () =>
      Effect.gen(function* () {
        const { server, envOf } = yield* guardedServer(binary, ["--tls", "localhost,127.0.0.1"], tlsBlock)
        yield* setUpFleet(topologyDefaults).pipe(Effect.provideContext(yield* connected(envOf("init"))))
        const byName = { ...envOf("init"), NATS_URL: `tls://localhost:${server.port}` }
        yield* connected(byName)
        const other = yield* tempFolder("auth")
        yield* fleet({ folder: other }, "auth", "init", "--out", ".", "--tls", "localhost")
        const { NATS_TLS_CA: _, ...without } = envOf("init")
        const stranger = { ...envOf("init"), NATS_TLS_CA: join(other, "tls/ca.pem") }
        for (const env of [without, stranger]) {
          const error = yield* Effect.flip(connected(env))
          assert.deepInclude(error, { _tag: "BusUnavailable", reason: "Denied" })
          assert.include(error.message, "NATS_TLS_CA")
        }
      }).pipe(Effect.scoped)
  )

  it.live("users and passwords", () =>
    Effect.gen(function* () {
      const { envOf } = yield* guardedServer(binary, ["--passwords", "--producer", "web"])
      const init = envOf("init")
      assert.deepStrictEqual(Object.keys(init), ["NATS_USER", "NATS_PASSWORD", "NATS_INBOX_PREFIX", "NATS_URL"])
      yield* setUpFleet(topologyDefaults).pipe(Effect.provideContext(yield* connected(init)))
      const forged = [Subjects.taskStopped("r", 1)]
      assert.deepStrictEqual(yield* refused(envOf("web"), forged), forged)
      const wrong = yield* Effect.flip(connected({ ...init, NATS_PASSWORD: "wrong" }))
      assert.deepInclude(wrong, { _tag: "BusUnavailable", reason: "Denied" })
    }).pipe(Effect.scoped)
  )

  it.live("an NKey that the server does not know is refused at once, and not shown", () =>
    Effect.gen(function* () {
      const { envOf } = yield* guardedServer(binary)
      const seed = new TextDecoder().decode(createUser().getSeed())
      const error = yield* Effect.flip(connected({ ...envOf("init"), NATS_NKEY_SEED: seed }))
      assert.deepInclude(error, { _tag: "BusUnavailable", reason: "Denied" })
      assert.notInclude(JSON.stringify(error), seed)
    }).pipe(Effect.scoped)
  )

  it.live(
    "new credentials: once the server has read its file again, the old ones are cut off, and nothing is lost",
    () =>
      Effect.gen(function* () {
        const { server, envOf, folder } = yield* guardedServer(binary)
        const before = readFileSync(join(folder, "accounts.conf"), "utf8")
        yield* setUpFleet(topologyDefaults).pipe(Effect.provideContext(yield* connected(envOf("init"))))
        const old = envOf("launcher")
        const running = yield* Connection.pipe(Effect.provideContext(yield* connected(old)))
        rmSync(join(folder, "launcher.env"))
        yield* fleet({ folder }, "auth", "init", "--out", ".", "--force")
        const after = readFileSync(join(folder, "accounts.conf"), "utf8")
        yield* Effect.sync(() => readAgain(server, (config) => config.replace(before, after)))
        assert.strictEqual((yield* Effect.flip(running.closed)).reason, "Closed")
        assert.deepInclude(yield* Effect.flip(connected(old)), { reason: "Denied" })
        yield* setUpFleet(topologyDefaults, "launcher").pipe(Effect.provideContext(yield* connected(envOf("launcher"))))
      }).pipe(Effect.scoped)
  )

  it.live("a .creds file with the same rights, as an operator's server checks it", () =>
    Effect.gen(function* () {
      const { creds, config } = handMade()
      const server = yield* runTestServer({ binary, extraConfig: config })
      const NATS_CREDS = Buffer.from(creds).toString("base64")
      const env = { NATS_URL: server.url, NATS_CREDS, NATS_INBOX_PREFIX: "_INBOX_init" }
      const { created } = yield* setUpFleet(topologyDefaults).pipe(Effect.provideContext(yield* connected(env)))
      assert.include(created, "stream FLEET")
      const forged = [Subjects.taskStopped("r", 1)]
      assert.deepStrictEqual(yield* refused(env, forged), forged)
    }).pipe(Effect.scoped)
  )
})
