import { assert, describe, it } from "@effect/vitest"
import { demandOf, launchesOn, runsOnFargate } from "#ecs-core/LaunchOn.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"
import { aJob } from "#test/support/builders.ts"

const own = [{ capacityProvider: "mine", weight: 1 }]
const spot = [{ capacityProvider: "FARGATE" }, { capacityProvider: "FARGATE_SPOT", weight: 1 }]

describe("demandOf", () => {
  it.each([
    { definition: {}, demand: undefined },
    { definition: { requiresCompatibilities: [] }, demand: undefined },
    { definition: { requiresCompatibilities: ["EC2", "FARGATE"] }, demand: undefined },
    { definition: { requiresCompatibilities: ["EC2"] }, demand: "EC2" },
    { definition: { requiresCompatibilities: ["EXTERNAL"] }, demand: "EXTERNAL" },
    { definition: { requiresCompatibilities: ["MANAGED_INSTANCES"] }, demand: "MANAGED_INSTANCES" },
    { definition: { compatibilities: ["EXTERNAL", "EC2"] }, demand: "EC2" },
    { definition: { requiresCompatibilities: ["FARGATE"], compatibilities: ["EC2"] }, demand: undefined },
    { definition: { networkMode: "bridge" }, demand: "EC2" },
    { definition: { networkMode: "awsvpc" }, demand: undefined }
  ])("of $definition is $demand", ({ definition, demand }) => {
    assert.strictEqual(demandOf(definition), demand)
  })
})

describe("launchesOn and runsOnFargate", () => {
  it.each<{ request: RunRequest; definition: object; on: "given" | "cluster"; fargate: boolean }>([
    { request: {}, definition: {}, on: "given", fargate: true },
    { request: { launchType: "FARGATE_SPOT" }, definition: {}, on: "given", fargate: true },
    { request: { launchType: "EC2" }, definition: {}, on: "given", fargate: false },
    { request: { launchType: null }, definition: {}, on: "cluster", fargate: true },
    { request: { launchType: null }, definition: { requiresCompatibilities: ["EC2"] }, on: "given", fargate: false },
    { request: { capacityProviderStrategy: own }, definition: {}, on: "given", fargate: false },
    { request: { capacityProviderStrategy: spot }, definition: {}, on: "given", fargate: true },
    { request: { capacityProviderStrategy: own, launchType: "FARGATE" }, definition: {}, on: "given", fargate: false },
    { request: { taskRunRequest: { launchType: "EC2" } }, definition: {}, on: "given", fargate: false }
  ])("$request with $definition: $on, Fargate $fargate", ({ request, definition, on, fargate }) => {
    assert.strictEqual(launchesOn(aJob(request), definition), on)
    assert.strictEqual(runsOnFargate(aJob(request), definition), fargate)
  })
})
