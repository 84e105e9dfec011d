import type { RegisterTaskDefinitionRequest, RunTaskRequest } from "@aws-sdk/client-ecs"
import { assert } from "@effect/vitest"
import { Result } from "effect"
import type { Answer } from "#aws/model/AwsException.ts"
import { runTask } from "#aws/model/runTask.ts"
import { registerTaskDefinition } from "#aws/model/taskDefinitions.ts"
import { defaultOptions, type EcsModelOptions, makeWorld, type World } from "#aws/model/World.ts"

/** The model's world without the shell around it: for tests of its pure functions. */

export const region = "us-east-1"

/** Of the default VPC. */
export const subnet = "subnet-0f1ee7000000000a"

/** Ids count up from 0. */
export const aWorld = (options: Partial<EcsModelOptions> = {}): World => {
  let ids = 0
  return makeWorld({ ...defaultOptions, newId: () => String(ids++).padStart(32, "0"), ...options })
}

export const ok = <A>(answer: Answer<A>): A =>
  Result.isSuccess(answer) ? answer.success : assert.fail(answer.failure.message)

/** The refusal of a call that must be refused. */
export const refusal = <A>(answer: Answer<A>) => (Result.isFailure(answer) ? answer.failure : assert.fail("succeeded"))

/** A definition that Fargate takes. */
export const onFargate: RegisterTaskDefinitionRequest = {
  family: "fargate",
  networkMode: "awsvpc",
  requiresCompatibilities: ["FARGATE"],
  cpu: "256",
  memory: "512",
  containerDefinitions: [{ name: "main", image: "busybox" }]
}

/** A definition for container instances, on bridge: 1024 CPU units, 2048 MiB. */
export const onInstances: RegisterTaskDefinitionRequest = {
  family: "instances",
  containerDefinitions: [{ name: "main", image: "busybox", cpu: 1024, memory: 2048 }]
}

/** A launch of `onFargate`. */
export const fargateLaunch: RunTaskRequest = {
  taskDefinition: "fargate",
  launchType: "FARGATE",
  networkConfiguration: { awsvpcConfiguration: { subnets: [subnet] } }
}

/** A world that has both definitions. */
export const aFurnishedWorld = (options: Partial<EcsModelOptions> = {}): World => {
  const world = aWorld(options)
  for (const definition of [onFargate, onInstances]) ok(registerTaskDefinition(world, region, definition, 0))
  return world
}

/** RunTask of `onInstances` on EC2, or as the input says. */
export const launchOnInstances = (world: World, input: Partial<RunTaskRequest> = {}) =>
  runTask(world, region, { taskDefinition: "instances", launchType: "EC2", ...input }, 0)
