import { assert, describe, it } from "@effect/vitest"
import { linkDefinition } from "#ecs-core/LinkedDefinition.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"
import { aJob } from "#test/support/builders.ts"

const arn = "arn:aws-us-gov:ecs:us-gov-west-1:123456789012:task-definition/kept:7"
const readBack = {
  taskDefinitionArn: arn,
  status: "ACTIVE",
  networkMode: "awsvpc",
  cpu: "256",
  memory: "512",
  requiresCompatibilities: ["FARGATE"],
  compatibilities: ["EC2", "FARGATE"],
  containerDefinitions: [{ name: "app", image: "i", essential: true }]
}
const link = (request: RunRequest = {}, definition: object = readBack) =>
  linkDefinition(aJob({ image: null, taskDefinitionArn: arn, ...request }), definition)

describe("linkDefinition", () => {
  it("takes the definition as it is, and finds the container in it (peers 23)", () => {
    assert.deepStrictEqual(link(), { definition: readBack, containerName: "app", problems: [], notices: [] })
    assert.strictEqual(link().definition, readBack)
    const two = { ...readBack, containerDefinitions: [{ name: "sidecar" }, { name: "main" }] }
    assert.strictEqual(link({}, two).containerName, "main")
    assert.strictEqual(link({ containerName: "sidecar" }, two).containerName, "sidecar")
  })

  it.each([
    arn,
    "arn:aws-cn:ecs:cn-north-1:123456789012:task-definition/kept:7",
    "arn:aws:ecs:eu-central-1:123456789012:task-definition/kept:7",
    "kept",
    "kept:7"
  ])("whatever it is called: %s", (taskDefinitionArn) => {
    const found = link({ taskDefinitionArn, image: "other" })
    assert.deepStrictEqual(found.problems, [])
    assert.include(found.notices.join(), `Task definition ${taskDefinitionArn} is used as it is`)
  })

  it("names in one notice all that it cannot take, wherever it is said", () => {
    const said: RunRequest = {
      image: "other",
      secrets: { A: "arn" },
      runtimePlatform: { cpuArchitecture: "ARM64" },
      family: "mine",
      configureCloudwatchLogs: false,
      cloudwatchLogsPrefix: "p",
      autoDeregisterTaskDefinition: true,
      matchLatestRevisionInFamily: true,
      env: { GONE: null, KEPT: "1" },
      taskDefinition: { volumes: [{ name: "v" }] }
    }
    const { notices, problems } = link(said)
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(notices, [
      `Task definition ${arn} is used as it is, so that these have no effect: image, secrets, runtimePlatform, family, ` +
        "configureCloudwatchLogs, cloudwatchLogsPrefix, autoDeregisterTaskDefinition, matchLatestRevisionInFamily, " +
        "env.GONE (null), taskDefinition.volumes."
    ])
  })

  it("has no notice for what becomes an override", () => {
    const said: RunRequest = {
      cpu: 512,
      memory: 1024,
      taskRoleArn: "a",
      executionRoleArn: "b",
      env: { A: "1" },
      command: ["x"]
    }
    assert.deepStrictEqual(link(said).notices, [])
  })

  it.each(["INACTIVE", "DELETE_IN_PROGRESS"])("refuses a revision that is %s, with what to do", (status) => {
    const [problem] = link({}, { ...readBack, status }).problems
    assert.strictEqual(problem?.code, "TaskDefinitionInactive")
    assert.strictEqual(problem?.field, "taskDefinitionArn")
    assert.include(problem?.message ?? "", status)
    assert.match(problem?.advice ?? "", /ACTIVE revision/)
  })

  it("refuses before RunTask what cannot run on Fargate", () => {
    const ec2 = { ...readBack, networkMode: "bridge", requiresCompatibilities: [], compatibilities: ["EC2"] }
    assert.strictEqual(link({}, ec2).problems.length, 2)
    assert.deepStrictEqual(link({ launchType: "EC2" }, ec2).problems, [])
    assert.deepStrictEqual(link({ launchType: null }, ec2).problems, [])
  })
})
