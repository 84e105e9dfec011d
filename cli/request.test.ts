import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Option, Result } from "effect"
import { RunRequest } from "#ecs-core/RunRequest.ts"
import { awsBodies } from "./awsBodies.ts"
import { localPool } from "./local/pool.ts"
import { parseRequestFile, requestBody } from "./request.ts"
import { type RequestFlags, requestFlags } from "./requestFlags.ts"

const noFlags: RequestFlags = {
  image: Option.none(),
  env: [],
  cpu: Option.none(),
  memory: Option.none(),
  arm64: false,
  name: Option.none(),
  pool: Option.none(),
  label: [],
  tag: [],
  cluster: Option.none(),
  region: Option.none(),
  launchType: Option.none(),
  taskDefinitionArn: Option.none(),
  family: Option.none(),
  taskRoleArn: Option.none(),
  executionRoleArn: Option.none(),
  vpcId: Option.none(),
  subnet: [],
  securityGroup: [],
  publicIp: false,
  command: []
}

const context = { pool: localPool, region: "eu-central-1", runId: "nightly-1", runTimeoutSecondsMax: 86_400 }

const environment = { HOME: "/home/me" }

describe("requestBody", () => {
  it.each([
    { what: "nothing", flags: {}, file: {}, body: {} },
    {
      what: "the command as a list",
      flags: { command: ["sh", "-c", "exit 3"] },
      file: {},
      body: { command: ["sh", "-c", "exit 3"] }
    },
    {
      what: "every flag of one field",
      flags: {
        image: Option.some("alpine"),
        cpu: Option.some(512),
        memory: Option.some(1024),
        name: Option.some("nightly"),
        pool: Option.some("gpu"),
        cluster: Option.some("batch"),
        region: Option.some("eu-central-1"),
        launchType: Option.some("EC2"),
        taskDefinitionArn: Option.some("report:7"),
        family: Option.some("report"),
        taskRoleArn: Option.some("arn:aws:iam::123456789012:role/task"),
        executionRoleArn: Option.some("arn:aws:iam::123456789012:role/execution"),
        vpcId: Option.some("vpc-1")
      },
      file: {},
      body: {
        image: "alpine",
        cpu: 512,
        memory: 1024,
        name: "nightly",
        pool: "gpu",
        cluster: "batch",
        region: "eu-central-1",
        launchType: "EC2",
        taskDefinitionArn: "report:7",
        family: "report",
        taskRoleArn: "arn:aws:iam::123456789012:role/task",
        executionRoleArn: "arn:aws:iam::123456789012:role/execution",
        vpcId: "vpc-1"
      }
    },
    {
      what: "a network, its lists instead of the file's",
      flags: { subnet: ["subnet-1", "subnet-2"], securityGroup: ["sg-1"], publicIp: true },
      file: { networkConfiguration: { subnets: ["subnet-9"], assignPublicIp: "DISABLED" } },
      body: {
        networkConfiguration: {
          subnets: ["subnet-1", "subnet-2"],
          securityGroups: ["sg-1"],
          assignPublicIp: "ENABLED"
        }
      }
    },
    {
      what: "one part of a network, the file's other parts kept",
      flags: { securityGroup: ["sg-1"] },
      file: { networkConfiguration: { subnets: ["subnet-9"] } },
      body: { networkConfiguration: { subnets: ["subnet-9"], securityGroups: ["sg-1"] } }
    },
    {
      what: "the architecture, the rest of the platform kept",
      flags: { arm64: true },
      file: { runtimePlatform: { operatingSystemFamily: "LINUX" } },
      body: { runtimePlatform: { operatingSystemFamily: "LINUX", cpuArchitecture: "ARM64" } }
    },
    {
      what: "tags over the file's, and a label that the file takes away",
      flags: { tag: ["cost-centre=42"] },
      file: { tags: { "cost-centre": "1", team: "data" }, labels: { stage: null } },
      body: { tags: { "cost-centre": "42", team: "data" }, labels: { stage: null } }
    },
    {
      what: "flags over the file",
      flags: { image: Option.some("alpine:2"), command: ["b"] },
      file: { image: "alpine:1", command: "a", cpu: 256 },
      body: { image: "alpine:2", command: ["b"], cpu: 256 }
    },
    {
      what: "variables name by name, values with =, and one of the caller's own",
      flags: { env: ["A=1", "B=x=y", "C=", "HOME"] },
      file: { env: { A: "0", D: null } },
      body: { env: { A: "1", B: "x=y", C: "", D: null, HOME: "/home/me" } }
    },
    {
      what: "labels",
      flags: { label: ["team=data"] },
      file: { labels: { a: "b" } },
      body: { labels: { a: "b", team: "data" } }
    },
    {
      what: "the file's own mistakes as they are",
      flags: {},
      file: { comand: 1, env: "x" },
      body: { comand: 1, env: "x" }
    }
  ])("takes $what", ({ flags, file, body }) => {
    assert.deepStrictEqual(Result.getOrThrow(requestBody({ ...noFlags, ...flags }, file, environment)), body)
  })

  it("has no flag that stands for a field that requests do not have", () => {
    const parts = new Set(["label", "tag", "arm64", "subnet", "securityGroup", "publicIp"])
    const fields = Object.keys(requestFlags).filter((flag) => !parts.has(flag))
    assert.includeMembers(Object.keys(RunRequest.fields), fields)
  })

  it.each([
    { flags: { launchType: Option.some("fargate") }, field: "launchType" },
    { flags: { cpu: Option.some(1) }, field: "cpu" },
    { flags: { subnet: ["subnet-1"] }, field: "vpcId" },
    { flags: { vpcId: Option.some("vpc-1"), publicIp: true }, field: "networkConfiguration.subnets" },
    { flags: { tag: ["aws:team=data"] }, field: "tags.aws:team" }
  ])("leaves it to the request's own checks to refuse $field", ({ flags, field }) => {
    const body = Result.getOrThrow(requestBody({ ...noFlags, ...flags }, {}, environment))
    const problems = Result.getOrThrow(Result.flip(awsBodies(body, context)))
    assert.deepStrictEqual(
      problems.map((problem) => problem.field),
      [field]
    )
  })

  it.each([
    { flags: { env: ["NOT_THERE"] }, says: "there is no variable NOT_THERE" },
    { flags: { env: ["=1"] }, says: '--env takes NAME=VALUE, got "=1"' },
    { flags: { tag: ["=x"] }, says: '--tag takes NAME=VALUE, got "=x"' },
    { flags: { label: ["team"] }, says: '--label takes NAME=VALUE, got "team"' }
  ])("refuses with: $says", ({ flags, says }) => {
    const result = requestBody({ ...noFlags, ...flags }, {}, environment)
    assert.include(Result.getOrThrow(Result.flip(result)).message, says)
  })
})

