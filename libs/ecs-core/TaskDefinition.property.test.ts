import type { RegisterTaskDefinitionRequest } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { readBack } from "#aws/model/readBack.ts"
import { refuseDefinition } from "#aws/model/taskDefinitionRules.ts"
import { definitionProblems } from "#ecs-core/DefinitionProblems.ts"
import { linkDefinition } from "#ecs-core/LinkedDefinition.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import { definitionKey, differences, normalise } from "#ecs-core/TaskDefinition.ts"

/** Requests at random, against the rules and the answers of a stand-in for ECS that knows nothing of this module. */

const maybe = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(schema)
const oneOf = <const A extends ReadonlyArray<string | number>>(...values: A) => Schema.Literals(values)
const few = <S extends Schema.Constraint>(schema: S) => Schema.Array(schema).check(Schema.isMaxLength(2))

const Container = Schema.Struct({
  name: maybe(oneOf("main", "sidecar", "app", "d", "e")),
  image: oneOf("own:1", "own:2"),
  essential: maybe(Schema.Boolean),
  cpu: maybe(oneOf(0, 128, "128")),
  memory: maybe(oneOf(256, "0.5 GB")),
  memoryReservation: maybe(oneOf(128)),
  command: maybe(few(oneOf("", "a", "b"))),
  environment: maybe(few(Schema.Struct({ name: oneOf("A", "B", "C"), value: oneOf("", "1") }))),
  secrets: maybe(few(Schema.Struct({ name: oneOf("D", "E", "F"), valueFrom: oneOf("arn:1", "arn:2") }))),
  portMappings: maybe(few(Schema.Struct({ containerPort: oneOf(80, 443), hostPort: maybe(oneOf(0, 80)) }))),
  mountPoints: maybe(few(Schema.Struct({ sourceVolume: oneOf("v"), readOnly: maybe(Schema.Boolean) }))),
  readonlyRootFilesystem: maybe(Schema.Boolean),
  stopTimeout: maybe(oneOf(0, 30)),
  user: maybe(oneOf("", "nobody"))
})

const Request = Schema.Struct({
  image: oneOf("named:1"),
  launchType: maybe(oneOf("FARGATE", "FARGATE_SPOT", "EC2", "EXTERNAL", "MANAGED_INSTANCES")),
  cpu: maybe(oneOf(512, 1024)),
  memory: maybe(oneOf(2048, 4096)),
  runtimePlatform: maybe(Schema.Struct({ cpuArchitecture: oneOf("ARM64") })),
  executionRoleArn: oneOf("arn:aws:iam::123456789012:role/jobs"),
  secrets: maybe(Schema.Struct({ D: oneOf("arn:3") })),
  configureCloudwatchLogs: maybe(Schema.Boolean),
  taskDefinition: Schema.Struct({
    networkMode: maybe(oneOf("awsvpc", "awsvpc", "bridge", "")),
    requiresCompatibilities: maybe(few(oneOf("FARGATE", "EC2"))),
    cpu: maybe(oneOf("1 vCPU", "512")),
    memory: maybe(oneOf("2 GB", "4096")),
    containerDefinitions: maybe(few(Container)),
    volumes: maybe(few(Schema.Struct({ name: oneOf("v") }))),
    enableFaultInjection: maybe(Schema.Boolean)
  })
})

const registered = {
  taskDefinitionArn: "arn:aws:ecs:eu-central-1:123456789012:task-definition/fleet_default:7",
  revision: 7,
  registeredAt: new Date(0),
  registeredBy: "arn:aws:sts::123456789012:assumed-role/dispatcher/1"
}

const asSent = (definition: object): RegisterTaskDefinitionRequest => JSON.parse(JSON.stringify(definition))

describe("any request", () => {
  it.prop(
    "whose definition has no problem is registered, equals what is read back of it, and can be linked as it is (peers 47, 48)",
    [Request],
    ([request]) => {
      const resolved = resolveJob(request, undefined, 86_400)
      if (Result.isFailure(resolved)) return
      const job = resolved.success
      const { definition, containerName } = prepareTaskDefinition(job, "eu-central-1")
      const read = readBack(asSent(definition), registered)
      assert.deepStrictEqual(differences(read, definition), [])
      assert.deepStrictEqual(normalise(asSent(read)), normalise(definition))
      assert.strictEqual(definitionKey(read, "eu-central-1"), definitionKey(definition, "eu-central-1"))
      if (definitionProblems(job, definition, containerName).length > 0) return
      assert.isUndefined(refuseDefinition(asSent(definition)), JSON.stringify(definition))
      const { launchType } = job
      const link = resolveJob(
        { taskDefinitionArn: "f", launchType: launchType ?? null, containerName },
        undefined,
        86_400
      )
      const { problems } = linkDefinition(Result.getOrThrow(link), asSent(read))
      assert.deepStrictEqual(problems, [], JSON.stringify(read))
    },
    { arbitrary: { runs: 500 } }
  )
})
