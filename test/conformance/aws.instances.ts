import type { RunTaskCommandInput } from "@aws-sdk/client-ecs"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { Ec2Network } from "#aws/Ec2Network.ts"
import { Ecs } from "#aws/Ecs.ts"
import { equalDefinitions } from "#ecs-core/TaskDefinition.ts"
import { cluster, definitionOf, failureOf, isStopped, launch, target, taskWhen } from "./aws.steps.ts"

/** Steps of the conformance suite about container instances, and about what ECS makes of a definition. */

/** On bridge, with sizes of the container alone. */
const onInstances = (family: string, command: ReadonlyArray<string>, memory = 64) => {
  const { containerDefinitions = [] } = definitionOf(family, command)
  const [main] = containerDefinitions
  return {
    family,
    executionRoleArn: "arn:aws:iam::000000000000:role/execution",
    requiresCompatibilities: ["EC2" as const],
    containerDefinitions: main === undefined ? [] : [{ ...main, cpu: 32, memory }]
  }
}

const onEc2 = (taskDefinition: string): RunTaskCommandInput => ({ cluster, taskDefinition, launchType: "EC2" })

export const runsOnAnInstance = (command: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    yield* Ecs.use((ecs) => ecs.registerTaskDefinition(target, onInstances("instance", command)))
    const task = yield* taskWhen(yield* launch(onEc2("instance")), isStopped)
    assert.strictEqual(task.containers?.[0]?.exitCode, 5)
    assert.match(task.containerInstanceArn ?? "", /:container-instance\/default\//)
    assert.deepStrictEqual([task.launchType, task.attachments], ["EC2", []])
  })

export const noRoom = Effect.gen(function* () {
  const ecs = yield* Ecs
  yield* ecs.registerTaskDefinition(target, onInstances("no-room", [], 100_000_000))
  const { failures, tasks } = yield* ecs.runTask(target, onEc2("no-room"))
  assert.deepStrictEqual([tasks, failures.map(({ reason }) => reason)], [[], ["RESOURCE:MEMORY"]])
  assert.match(failures[0]?.arn ?? "", /:container-instance\/default\//)
})

export const noPublicAddress = Effect.gen(function* () {
  const ecs = yield* Ecs
  yield* ecs.registerTaskDefinition(target, { ...onInstances("no-address", []), networkMode: "awsvpc" })
  const { subnetIds } = yield* Ec2Network.use((network) => network.describe(target, undefined))
  const networkConfiguration = {
    awsvpcConfiguration: { subnets: subnetIds.slice(0, 1), assignPublicIp: "ENABLED" as const }
  }
  const failure = yield* failureOf(ecs.runTask(target, { ...onEc2("no-address"), networkConfiguration }))
  assert.deepStrictEqual([failure.code, failure.retry], ["NetworkInvalid", "never"])
})

export const readBackIsEqual = Effect.gen(function* () {
  const sent = definitionOf("equal")
  const [main = {}] = sent.containerDefinitions ?? []
  const environment = ["A", "B", "C"].map((name) => ({ name, value: name }))
  const portMappings = [{ containerPort: 80 }, { containerPort: 81 }]
  const input = {
    ...sent,
    cpu: "1 vCPU",
    memory: "2 GB",
    containerDefinitions: [{ ...main, environment, portMappings }]
  }
  const read = yield* Ecs.use((ecs) => ecs.registerTaskDefinition(target, input))
  assert.notDeepEqual(read.containerDefinitions?.[0]?.environment, environment)
  assert.isTrue(equalDefinitions(input, read))
  assert.isFalse(equalDefinitions({ ...input, cpu: "512" }, read))
})
