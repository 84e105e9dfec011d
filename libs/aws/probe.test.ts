import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { Aws } from "./Aws.ts"
import { classify } from "./AwsError.ts"
import { Ecs } from "./Ecs.ts"
import { EcsModel } from "./model/EcsModel.ts"
import { Runtime } from "./model/Runtime.ts"
import { judgeProbe, PROBE_TASK, probe } from "./probe.ts"

const refused = (name: string, message: string, status = 400) =>
  Result.fail(
    classify("StopTask", Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } }), {
      cluster: "prod"
    })
  )

describe("judgeProbe", () => {
  it("the refusal that is hoped for is health (peers 121, scenario 70)", () => {
    const answer = refused("InvalidParameterException", "The referenced task was not found.")
    assert.deepStrictEqual(judgeProbe(answer), { healthy: true })
  })

  it.each([
    { what: "a success", answer: Result.succeed(undefined), says: "succeeded" },
    {
      what: "access denied",
      answer: refused("AccessDeniedException", "User: x is not authorized to perform: ecs:StopTask on resource: y"),
      says: "AccessDenied: StopTask was denied, since ecs:StopTask is not allowed"
    },
    {
      what: "an unknown cluster",
      answer: refused("ClusterNotFoundException", "Cluster not found."),
      says: "ClusterNotFound: "
    },
    {
      what: "expired credentials",
      answer: refused("ExpiredTokenException", "The security token included in the request is expired"),
      says: "CredentialsRejected: "
    },
    {
      what: "another refusal of a parameter",
      answer: refused("InvalidParameterException", "Identifier is for test. Your cluster is prod"),
      says: "InvalidParameter: "
    },
    {
      what: "the same words from another exception",
      answer: refused("ClientException", "The referenced task was not found."),
      says: "TaskNotFound: "
    },
    {
      what: "AWS's own failure",
      answer: refused("ServerException", "Service Unavailable.", 500),
      says: "ServiceUnavailable: "
    },
    { what: "a throttle", answer: refused("ThrottlingException", "Rate exceeded"), says: "Throttled: " },
    { what: "what nobody knows", answer: refused("LimitExceededException", "Too much."), says: "AwsError: " }
  ])("$what is none (peers 121, scenario 70)", ({ answer, says }) => {
    const judged = judgeProbe(answer)
    assert(!judged.healthy)
    assert.include(judged.why, says)
  })
})

describe("probe", () => {
  it.effect("asks about a task that AWS can have given to nobody, and gets AWS's refusal", () =>
    Effect.gen(function* () {
      assert.match(PROBE_TASK, /^a{32}$/)
      const ecs = yield* Ecs
      assert.deepStrictEqual(yield* probe(ecs, { region: "us-east-1" }, "default"), { healthy: true })
      assert.deepInclude(yield* probe(ecs, { region: "us-east-1" }, "nowhere"), { healthy: false })
    }).pipe(Effect.provide(Aws.layerMemory), Effect.provide(EcsModel.layer()), Effect.provide(Runtime.layerSimulated))
  )
})
