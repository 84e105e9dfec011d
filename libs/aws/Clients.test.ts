import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Deferred, Effect, Fiber, Layer } from "effect"
import { afterEach, vi } from "vitest"
import { defaultsOf } from "#test/support/MemoryFleet.ts"
import { AwsConfig, awsSettings } from "./AwsConfig.ts"
import { Clients, clientOptions } from "./Clients.ts"
import { CredentialSets } from "./credentials/CredentialSets.ts"
import { Ec2Network } from "./Ec2Network.ts"
import { Ecs, maxPages } from "./Ecs.ts"

/** A server on loopback in AWS's place, and the environment that leads the SDK there. */
const serve = (answer: (request: IncomingMessage, response: ServerResponse, body: string) => void) =>
  Effect.gen(function* () {
    const server = yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const made = createServer((request, response) => {
          const chunks: Array<Buffer> = []
          request.on("data", (chunk: Buffer) => chunks.push(chunk))
          request.on("end", () => answer(request, response, Buffer.concat(chunks).toString()))
        })
        made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
      }),
      (made) =>
        Effect.sync(() => {
          made.closeAllConnections()
          made.close()
        })
    )
    const { port } = server.address() as AddressInfo
    vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${port}`)
    vi.stubEnv("AWS_ACCESS_KEY_ID", "local")
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "local")
  })

const ports = (env: Record<string, string> = {}) =>
  Layer.mergeAll(Ecs.layer, Ec2Network.layer).pipe(
    Layer.provideMerge(Clients.layer),
    Layer.provideMerge(CredentialSets.layer),
    Layer.provide(AwsConfig.layer),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: { AWS_REGION: "eu-west-1", ...env } })))
  )

afterEach(() => {
  vi.unstubAllEnvs()
})

const stop = (region?: string) =>
  Ecs.use((ecs) => ecs.stopTask(region === undefined ? {} : { region }, "default", "task", "why"))

describe("Clients", () => {
  it.live("a call without an answer is given up after the time-out, as transient", () =>
    Effect.gen(function* () {
      yield* serve(() => {})
      const env = { FLEET_AWS_REQUEST_TIMEOUT_SECONDS: "1", FLEET_AWS_MAX_ATTEMPTS: "1" }
      const failure = yield* Effect.flip(stop()).pipe(Effect.provide(ports(env)))
      assert.deepStrictEqual(
        [failure.code, failure.retry, failure.awsName],
        ["ServiceUnavailable", "transient", "TimeoutError"]
      )
    })
  )

  it.live("interrupting a call aborts its request", () =>
    Effect.gen(function* () {
      const [arrived, closed] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      yield* serve((_, response) => {
        Deferred.doneUnsafe(arrived, Effect.void)
        response.on("close", () => Deferred.doneUnsafe(closed, Effect.void))
      })
      yield* Effect.gen(function* () {
        const call = yield* Effect.forkChild(stop())
        yield* Deferred.await(arrived)
        yield* Fiber.interrupt(call)
        yield* Deferred.await(closed)
      }).pipe(Effect.provide(ports()))
    })
  )

  it.live("nobody listens: transient, and the advice names the endpoint", () =>
    Effect.gen(function* () {
      yield* Effect.scoped(serve(() => {}))
      const failure = yield* Effect.flip(stop()).pipe(Effect.provide(ports()))
      assert.deepStrictEqual([failure.code, failure.retry], ["ServiceUnavailable", "transient"])
      assert.include(failure.advice, "AWS_ENDPOINT_URL")
    })
  )

  it.live("each region has a client of its own, kept until there are too many", () =>
    Effect.gen(function* () {
      const clients = yield* Clients
      const first = yield* clients.ecs({ region: "eu-west-1" })
      assert.strictEqual(yield* clients.ecs({}), first)
      assert.notStrictEqual(yield* clients.ecs({ region: "us-east-1" }), first)
      assert.strictEqual(yield* clients.ecs({ region: "eu-west-1" }), first)
      yield* clients.ecs({ region: "us-east-2" })
      yield* clients.ecs({ region: "us-west-2" })
      assert.notStrictEqual(yield* clients.ecs({ region: "eu-west-1" }), first)
    }).pipe(Effect.provide(ports({ FLEET_AWS_MAX_CLIENTS: "2" })))
  )

  it.live("an unknown set of credentials is waited for, and nothing is sent", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(Ecs.use((ecs) => ecs.stopTask({ credentials: "other" }, "c", "t", "why")))
      assert.deepStrictEqual([failure.code, failure.retry], ["CredentialsRejected", "credentials"])
      assert.include(failure.message, "'other'")
    }).pipe(Effect.provide(ports()))
  )

  it.live("an empty answer with status 200 is an answer lost", () =>
    Effect.gen(function* () {
      yield* serve((_, response) => response.setHeader("content-type", "application/x-amz-json-1.1").end("{}"))
      const failure = yield* Effect.flip(Ecs.use((ecs) => ecs.describeTaskDefinition({}, "f"))).pipe(
        Effect.provide(ports())
      )
      assert.deepStrictEqual([failure.code, failure.retry], ["ServiceUnavailable", "transient"])
    })
  )

  it.live("a refusal of the second call that the SDK made says that there was a first", () =>
    Effect.gen(function* () {
      let calls = 0
      yield* serve((_, response) => {
        response.statusCode = calls++ === 0 ? 500 : 400
        const type = calls === 1 ? "ServerException" : "AccessDeniedException"
        response.setHeader("content-type", "application/x-amz-json-1.1").end(JSON.stringify({ __type: type }))
      })
      const refused = yield* Effect.flip(stop()).pipe(Effect.provide(ports({ FLEET_AWS_MAX_ATTEMPTS: "2" })))
      assert.deepStrictEqual([calls, refused.awsName, refused.repeated], [2, "AccessDeniedException", true])
      const again = yield* Effect.flip(stop()).pipe(Effect.provide(ports({ FLEET_AWS_MAX_ATTEMPTS: "2" })))
      assert.deepStrictEqual([again.awsName, again.repeated], ["AccessDeniedException", undefined])
    })
  )

  it.live("never: pages without an end are given up", () =>
    Effect.gen(function* () {
      yield* serve((_, response) =>
        response.setHeader("content-type", "application/x-amz-json-1.1").end('{"nextToken":"x"}')
      )
      const failure = yield* Effect.flip(Ecs.use((ecs) => ecs.listTasks({}, "c", "a"))).pipe(Effect.provide(ports()))
      assert.include(failure.message, `more than ${maxPages} pages`)
    })
  )

  it("the SDK is told to throw on time-outs and to retry little", () => {
    const settings = { ...defaultsOf(awsSettings), maxAttempts: 2 }
    const { requestHandler, maxAttempts, region } = clientOptions(settings, "eu-west-1")
    assert.deepStrictEqual([maxAttempts, region], [2, "eu-west-1"])
    assert.deepStrictEqual(
      [requestHandler.requestTimeout, requestHandler.connectionTimeout, requestHandler.throwOnRequestTimeout],
      [15_000, 3000, true]
    )
    assert.strictEqual(requestHandler.httpsAgent.maxSockets, 50)
  })
})

const subnets = (ids: ReadonlyArray<string>, token: string) =>
  `<DescribeSubnetsResponse><subnetSet>${ids.map((id) => `<item><subnetId>${id}</subnetId></item>`).join("")}</subnetSet>${
    token === "" ? "" : `<nextToken>${token}</nextToken>`
  }</DescribeSubnetsResponse>`

describe("Ec2Network over the SDK", () => {
  it.live("reads all pages, and asks once for many callers and again for another VPC", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      yield* serve((_, response, body) => {
        const form = new URLSearchParams(body)
        asked.push(form.get("Action") ?? "")
        const vpc = form.get("Filter.1.Value.1") === "true" ? "vpc-1" : (form.get("Filter.1.Value.1") ?? "")
        const xml = form.has("MaxResults")
          ? subnets([form.has("NextToken") ? "subnet-2" : "subnet-1"], form.has("NextToken") ? "" : "more")
          : `<DescribeVpcsResponse><vpcSet><item><vpcId>${vpc}</vpcId></item></vpcSet></DescribeVpcsResponse>`
        response.setHeader("content-type", "text/xml").end(xml)
      })
      yield* Effect.gen(function* () {
        const describe = (vpcId?: string) => Ec2Network.use((network) => network.describe({}, vpcId))
        const answers = yield* Effect.all([describe(), describe(), describe()], { concurrency: 3 })
        assert.deepStrictEqual(answers[2], { vpcId: "vpc-1", subnetIds: ["subnet-1", "subnet-2"] })
        yield* describe()
        assert.deepStrictEqual(asked, ["DescribeVpcs", "DescribeSubnets", "DescribeSubnets"])
        assert.strictEqual((yield* describe("vpc-2")).vpcId, "vpc-2")
        assert.strictEqual(asked.length, 6)
      }).pipe(Effect.provide(ports()))
    })
  )
})
