import type { ContainerDefinition, RegisterTaskDefinitionRequest } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Answer } from "./AwsException.ts"
import { createCluster, deleteCluster, describeClusters, listClusters } from "./clusters.ts"
import { maxDefinitionBytes } from "./taskDefinitionRules.ts"
import * as definitions from "./taskDefinitions.ts"
import { listTagsForResource, tagResource } from "./tasks.ts"
import { defaultOptions, makeWorld } from "./World.ts"

const region = "us-east-1"
const world = () => makeWorld({ ...defaultOptions, newId: () => "0" })
const ok = <A>(answer: Answer<A>): A =>
  Result.isSuccess(answer) ? answer.success : assert.fail(answer.failure.message)
const error = <A>(answer: Answer<A>) => (Result.isFailure(answer) ? answer.failure : assert.fail("succeeded"))

const main: ContainerDefinition = { name: "main", image: "busybox" }
const fargate: RegisterTaskDefinitionRequest = {
  family: "f",
  containerDefinitions: [main],
  cpu: "256",
  memory: "512",
  networkMode: "awsvpc",
  requiresCompatibilities: ["FARGATE"]
}
const awslogs = (options: Record<string, string>): ContainerDefinition => ({
  ...main,
  logConfiguration: { logDriver: "awslogs", options }
})

describe("registerTaskDefinition", () => {
  const refusals: ReadonlyArray<readonly [string, Partial<RegisterTaskDefinitionRequest>, RegExp]> = [
    ["no family", { family: "" }, /Family/],
    ["a family with a dot", { family: "a.b" }, /invalid characters/],
    ["a family of 256", { family: "x".repeat(256) }, /255/],
    ["no containers", { containerDefinitions: [] }, /cannot be empty/],
    [
      "11 containers",
      { containerDefinitions: Array.from({ length: 11 }, (_, index) => ({ ...main, name: `c${index}` })) },
      /^Too many containers/
    ],
    ["two of one name", { containerDefinitions: [main, main] }, /unique/],
    ["nothing essential", { containerDefinitions: [{ ...main, essential: false }] }, /essential/],
    ["no name", { containerDefinitions: [{ image: "x" }] }, /name should not be null/],
    ["no image", { containerDefinitions: [{ name: "main" }] }, /image should not be null/],
    ["no cpu", { cpu: undefined }, /'cpu' be defined/],
    ["no memory", { memory: undefined }, /'memory' be defined/],
    [
      "a pair that is not there",
      { memory: "4096" },
      /No Fargate configuration exists for given values: 256 CPU, 4096 memory\./
    ],
    ["bridge on Fargate", { networkMode: "bridge" }, /Fargate only supports network mode/],
    ["privileged on Fargate", { containerDefinitions: [{ ...main, privileged: true }] }, /privileged/],
    ["awslogs without a group", { containerDefinitions: [awslogs({})] }, /awslogs-group/],
    [
      "awslogs without a role",
      { containerDefinitions: [awslogs({ "awslogs-group": "g", "awslogs-stream-prefix": "p" })] },
      /execution role ARN/
    ],
    [
      "awslogs without a prefix",
      { executionRoleArn: "r", containerDefinitions: [awslogs({ "awslogs-group": "g" })] },
      /stream-prefix/
    ],
    ["EC2 without memory", { requiresCompatibilities: ["EC2"], memory: undefined }, /'memory' or 'memoryReservation'/]
  ]

  it.each(refusals)("refuses %s", (_, more, text) => {
    const refusal = error(definitions.registerTaskDefinition(world(), region, { ...fargate, ...more }, 0))
    assert.strictEqual(refusal.__type, "ClientException")
    assert.match(refusal.message, text)
  })

  it("64 KiB pass, a byte more does not; tags do not count", () => {
    const withLength = (length: number): RegisterTaskDefinitionRequest => {
      const padded = (command: string) => ({ ...fargate, containerDefinitions: [{ ...main, command: [command] }] })
      return padded("x".repeat(length - JSON.stringify(padded("")).length))
    }
    ok(
      definitions.registerTaskDefinition(
        world(),
        region,
        { ...withLength(maxDefinitionBytes), tags: [{ key: "a" }] },
        0
      )
    )
    const refusal = error(definitions.registerTaskDefinition(world(), region, withLength(maxDefinitionBytes + 1), 0))
    assert.strictEqual(refusal.message, "Actual length: '65537'. Max allowed length is '65536' bytes.")
  })
})

