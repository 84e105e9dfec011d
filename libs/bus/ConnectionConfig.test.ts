import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted } from "effect"
import { connectionConfig, connectionOptions } from "./ConnectionConfig.ts"

type Env = Readonly<Record<string, string>>

const parse = (env: Env) => {
  const provider = ConfigProvider.fromEnv({ env })
  return Effect.all(
    Object.fromEntries(Object.entries(connectionConfig).map(([name, config]) => [name, config.parse(provider)])) as {
      [K in keyof typeof connectionConfig]: ReturnType<(typeof connectionConfig)[K]["parse"]>
    }
  )
}

const optionsOf = (env: Env) => Effect.map(parse(env), (values) => connectionOptions(values, "test"))

const creds = "-----BEGIN NATS USER JWT-----\neyJ0\n------END NATS USER JWT------\n"
const seed = `SU${"A".repeat(56)}`

const withFile = (content: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const folder = mkdtempSync(join(tmpdir(), "connection-config-"))
      writeFileSync(join(folder, "file"), content)
      return { folder, path: join(folder, "file") }
    }),
    ({ folder }) => Effect.sync(() => rmSync(folder, { recursive: true }))
  )

describe("connection settings", () => {
  it.effect("default to the local server and nothing else", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* optionsOf({}), { servers: ["nats://127.0.0.1:4222"], name: "test" })
    })
  )

  it.effect.each<{ readonly given: string; readonly servers: ReadonlyArray<string>; readonly tls: boolean }>([
    { given: "nats://a:4222, nats://b:4223", servers: ["nats://a:4222", "nats://b:4223"], tls: false },
    { given: "a:4222", servers: ["nats://a:4222"], tls: false },
    { given: "tls://a:4222", servers: ["nats://a:4222"], tls: true },
    { given: "nats://[::1]:4222", servers: ["nats://[::1]:4222"], tls: false }
  ])("NATS_URL $given", ({ given, servers, tls }) =>
    Effect.gen(function* () {
      const options = yield* optionsOf({ NATS_URL: given })
      assert.deepStrictEqual([options.servers, options.tls !== undefined], [servers, tls])
    })
  )

  it.effect("take an account from the address, and from NATS_USER before that", () =>
    Effect.gen(function* () {
      const inUrl = yield* optionsOf({ NATS_URL: "nats://ann:p%40ss@a:4222" })
      assert.deepStrictEqual([inUrl.servers, inUrl.user], [["nats://a:4222"], "ann"])
      assert.strictEqual(inUrl.pass && Redacted.value(inUrl.pass), "p@ss")
      const own = yield* optionsOf({ NATS_URL: "nats://ann:p@a:4222", NATS_USER: "bob", NATS_PASSWORD: "secret" })
      assert.deepStrictEqual([own.user, own.pass && Redacted.value(own.pass)], ["bob", "secret"])
    })
  )

  it.effect("take credentials as they are, as base64 and by path", () =>
    Effect.gen(function* () {
      const { path } = yield* withFile(creds)
      for (const given of [creds, Buffer.from(creds).toString("base64"), path]) {
        const options = yield* optionsOf({ NATS_CREDS: given })
        assert.strictEqual(options.creds && Redacted.value(options.creds), creds)
      }
    })
  )

  it.effect("never show a secret", () =>
    Effect.gen(function* () {
      const options = yield* optionsOf({
        NATS_CREDS: creds,
        NATS_NKEY_SEED: seed,
        NATS_USER: "a",
        NATS_PASSWORD: "hush"
      })
      const shown = JSON.stringify(options) + String(options.pass)
      for (const secret of ["eyJ0", seed, "hush"]) assert.notInclude(shown, secret)
    })
  )

  it.effect("take TLS files, an inbox prefix and a domain", () =>
    Effect.gen(function* () {
      const { path } = yield* withFile("PEM")
      const options = yield* optionsOf({
        NATS_TLS_CA: path,
        NATS_INBOX_PREFIX: "_INBOX_watcher",
        NATS_JS_DOMAIN: "FLEET"
      })
      assert.deepInclude(options, { tls: { caFile: path }, inboxPrefix: "_INBOX_watcher", jsDomain: "FLEET" })
    })
  )

  it.effect.each<{ readonly env: Env; readonly says: string }>([
    { env: { NATS_URL: "nats://a b" }, says: "must be addresses such as nats://host:4222" },
    { env: { NATS_CREDS: "/no/such/file" }, says: "must be the path of a .creds file" },
    { env: { NATS_NKEY_SEED: "UABC" }, says: "must be an NKey seed" },
    { env: { NATS_TLS_CA: "/no/such/file" }, says: "must be the path of a file that can be read" }
  ])("refuse $env and say what they must be", ({ env, says }) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(parse(env))
      assert.include(error.message, says)
    })
  )
})
