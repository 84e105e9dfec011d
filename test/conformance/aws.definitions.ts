import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { Ecs } from "#aws/Ecs.ts"
import { cluster, definitionOf, failureOf, launchInput, register, target } from "./aws.steps.ts"

/** Steps of the conformance suite about task definitions and clusters. */
export const revisionsCountUp = Effect.gen(function* () {
  const first = yield* register("revisions")
  const second = yield* register("revisions")
  assert.strictEqual(second.revision, (first.revision ?? 0) + 1)
  const read = yield* Ecs.use((ecs) => ecs.describeTaskDefinition(target, "revisions"))
  assert.strictEqual(read.taskDefinitionArn, second.taskDefinitionArn)
  assert.strictEqual(read.status, "ACTIVE")
  assert.strictEqual(read.enableFaultInjection, false)
  const [container] = read.containerDefinitions ?? []
  const { cpu, essential, environment, mountPoints, portMappings, volumesFrom, systemControls } = container ?? {}
  const lists = [environment, mountPoints, portMappings, volumesFrom, systemControls]
  assert.deepStrictEqual({ cpu, essential, lists }, { cpu: 0, essential: true, lists: [[], [], [], [], []] })
})

export const unknownDefinition = Effect.gen(function* () {
  const failure = yield* failureOf(Ecs.use((ecs) => ecs.describeTaskDefinition(target, "never-registered:7")))
  assert.deepStrictEqual([failure.code, failure.retry], ["TaskDefinitionNotFound", "inactive"])
  assert.match(failure.message, /never-registered:7/)
})

export const badFargateSize = Effect.gen(function* () {
  const input = { ...definitionOf("bad-size"), memory: "4096" }
  const failure = yield* failureOf(Ecs.use((ecs) => ecs.registerTaskDefinition(target, input)))
  assert.deepStrictEqual([failure.code, failure.retry], ["TaskDefinitionInvalid", "never"])
  assert.match(failure.message, /256 CPU, 4096 memory/)
})

export const deregistersTwice = Effect.gen(function* () {
  const { taskDefinitionArn = "" } = yield* register("retired")
  const ecs = yield* Ecs
  yield* ecs.deregisterTaskDefinition(target, taskDefinitionArn)
  yield* ecs.deregisterTaskDefinition(target, taskDefinitionArn)
  assert.strictEqual((yield* ecs.describeTaskDefinition(target, taskDefinitionArn)).status, "INACTIVE")
  const failure = yield* failureOf(ecs.describeTaskDefinition(target, "retired"))
  assert.strictEqual(failure.code, "TaskDefinitionNotFound")
})

export const neverRegistered = Effect.gen(function* () {
  const failure = yield* failureOf(Ecs.use((ecs) => ecs.deregisterTaskDefinition(target, "never-registered:7")))
  assert.deepStrictEqual([failure.code, failure.action], ["TaskDefinitionNotFound", "DeregisterTaskDefinition"])
  assert.match(failure.message, /never-registered:7/)
})

export const noLongerLaunched = Effect.gen(function* () {
  const { taskDefinitionArn = "" } = yield* register("no-longer")
  const ecs = yield* Ecs
  yield* ecs.deregisterTaskDefinition(target, taskDefinitionArn)
  const failure = yield* failureOf(ecs.runTask(target, yield* launchInput(taskDefinitionArn)))
  assert.deepStrictEqual([failure.code, failure.retry], ["TaskDefinitionInactive", "inactive"])
  assert.include(failure.message, taskDefinitionArn)
})

export const foundCluster = Effect.gen(function* () {
  const ecs = yield* Ecs
  const found = yield* ecs.describeCluster(target, cluster)
  assert.deepStrictEqual([found.clusterName, found.status], [cluster, "ACTIVE"])
  assert.deepStrictEqual(yield* ecs.describeCluster(target, found.clusterArn ?? ""), found)
})

export const missingCluster = Effect.gen(function* () {
  const failure = yield* failureOf(Ecs.use((ecs) => ecs.describeCluster(target, "not-there")))
  assert.deepStrictEqual([failure.code, failure.retry], ["ClusterNotFound", "never"])
  assert.match(failure.message, /cluster 'not-there' not found\.$/)
})