describe("definitions and clusters", () => {
  it("a family stands for its latest ACTIVE revision; numbers are never used again", () => {
    const here = world()
    for (let revision = 1; revision <= 3; revision++) ok(definitions.registerTaskDefinition(here, region, fargate, 0))
    ok(definitions.deregisterTaskDefinition(here, region, { taskDefinition: "f:3" }, 0))
    const revision = (taskDefinition: string) =>
      ok(definitions.describeTaskDefinition(here, region, { taskDefinition })).taskDefinition?.revision
    assert.strictEqual(revision("f"), 2)
    assert.strictEqual(revision("arn:aws:ecs:us-east-1:000000000000:task-definition/f:3"), 3)
    assert.strictEqual(ok(definitions.registerTaskDefinition(here, region, fargate, 0)).taskDefinition?.revision, 4)
    const list = (more: object) => ok(definitions.listTaskDefinitions(here, region, more)).taskDefinitionArns
    assert.deepStrictEqual(
      list({ sort: "DESC" })?.map((arn) => arn.slice(-1)),
      ["4", "2", "1"]
    )
    assert.deepStrictEqual(
      list({ status: "INACTIVE" })?.map((arn) => arn.slice(-1)),
      ["3"]
    )
    assert.deepStrictEqual(list({ familyPrefix: "g" }), [])
    assert.deepStrictEqual(ok(definitions.listTaskDefinitionFamilies(here, region, { familyPrefix: "f" })).families, [
      "f"
    ])
    const { message } = error(definitions.describeTaskDefinition(here, region, { taskDefinition: "g" }))
    assert.strictEqual(message, "Unable to describe task definition.")
  })

  it("clusters are made, listed, described, deleted; each region has its own", () => {
    const here = world()
    const arn = ok(createCluster(here, region, { clusterName: "c" })).cluster?.clusterArn
    assert.strictEqual(ok(createCluster(here, region, { clusterName: "c" })).cluster?.clusterArn, arn)
    assert.strictEqual(ok(listClusters(here, region, {})).clusterArns?.length, 2)
    assert.strictEqual(ok(listClusters(here, "eu-west-1", {})).clusterArns?.length, 1)
    const { clusters, failures } = ok(describeClusters(here, region, { clusters: [arn ?? "", "x"] }))
    assert.deepStrictEqual([clusters?.[0]?.status, failures?.[0]?.reason], ["ACTIVE", "MISSING"])
    assert.strictEqual(ok(deleteCluster(here, region, { cluster: "c" })).cluster?.status, "INACTIVE")
    assert.strictEqual(error(deleteCluster(here, region, { cluster: "c" })).__type, "ClusterNotFoundException")
  })

  it("tags of definitions and clusters can be set and read; a key is replaced", () => {
    const here = world()
    const { taskDefinition } = ok(
      definitions.registerTaskDefinition(here, region, { ...fargate, tags: [{ key: "a", value: "1" }] }, 0)
    )
    const cluster = ok(createCluster(here, region, { clusterName: "c" })).cluster
    for (const resourceArn of [taskDefinition?.taskDefinitionArn, cluster?.clusterArn]) {
      ok(tagResource(here, region, { resourceArn, tags: [{ key: "a", value: "2" }] }))
      assert.deepStrictEqual(ok(listTagsForResource(here, region, { resourceArn })).tags, [{ key: "a", value: "2" }])
    }
    assert.strictEqual(
      error(tagResource(here, region, { resourceArn: "arn:x", tags: [] })).__type,
      "ResourceNotFoundException"
    )
  })
})
