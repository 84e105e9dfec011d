import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { awsBodies } from "./awsBodies.ts"
import { localPool } from "./local/pool.ts"
import type { RequestBody } from "./request.ts"

const context = { pool: localPool, region: "eu-central-1", runId: "nightly-1", runTimeoutSecondsMax: 86_400 }
const bodiesOf = (body: RequestBody) => Result.getOrThrow(awsBodies(body, context))
const secret = "hunter2"

describe("awsBodies", () => {
  it("has both calls as they would be sent, values of variables masked", () => {
    const { bodies } = bodiesOf({ command: ["echo", "hi"], env: { PASSWORD: secret }, cpu: 512, cluster: "batch" })
    assert.notInclude(JSON.stringify(bodies), secret)
    assert.deepInclude(bodies.RegisterTaskDefinition, { family: "fleet_default", cpu: "512", memory: "2048" })
    assert.deepInclude(bodies.RunTask, { cluster: "batch", taskDefinition: "fleet_default:<revision>" })
    assert.deepNestedInclude(bodies.RunTask, { "overrides.containerOverrides[0].command": ["echo", "hi"] })
    assert.deepNestedInclude(bodies.RunTask, {
      "overrides.containerOverrides[0].environment[0]": { name: "PASSWORD", value: "***" }
    })
  })

  it("takes the region of the request before the default one", () => {
    const region = (body: RequestBody) => JSON.stringify(bodiesOf(body).bodies.RegisterTaskDefinition)
    assert.include(region({}), '"awslogs-region":"eu-central-1"')
    assert.include(region({ region: "us-west-2" }), '"awslogs-region":"us-west-2"')
  })

  it("says what only a launch fills in", () => {
    const network = { vpcId: "vpc-1", networkConfiguration: { subnets: ["subnet-1"] } }
    assert.include(bodiesOf({}).notes.join(), "subnets of the default VPC")
    assert.include(bodiesOf({ vpcId: "vpc-1" }).notes.join(), "subnets of vpc-1")
    assert.notInclude(bodiesOf(network).notes.join(), "adds the network")
    assert.include(bodiesOf({ executionRoleArn: null }).notes.join(), "to show: no executionRoleArn")
  })

  it("says of every container that logs elsewhere that its output will not be shown", () => {
    const logConfiguration = { logDriver: "splunk" }
    const proxy = { name: "proxy", image: "proxy:1", logConfiguration }
    const taskDefinition = { containerDefinitions: [{ name: "main" }, proxy] }
    const notes = bodiesOf({ executionRoleArn: null, taskDefinition }).notes.join("\n")
    assert.match(notes, /no output of container "main" .*\n.*no output of container "proxy" to show: .*splunk/)
  })

  it("shows of a linked definition the launch alone, and says that nothing is registered", () => {
    const linked = {
      taskDefinitionArn: "kept:7",
      command: ["x"],
      vpcId: "vpc-1",
      networkConfiguration: { subnets: ["subnet-1"] }
    }
    const { bodies, notes } = bodiesOf(linked)
    assert.notProperty(bodies, "RegisterTaskDefinition")
    assert.deepNestedInclude(bodies.RunTask, {
      taskDefinition: "kept:7",
      "overrides.containerOverrides[0].command": ["x"],
      "networkConfiguration.awsvpcConfiguration.subnets": ["subnet-1"]
    })
    assert.include(
      notes.join("\n"),
      "Task definition kept:7 is used as it is and read at the launch: nothing is registered."
    )
    assert.include(notes.join("\n"), 'The container is "main" if the definition has it, else its first one.')
    assert.notInclude(bodiesOf({ ...linked, containerName: "app" }).notes.join("\n"), "The container is")
  })

  it("says where the cluster decides, and what has no effect", () => {
    assert.include(bodiesOf({ launchType: null }).notes.join(), "default capacity provider strategy")
    const both = { launchType: "FARGATE", capacityProviderStrategy: [{ capacityProvider: "mine" }] }
    assert.include(bodiesOf(both).notes.join(), '`launchType` "FARGATE" is left out')
  })

  it.each([
    { body: { comand: ["x"], cpu: "many" }, fields: ["comand", "cpu"] },
    { body: { image: null, pool: "default" }, fields: ["image"] },
    { body: { runTimeoutSeconds: 86_401 }, fields: ["runTimeoutSeconds"] },
    { body: { cpu: 300, gpu: 1 }, fields: ["cpu", "gpu"] },
    { body: { env: { A: "x".repeat(9000) } }, fields: ["env"] },
    { body: { taskDefinitionArn: "kept", env: { A: "x".repeat(9000) } }, fields: ["env"] }
  ])("refuses what the dispatcher would refuse: $fields", ({ body, fields }) => {
    const problems = Result.getOrThrow(Result.flip(awsBodies(body, context)))
    assert.sameMembers(
      problems.map(({ field }) => field ?? ""),
      fields
    )
  })
})