describe("parseRequestFile", () => {
  it("reads examples/request.yaml, of which every part reaches ECS", () => {
    const path = "examples/request.yaml"
    const body = Result.getOrThrow(parseRequestFile(path, readFileSync(path, "utf8")))
    const { bodies } = Result.getOrThrow(awsBodies(body, context))
    const definition = JSON.stringify(bodies.RegisterTaskDefinition)
    const launch = JSON.stringify(bodies.RunTask)
    for (const part of ['"family":"fleet_default_report"', '"cpu":"512"', '"memory":"1024"', '"stopTimeout":60']) {
      assert.include(definition, part)
    }
    for (const part of ['"DAY"', '["sh","-c",', '{"key":"team","value":"data"}', '"referenceId":"report-monday"']) {
      assert.include(launch, part)
    }
  })

  it.each([
    { path: "request.json", content: '{"command": ["true"]}' },
    { path: "request.yaml", content: "command:\n  - 'true'\n" },
    { path: "-", content: '{"command": ["true"]}' },
    { path: "-", content: "command: ['true']" }
  ])("reads $path: $content (peers 125)", ({ path, content }) => {
    assert.deepStrictEqual(Result.getOrThrow(parseRequestFile(path, content)), { command: ["true"] })
  })

  it.each([
    { path: "request.json", content: "{", says: "request.json cannot be read: " },
    { path: "request.yaml", content: "a: [", says: "request.yaml cannot be read: " },
    { path: "request.yaml", content: "- a", says: "must hold one object" },
    { path: "request.yaml", content: "", says: "must hold one object" }
  ])("refuses $path: $content (peers 125, scenario 84)", ({ path, content, says }) => {
    const { message } = Result.getOrThrow(Result.flip(parseRequestFile(path, content)))
    assert.include(message, says)
    assert.notInclude(message, "\n")
  })
})
