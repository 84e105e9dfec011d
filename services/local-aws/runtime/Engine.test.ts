import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { listen, write } from "#test/support/httpServer.ts"
import { freePort } from "#test/support/ports.ts"
import { DockerRuntime } from "./docker.ts"
import { makeEngine } from "./Engine.ts"

describe("an engine", () => {
  it.live.each([
    { body: '{"message":"no such image"}', reason: "no such image" },
    { body: "page not found\n", reason: "page not found" },
    { body: '{"error":1}', reason: '{"error":1}' }
  ])("refuses with its own words: $body", ({ body, reason }) =>
    Effect.gen(function* () {
      const url = yield* listen(async (_, response) => write(response, 404, "application/json", body))
      const refused = yield* Effect.flip(makeEngine(url).call("GET", "/info"))
      assert.deepInclude(refused, { _tag: "EngineRefused", status: 404, reason })
      assert.strictEqual(refused.message, `Error response from daemon: ${reason}`)
      const opened = yield* Effect.flip(Effect.scoped(makeEngine(url).open("/attach")))
      assert.strictEqual(opened.message, refused.message)
    }).pipe(Effect.scoped)
  )

  it.live("a connection that breaks in the middle of an answer", () =>
    Effect.gen(function* () {
      const url = yield* listen(async (_, response) => {
        response.writeHead(200, { "content-length": "100" })
        response.write("{", () => response.destroy())
      })
      assert.strictEqual((yield* Effect.flip(makeEngine(url).call("GET", "/info")))._tag, "EngineUnreachable")
    }).pipe(Effect.scoped)
  )

  it.live.each([
    { name: "nobody there", why: "ECONNREFUSED", host: (port: number) => `tcp://127.0.0.1:${port}` },
    { name: "an engine behind SSH", why: "ssh -NL", host: () => "ssh://me@host" }
  ])("$name: the runtime does not start, and says what to do", ({ host, why }) =>
    Effect.gen(function* () {
      const dockerHost = host(yield* Effect.promise(freePort))
      const layer = DockerRuntime.layer({ dockerHost, network: "bridge", owner: "test", instance: "1" })
      const { message } = yield* Effect.flip(Effect.provide(DockerRuntime, layer))
      for (const words of [why, dockerHost, "Start Docker", "DOCKER_HOST", "LOCAL_AWS_RUNTIME"])
        assert.include(message, words)
    }).pipe(Effect.scoped)
  )
})
