import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { clusterProblem, parseInfrastructureId } from "./InfrastructureId.ts"

const id = "0123456789abcdef0123456789abcdef"
const region = "eu-west-1"
const taskArn = `arn:aws:ecs:${region}:123456789012:task/prod/${id}`
const oldArn = `arn:aws:ecs:${region}:123456789012:task/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0`
const clusterArn = `arn:aws:ecs:${region}:123456789012:cluster/prod`

describe("parseInfrastructureId", () => {
  it.each([
    { given: `prod::${taskArn}`, expected: { cluster: "prod", taskArn, region, taskCluster: "prod" } },
    { given: `${clusterArn}::${taskArn}`, expected: { cluster: clusterArn, taskArn, region, taskCluster: "prod" } },
    { given: `prod::${oldArn}`, expected: { cluster: "prod", taskArn: oldArn, region, taskCluster: undefined } },
    {
      given: `prod::${taskArn.replace("aws", "aws-cn")}`,
      expected: { cluster: "prod", taskArn: taskArn.replace("aws", "aws-cn"), region, taskCluster: "prod" }
    }
  ])("$given (peers 113, 127)", ({ expected, given }) => {
    assert.deepStrictEqual(Result.getOrThrow(parseInfrastructureId(given)), expected)
  })

  it.each([
    { given: "", says: "there is no `::`" },
    { given: taskArn, says: "there is no `::`" },
    { given: `prod:${taskArn}`, says: "there is no `::`" },
    { given: `::${taskArn}`, says: "before the first `::`" },
    { given: `a b::${taskArn}`, says: "before the first `::`" },
    { given: `${taskArn}::${taskArn}`, says: "before the first `::`" },
    { given: "prod::", says: "behind the first `::`" },
    { given: `prod::${id}`, says: "behind the first `::`" },
    { given: `prod::extra::${taskArn}`, says: "behind the first `::`" },
    { given: `prod::${clusterArn}`, says: "behind the first `::`" },
    { given: `prod::${taskArn}\n`, says: "behind the first `::`" }
  ])("«$given» is no infrastructure id: $says (peers 113)", ({ given, says }) => {
    const problem = Result.getOrThrow(Result.flip(parseInfrastructureId(given)))
    assert.deepInclude(problem, { code: "InfrastructureInvalid", field: "infrastructure" })
    assert.include(problem.message, says)
    assert.include(problem.advice, "<cluster>::<task ARN>")
  })

  it("shows the beginning of a long one alone", () => {
    const problem = Result.getOrThrow(Result.flip(parseInfrastructureId("x".repeat(10_000))))
    assert.isBelow(problem.message.length, 400)
  })
})

describe("clusterProblem", () => {
  const other = clusterArn.replace(region, "us-east-1")
  it.each([
    { what: "the same name", cluster: "prod", task: taskArn, known: clusterArn, isOne: false },
    { what: "the same ARN", cluster: clusterArn, task: taskArn, known: clusterArn, isOne: false },
    { what: "the ARN of the task's cluster, nothing else known", cluster: clusterArn, task: taskArn, isOne: false },
    { what: "an old ARN, nothing else known", cluster: "prod", task: oldArn, isOne: false },
    { what: "an old ARN, launched there", cluster: "prod", task: oldArn, known: clusterArn, isOne: false },
    { what: "another name", cluster: "test", task: taskArn, isOne: true },
    { what: "another name, launched elsewhere", cluster: "test", task: oldArn, known: clusterArn, isOne: true },
    { what: "the same name in another region", cluster: other, task: oldArn, known: clusterArn, isOne: true }
  ])("$what: a problem $isOne (peers 114)", ({ cluster, isOne, known, task }) => {
    const problem = clusterProblem(Result.getOrThrow(parseInfrastructureId(`${cluster}::${task}`)), known)
    assert.strictEqual(problem?.code, isOne ? "InfrastructureNotAvailable" : undefined)
    if (isOne) assert.include(problem?.message, "but the task is running in cluster 'prod'")
  })
})
