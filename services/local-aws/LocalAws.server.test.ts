import { randomUUID } from "node:crypto"
import { request } from "node:http"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { LocalAws, layerTest } from "#test/support/LocalAws.ts"
import { CannotListen } from "./Server.ts"

const requestBytesMax = 2000

const post = (body: string, headers: Record<string, string>, path = "/", method = "POST") =>
  Effect.gen(function* () {
    const { url } = yield* LocalAws
    return yield* Effect.promise(async () => {
      const response = await fetch(`${url}${path}`, method === "GET" ? { headers } : { method, headers, body })
      return { status: response.status, headers: response.headers, body: await response.text() }
    })
  })

const target = (action: string) => ({
  "content-type": "application/x-amz-json-1.1",
  "x-amz-target": `AmazonEC2ContainerServiceV20141113.${action}`
})

const form = { "content-type": "application/x-www-form-urlencoded" }

/** Sends these headers as they are, which `fetch` would not. */
const fromBrowser = (url: string) =>
  Effect.callback<number>((resume) => {
    const asked = request(`${url}/_fleet/reset`, { method: "POST", headers: { origin: "http://example.com" } })
    asked.on("response", (response) => resume(Effect.succeed(response.resume().statusCode ?? 0)))
    asked.end()
  })

layer(layerTest({ runtime: "simulated", requestBytesMax }), { excludeTestServices: true })("HTTP", (it) => {
  it.effect.each([
    { name: "no JSON", body: "{", headers: target("ListClusters"), status: 400, says: "SerializationException" },
    { name: "no such action", body: "{}", headers: target("Nope"), status: 400, says: "UnknownOperationException" },
    { name: "no service", body: "{}", headers: { "x-amz-target": "X.Y" }, status: 400, says: "UnknownOperation" },
    { name: "no EC2 action", body: "Action=Nope", headers: form, status: 400, says: "<Code>InvalidAction</Code>" },
    { name: "nothing known", body: "", headers: {}, status: 404, says: "/_fleet/health" },
    {
      name: "members of the wrong type",
      body: '{"clusters":5}',
      headers: target("DescribeClusters"),
      status: 500,
      says: "its log says why"
    },
    { name: "an empty body", body: "", headers: target("ListClusters"), status: 200, says: "cluster/default" },
    { name: "STS", body: "Action=GetCallerIdentity", headers: form, status: 200, says: "<Account>000000000000<" }
  ])("$name: $status", ({ body, headers, says, status }) =>
    Effect.gen(function* () {
      const reply = yield* post(body, headers)
      assert.strictEqual(reply.status, status)
      assert.include(reply.body, says)
      assert.match(reply.headers.get("x-amzn-requestid") ?? "", /^[0-9a-f-]{36}$/)
      assert.isTrue(Math.abs(Date.parse(reply.headers.get("date") ?? "") - Date.now()) < 5000)
      assert.strictEqual(reply.headers.get("connection"), "keep-alive")
      assert.isTrue(Number(/timeout=(\d+)/.exec(reply.headers.get("keep-alive") ?? "")?.[1]) >= 65)
    })
  )

  it.effect("a request of just the limit passes, one byte more is refused", () =>
    Effect.gen(function* () {
      const bodyOf = (bytes: number) => `{"x":"${"x".repeat(bytes - 8)}"}`
      assert.strictEqual((yield* post(bodyOf(requestBytesMax), target("ListClusters"))).status, 200)
      const refused = yield* post(bodyOf(requestBytesMax + 1), target("ListClusters"))
      assert.strictEqual(refused.status, 413)
      assert.include(refused.body, "RequestEntityTooLargeException")
    })
  )

  it.effect("the control API: health, and what it has when asked for something else", () =>
    Effect.gen(function* () {
      const health = yield* post("", {}, "/_fleet/health", "GET")
      assert.deepStrictEqual(JSON.parse(health.body), {
        status: "ready",
        runtime: "simulated",
        timeScale: "instant",
        quotas: "off"
      })
      const unknown = yield* post("", {}, "/_fleet/nothing")
      assert.strictEqual(unknown.status, 404)
      assert.include(unknown.body, "POST reset")
    })
  )

  it.effect("a web page is answered 403", () =>
    Effect.gen(function* () {
      const { url } = yield* LocalAws
      assert.strictEqual(yield* fromBrowser(url), 403)
    })
  )

  it.effect("each region is a world of its own", () =>
    Effect.gen(function* () {
      const signed = (region: string) => ({
        ...target("CreateCluster"),
        authorization: `AWS4-HMAC-SHA256 Credential=a/20260101/${region}/ecs/aws4_request`
      })
      const clusterName = `c-${randomUUID()}`
      const created = yield* post(JSON.stringify({ clusterName }), signed("eu-west-1"))
      assert.include(created.body, `arn:aws:ecs:eu-west-1:000000000000:cluster/${clusterName}`)
      const here = yield* post("{}", { ...signed("us-east-1"), ...target("ListClusters") })
      assert.notInclude(here.body, clusterName)
    })
  )
})

describe("listening", () => {
  it.live("a port in use is an error that says what to do", () =>
    Effect.gen(function* () {
      const { port } = yield* LocalAws
      const second = Effect.scoped(Layer.build(LocalAws.layer({ port, runtime: "simulated" })))
      const error = yield* Effect.flip(second)
      assert.instanceOf(error, CannotListen)
      assert.include(error.message, "LOCAL_AWS_PORT")
    }).pipe(Effect.provide(layerTest({ runtime: "simulated" })))
  )
})
