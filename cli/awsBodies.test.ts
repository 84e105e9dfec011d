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
    assert.include(bodiesOf({ executionRoleArn: null }).notes.join(), "No output can be read: no executionRoleArn")
  })

  it.each([
    { body: { comand: ["x"], cpu: "many" }, fields: ["comand", "cpu"] },
    { body: { image: null, pool: "default" }, fields: ["image"] },
    { body: { runTimeoutSeconds: 86_401 }, fields: ["runTimeoutSeconds"] }
  ])("refuses what the dispatcher would refuse: $fields", ({ body, fields }) => {
    const problems = Result.getOrThrow(Result.flip(awsBodies(body, context)))
    assert.sameMembers(
      problems.map(({ field }) => field ?? ""),
      fields
    )
  })
})
