import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { definitionProblems } from "#ecs-core/DefinitionProblems.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { networkPlan } from "#ecs-core/Network.ts"
import type { Pool } from "#ecs-core/Pool.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"
import { runTaskInput } from "#ecs-core/RunTaskInput.ts"

/** What people bring along from the peers, as pool and request, all the way to what ECS is sent. */
const prepared = (pool: Pool, request: RunRequest) => {
  const job = Result.getOrThrow(resolveJob(request, pool, 86_400))
  const { definition, containerName } = prepareTaskDefinition(job, "eu-central-1")
  const launch = { runId: RunId.make("r1"), attempt: 1, taskDefinitionArn: "arn", definition, containerName }
  return {
    definition,
    runTask: runTaskInput(job, launch),
    network: networkPlan(job, definition),
    problems: definitionProblems(job, definition, containerName)
  }
}
const identity = [
  { name: "FLEET_RUN_ID", value: "r1" },
  { name: "FLEET_ATTEMPT", value: "1" }
]

describe("Prefect's base template with none of its variables set", () => {
  const pool: Pool = {
    image: "prefect:3",
    taskDefinition: {
      containerDefinitions: [{ image: null, name: null }],
      cpu: null,
      family: null,
      memory: null,
      executionRoleArn: null
    },
    taskRunRequest: {
      launchType: "FARGATE",
      cluster: null,
      overrides: {
        containerOverrides: [{ name: null, command: null, environment: [], cpu: null, memory: null }],
        cpu: null,
        memory: null,
        taskRoleArn: null
      },
      tags: [],
      taskDefinition: null,
      capacityProviderStrategy: []
    }
  }

  it("launches the defaults", () => {
    const { definition, runTask, network, problems } = prepared(pool, { command: "prefect flow-run execute" })
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(network, { inferNetwork: {} })
    assert.deepStrictEqual(definition, {
      family: "fleet_default",
      cpu: "1024",
      memory: "2048",
      networkMode: "awsvpc",
      requiresCompatibilities: ["FARGATE"],
      containerDefinitions: [{ name: "main", image: "prefect:3", essential: true }]
    })
    assert.deepStrictEqual(runTask, {
      cluster: "default",
      taskDefinition: "arn",
      launchType: "FARGATE",
      overrides: {
        containerOverrides: [{ name: "main", command: ["prefect", "flow-run", "execute"], environment: identity }]
      }
    })
  })

  it("takes a run's own variables over it", () => {
    const change: RunRequest = { image: "other", cpu: 2048, memory: 4096, cluster: "batch", launchType: "FARGATE_SPOT" }
    const { definition, runTask, problems } = prepared(pool, { ...change, env: { A: "1" }, labels: { team: "x" } })
    assert.deepStrictEqual(problems, [])
    assert.deepNestedInclude(definition, { cpu: "2048", memory: "4096", "containerDefinitions[0].image": "other" })
    assert.deepInclude(runTask, {
      cluster: "batch",
      capacityProviderStrategy: [{ capacityProvider: "FARGATE_SPOT", weight: 1 }],
      tags: [{ key: "team", value: "x" }]
    })
    assert.notProperty(runTask, "launchType")
  })
})

describe("the Prefect agent's template with a sidecar", () => {
  const sidecar = { name: "proxy", image: "envoy", essential: false }
  const pool: Pool = {
    containerName: "flow",
    taskRoleArn: "arn:aws:iam::123456789012:role/task",
    taskDefinition: {
      networkMode: "awsvpc",
      cpu: 1024,
      memory: 2048,
      containerDefinitions: [
        { name: "flow", image: "flow:1", command: ["/bin/sh", "-c"], environment: [{ name: "KEPT", value: "1" }] },
        sidecar
      ]
    },
    taskRunRequest: { group: "nightly", overrides: { containerOverrides: [{ name: "proxy", cpu: 64 }] } }
  }

  it("leaves the sidecar alone, and merges the options of RunTask", () => {
    const { definition, runTask, problems } = prepared(pool, { name: "etl", command: ["run"], env: { A: "1" } })
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(definition.family, "fleet_default_etl")
    assert.deepStrictEqual(definition.containerDefinitions, [
      {
        name: "flow",
        image: "flow:1",
        command: ["/bin/sh", "-c"],
        environment: [{ name: "KEPT", value: "1" }],
        essential: true
      },
      sidecar
    ])
    assert.deepStrictEqual(runTask, {
      cluster: "default",
      taskDefinition: "arn",
      launchType: "FARGATE",
      group: "nightly",
      overrides: {
        containerOverrides: [
          { name: "flow", command: ["run"], environment: [{ name: "A", value: "1" }, ...identity] },
          { name: "proxy", cpu: 64 }
        ],
        taskRoleArn: "arn:aws:iam::123456789012:role/task"
      }
    })
  })
})

describe("Airflow's executor configuration", () => {
  const pool: Pool = {
    containerName: "worker",
    image: "airflow:3",
    vpcId: "vpc-1",
    networkConfiguration: { subnets: ["subnet-1"], securityGroups: ["sg-1"], assignPublicIp: "DISABLED" },
    taskRunRequest: {
      tags: [{ key: "Env", value: "Prod" }],
      overrides: { containerOverrides: [{ name: "worker", memory: 500 }] }
    }
  }

  it("a run's own run_task arguments merge over the pool's, and tags keep their case (peers 74)", () => {
    const request: RunRequest = {
      env: { AIRFLOW_IS_EXECUTOR_CONTAINER: "true" },
      taskRunRequest: {
        count: 1,
        tags: [{ key: "Env", value: "Test" }],
        overrides: { containerOverrides: [{ name: "worker", cpu: 256 }] }
      }
    }
    const { runTask, network, problems } = prepared(pool, request)
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(network, { verifyNetwork: { vpcId: "vpc-1" } })
    assert.notProperty(runTask, "count")
    assert.deepStrictEqual(runTask["tags"], [{ key: "Env", value: "Test" }])
    assert.deepStrictEqual<unknown>(runTask.overrides.containerOverrides, [
      {
        name: "worker",
        cpu: 256,
        memory: 500,
        environment: [{ name: "AIRFLOW_IS_EXECUTOR_CONTAINER", value: "true" }, ...identity]
      }
    ])
  })
})

describe("an EC2 definition with no launch type", () => {
  it("is sent without one, so that the cluster's provider decides", () => {
    const { definition, runTask, problems } = prepared(
      { image: "i" },
      { launchType: null, taskDefinition: { requiresCompatibilities: ["EC2"], networkMode: "bridge" } }
    )
    assert.deepStrictEqual(problems, [])
    assert.doesNotHaveAnyKeys(runTask, ["launchType", "capacityProviderStrategy", "networkConfiguration"])
    assert.deepNestedInclude(definition, {
      "containerDefinitions[0].cpu": 1024,
      "containerDefinitions[0].memory": 2048
    })
  })
})
