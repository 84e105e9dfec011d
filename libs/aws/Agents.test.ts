import { readFileSync } from "node:fs"
import { createServer as createHttpServer } from "node:http"
import { createServer } from "node:https"
import { type AddressInfo, connect, type Server } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { afterEach, vi } from "vitest"
import { AwsConfig } from "./AwsConfig.ts"
import { Clients } from "./Clients.ts"
import { CredentialSets } from "./credentials/CredentialSets.ts"
import { Ecs } from "./Ecs.ts"

const fixture = (name: string) => join(import.meta.dirname, "fixtures", name)
const authority = fixture("authority.pem")

const listening = <S extends Server>(server: S) =>
  Effect.acquireRelease(
    Effect.callback<S>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))),
    () => Effect.sync(() => void server.close())
  )

const portOf = (server: Server): number => (server.address() as AddressInfo).port

/** ECS by https on loopback, under a name that only a proxy knows and by `localhost`. */
const secureEcs = Effect.suspend(() => {
  const pem = readFileSync(fixture("server.pem"))
  const server = createServer({ key: pem, cert: pem, keepAliveTimeout: 1 }, (_, response) =>
    response.setHeader("content-type", "application/x-amz-json-1.1").end('{"taskArns":["one"]}')
  )
  return listening(server)
})

/** A proxy that leads every name to one port, and keeps what it was asked for. */
const proxyTo = (port: number) => {
  const asked: Array<string> = []
  const server = createHttpServer((_, response) => response.writeHead(405).end())
  server.on("connect", (request, socket, head) => {
    asked.push(`${request.url} ${request.headers["proxy-authorization"] ?? "-"}`)
    const upstream = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n")
      upstream.write(head)
      upstream.pipe(socket).pipe(upstream)
    })
    for (const each of [upstream, socket]) each.on("error", () => upstream.destroy())
  })
  return Effect.map(listening(server), (proxy) => ({ asked, port: portOf(proxy) }))
}

const ecs = (env: Record<string, string>) =>
  Ecs.layer.pipe(
    Layer.provide(Clients.layer),
    Layer.provide(CredentialSets.layer),
    Layer.provide(AwsConfig.layer),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: { AWS_REGION: "us-east-1", ...env } })))
  )

const list = (endpoint: string, env: Record<string, string>) =>
  Effect.suspend(() => {
    vi.stubEnv("AWS_ENDPOINT_URL", endpoint)
    vi.stubEnv("AWS_ACCESS_KEY_ID", "local")
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "local")
    return Effect.provide(
      Effect.flatMap(Ecs, (port) => port.listTasks({}, "default", "a")),
      ecs(env)
    )
  })

afterEach(() => {
  vi.unstubAllEnvs()
})

describe("an authority of one's own", () => {
  it.live.each(["FLEET_AWS_CA_BUNDLE", "AWS_CA_BUNDLE"])("is trusted where %s names it, and nowhere else", (variable) =>
    Effect.gen(function* () {
      const endpoint = `https://localhost:${portOf(yield* secureEcs)}`
      assert.deepStrictEqual(yield* list(endpoint, { [variable]: authority }), ["one"])
      const failure = yield* Effect.flip(list(endpoint, {}))
      assert.include(failure.message, "is not trusted for ListTasks")
    })
  )

  it.effect.each(["nowhere.pem", "package.json"])("%s is no bundle: the process does not start", (path) =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(list("https://localhost", { FLEET_AWS_CA_BUNDLE: path }))
      assert.include(failure.message, `FLEET_AWS_CA_BUNDLE or AWS_CA_BUNDLE must be a readable file of certificates`)
    })
  )
})

describe("a proxy", () => {
  const hidden = "https://ecs.us-east-1.amazonaws.example"

  it.live.each(["FLEET_AWS_PROXY", "HTTPS_PROXY", "https_proxy"])(
    "carries calls by https where %s names it",
    (variable) =>
      Effect.gen(function* () {
        const proxy = yield* proxyTo(portOf(yield* secureEcs))
        const env = { [variable]: `http://user:pass@127.0.0.1:${proxy.port}`, AWS_CA_BUNDLE: authority }
        assert.deepStrictEqual(yield* list(hidden, env), ["one"])
        assert.deepStrictEqual(proxy.asked, ["ecs.us-east-1.amazonaws.example:443 Basic dXNlcjpwYXNz"])
      })
  )

  it.live.each(["NO_PROXY", "no_proxy"])("is left out for the hosts of %s", (variable) =>
    Effect.gen(function* () {
      const server = yield* secureEcs
      const proxy = yield* proxyTo(portOf(server))
      const env = {
        FLEET_AWS_PROXY: `http://127.0.0.1:${proxy.port}`,
        [variable]: "localhost",
        AWS_CA_BUNDLE: authority
      }
      assert.deepStrictEqual(yield* list(`https://localhost:${portOf(server)}`, env), ["one"])
      assert.deepStrictEqual(proxy.asked, [])
    })
  )

  it.live("that cannot be reached is a passing failure", () =>
    Effect.gen(function* () {
      const proxy = yield* Effect.scoped(proxyTo(1))
      const failure = yield* Effect.flip(list(hidden, { FLEET_AWS_PROXY: `http://127.0.0.1:${proxy.port}` }))
      assert.strictEqual(failure._tag === "AwsFailure" && failure.retry, "transient")
    })
  )

  it.effect("whose address is none: the process does not start, and a password in it is not shown", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(list(hidden, { FLEET_AWS_PROXY: "user:tell-nobody@proxy" }))
      assert.include(failure.message, "FLEET_AWS_PROXY or HTTPS_PROXY must be an address")
      assert.notInclude(failure.message, "tell-nobody")
    })
  )
})
