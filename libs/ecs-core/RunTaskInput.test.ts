import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { RunId } from "#ecs-core/Ids.ts"
import type { Json } from "#ecs-core/Json.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"
import { type Launch, type RunTaskInput, runTaskInput } from "#ecs-core/RunTaskInput.ts"
import { aJob } from "#test/support/builders.ts"
import { ready } from "#test/support/messages.ts"

const runId = RunId.make("nightly")
const taskDefinitionArn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/fleet_default:7"

const inputOf = (request: RunRequest, change: Partial<Launch> = {}): RunTaskInput => {
  const job = aJob(request)
  return runTaskInput(job, {
    runId,
    attempt: 2,
    taskDefinitionArn,
    ...prepareTaskDefinition(job, "eu-central-1"),
    ...change
  })
}
const linked = (request: RunRequest, definition: Json = {}) =>
  inputOf({ image: null, taskDefinitionArn: "kept", ...request }, { definition, containerName: "app" })

const environment = [
  { name: "FLEET_RUN_ID", value: "nightly" },
  { name: "FLEET_ATTEMPT", value: "2" }
]

const everything: RunRequest = {
  command: "echo 'a b'",
  env: { B: "2", A: "1" },
  platformVersion: "LATEST",
  group: "reports",
  propagateTags: "NONE",
  enableExecuteCommand: true,
  vpcId: "vpc-a",
  networkConfiguration: { subnets: ["subnet-b", "subnet-a"], securityGroups: ["sg-a"], assignPublicIp: "DISABLED" },
  taskRoleArn: "arn:aws:iam::123456789012:role/jobs-task",
  cluster: "batch",
  labels: { team: "Data Platform" },
  tags: { "Cost Center": "4711" }
}

describe("runTaskInput", () => {
  it("sends what is needed where nothing is asked for", () => {
    assert.deepStrictEqual(inputOf({}), {
      cluster: "default",
      taskDefinition: taskDefinitionArn,
      launchType: "FARGATE",
      overrides: { containerOverrides: [{ name: "main", environment }] }
    })
  })

  it("sends everything that is asked for", () => {
    assert.deepStrictEqual(inputOf(everything), {
      cluster: "batch",
      taskDefinition: taskDefinitionArn,
      launchType: "FARGATE",
      platformVersion: "LATEST",
      group: "reports",
      propagateTags: "NONE",
      enableExecuteCommand: true,
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: ["subnet-b", "subnet-a"],
          securityGroups: ["sg-a"],
          assignPublicIp: "DISABLED"
        }
      },
      overrides: {
        containerOverrides: [
          {
            name: "main",
            command: ["echo", "a b"],
            environment: [{ name: "B", value: "2" }, { name: "A", value: "1" }, ...environment]
          }
        ],
        taskRoleArn: "arn:aws:iam::123456789012:role/jobs-task"
      },
      tags: [
        { key: "Cost Center", value: "4711" },
        { key: "team", value: "Data-Platform" }
      ]
    })
  })

  it("keeps what the free run request has, and never a count of its own", () => {
    const free = { enableECSManagedTags: true, referenceId: "r", group: "free", platformVersion: "1.4.0" }
    const input = inputOf({ group: "named", taskRunRequest: { ...free, count: 1 } })
    assert.deepInclude(input, free)
    assert.notProperty(input, "count")
  })

  it("travels in taskdef.ready without a loss", () => {
    const { message } = ready(0, { runTask: inputOf(everything) })
    assert.deepStrictEqual(
      Codecs.taskdefReady.decode(Codecs.taskdefReady.encode(message)),
      Result.succeed({ v: 1, ...message })
    )
  })

  it.each([
    { request: { cluster: "named" }, cluster: "named" },
    { request: { cluster: "named", taskRunRequest: { cluster: "" } }, cluster: "named" },
    { request: { taskRunRequest: { cluster: "free" } }, cluster: "free" },
    { request: {}, cluster: "default" }
  ])("with $request the cluster is $cluster (peers 64)", ({ request, cluster }) => {
    assert.strictEqual(inputOf(request).cluster, cluster)
  })
})

describe("where it runs", () => {
  const strategy = [{ capacityProvider: "mine", weight: 1, base: 2 }, { capacityProvider: "other" }]
  const spot = [{ capacityProvider: "FARGATE_SPOT", weight: 1 }]
  const onlyEc2 = { definition: { requiresCompatibilities: ["EC2"] } }

  const rows: ReadonlyArray<{
    what: string
    request: RunRequest
    change?: Partial<Launch>
    sent: { launchType?: string; capacityProviderStrategy?: ReadonlyArray<object> }
  }> = [
    { what: "FARGATE", request: {}, sent: { launchType: "FARGATE" } },
    {
      what: "FARGATE_SPOT is a strategy (peers 62)",
      request: { launchType: "FARGATE_SPOT" },
      sent: { capacityProviderStrategy: spot }
    },
    { what: "EC2", request: { launchType: "EC2" }, sent: { launchType: "EC2" } },
    { what: "EXTERNAL", request: { launchType: "EXTERNAL" }, sent: { launchType: "EXTERNAL" } },
    {
      what: "MANAGED_INSTANCES",
      request: { launchType: "MANAGED_INSTANCES" },
      sent: { launchType: "MANAGED_INSTANCES" }
    },
    {
      what: "a strategy as it is given, and no launch type beside it",
      request: { launchType: "FARGATE", capacityProviderStrategy: strategy },
      sent: { capacityProviderStrategy: strategy }
    },
    {
      what: "a strategy of the free run request",
      request: { taskRunRequest: { capacityProviderStrategy: strategy } },
      sent: { capacityProviderStrategy: strategy }
    },
    {
      what: "neither, no definition for EC2: FARGATE (peers 63)",
      request: { launchType: null },
      sent: { launchType: "FARGATE" }
    },
    {
      what: "neither, a definition for EC2: left to the cluster (peers 17)",
      request: { launchType: null },
      change: onlyEc2,
      sent: {}
    },
    {
      what: "neither, a cluster with a default strategy: left to it (peers 76)",
      request: { launchType: null },
      change: { clusterHasDefaultStrategy: true },
      sent: {}
    },
    {
      what: "neither, a cluster without one: FARGATE (peers 76)",
      request: { launchType: null },
      change: { clusterHasDefaultStrategy: false },
      sent: { launchType: "FARGATE" }
    }
  ]

  it.each(rows)("$what", ({ request, change, sent }) => {
    const { launchType, capacityProviderStrategy } = inputOf(request, change)
    const found = {
      ...(launchType === undefined ? {} : { launchType }),
      ...(capacityProviderStrategy === undefined ? {} : { capacityProviderStrategy })
    }
    assert.deepStrictEqual<object>(found, sent)
  })

  it("on EC2, platform version and public IP are left out (peers 77)", () => {
    const awsvpc = { taskDefinition: { networkMode: "awsvpc" } }
    const input = inputOf({ ...everything, ...awsvpc, launchType: "EC2" })
    assert.notProperty(input, "platformVersion")
    assert.deepStrictEqual<object | undefined>(input.networkConfiguration, {
      awsvpcConfiguration: { subnets: ["subnet-b", "subnet-a"], securityGroups: ["sg-a"] }
    })
  })

  it("placement is sent as it is, named or free", () => {
    const placement: RunRequest = {
      launchType: "EC2",
      placementConstraints: [{ type: "distinctInstance" }],
      placementStrategy: [{ type: "binpack", field: "memory" }]
    }
    const { launchType: _type, ...sent } = placement
    assert.deepInclude<object>(inputOf(placement), sent)
    const free = { placementStrategy: [{ type: "random" }] }
    assert.deepInclude(inputOf({ ...placement, taskRunRequest: free }), free)
  })
})

describe("tags", () => {
  it.each<{ what: string; request: RunRequest; tags: RunTaskInput["tags"] }>([
    { what: "none", request: {}, tags: undefined },
    { what: "tags as written", request: { tags: { "Größe 1": "a b" } }, tags: [{ key: "Größe 1", value: "a b" }] },
    {
      what: "labels slugged",
      request: { labels: { "my key": "Hello, World" } },
      tags: [{ key: "my-key", value: "Hello-World" }]
    },
    {
      what: "a label over the tag of its key",
      request: { tags: { team: "a" }, labels: { team: "b" } },
      tags: [{ key: "team", value: "b" }]
    },
    {
      what: "no tag where its label is null",
      request: { tags: { team: "a" }, labels: { team: null } },
      tags: undefined
    },
    {
      what: "the free run request's, tags over them, labels over all",
      request: {
        taskRunRequest: {
          tags: [
            { key: "A", value: "1" },
            { key: "B", value: "1" },
            { key: "C", value: "" },
            { key: "D-d", value: "1" }
          ]
        },
        tags: { B: "2", E: "2" },
        labels: { E: "3", "D d": null }
      },
      tags: [
        { key: "A", value: "1" },
        { key: "B", value: "2" },
        { key: "C", value: "" },
        { key: "E", value: "3" }
      ]
    }
  ])("are $what (peers 69)", ({ request, tags }) => {
    assert.deepStrictEqual(inputOf(request).tags, tags)
  })
})

describe("what a linked definition is given at launch", () => {
  const said: RunRequest = {
    cpu: 512,
    memory: 1024,
    ephemeralStorageGiB: 30,
    taskRoleArn: "arn:task",
    executionRoleArn: "arn:execution",
    gpu: 2
  }

  it("on Fargate: sizes as text at the task (peers 71)", () => {
    const { containerOverrides, ...task } = linked(said).overrides
    assert.deepStrictEqual<object>(task, {
      cpu: "512",
      memory: "1024",
      ephemeralStorage: { sizeInGiB: 30 },
      taskRoleArn: "arn:task",
      executionRoleArn: "arn:execution"
    })
    assert.deepStrictEqual<unknown>(containerOverrides, [
      { name: "app", environment, resourceRequirements: [{ type: "GPU", value: "2" }] }
    ])
  })

  it("elsewhere: sizes as integers at the container (peers 71)", () => {
    const { containerOverrides, ...task } = linked({ launchType: "EC2", cpu: 512, memory: 1024 }).overrides
    assert.deepStrictEqual<object>(task, {})
    assert.deepStrictEqual<unknown>(containerOverrides, [{ name: "app", environment, cpu: 512, memory: 1024 }])
  })
})
