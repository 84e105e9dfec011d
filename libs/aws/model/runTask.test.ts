import type { RegisterTaskDefinitionRequest, RunTaskRequest } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Answer } from "./AwsException.ts"
import { emptyTokenSeconds, runTask } from "./runTask.ts"
import { deregisterTaskDefinition, registerTaskDefinition } from "./taskDefinitions.ts"
import { describeTasks, listTasks, taskToStop } from "./tasks.ts"
import { defaultOptions, type EcsModelOptions, makeWorld } from "./World.ts"

const region = "us-east-1"
const subnet = "subnet-0f1ee7000000000a"

const worldWith = (options: Partial<EcsModelOptions> = {}) => {
  let ids = 0
  const world = makeWorld({ ...defaultOptions, newId: () => String(ids++).padStart(32, "0"), ...options })
  const containerDefinitions = [{ name: "main", image: "x", command: ["a"], environment: [{ name: "A", value: "1" }] }]
  const fargate: Partial<RegisterTaskDefinitionRequest> = {
    cpu: "256",
    memory: "512",
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"]
  }
  registerTaskDefinition(
    world,
    region,
    { family: "f", containerDefinitions, ...fargate, tags: [{ key: "d", value: "1" }] },
    0
  )
  registerTaskDefinition(world, region, { family: "ec2", containerDefinitions, memory: "512" }, 0)
  return world
}

const input: RunTaskRequest = {
  taskDefinition: "f",
  launchType: "FARGATE",
  networkConfiguration: { awsvpcConfiguration: { subnets: [subnet] } }
}

const ok = <A>(answer: Answer<A>): A =>
  Result.isSuccess(answer) ? answer.success : assert.fail(answer.failure.message)
const error = <A>(answer: Answer<A>) => (Result.isFailure(answer) ? answer.failure : assert.fail("succeeded"))
const arns = (answer: ReturnType<typeof runTask>) => ok(answer).tasks?.map(({ taskArn }) => taskArn ?? "") ?? []

describe("runTask", () => {
  it("launches a task in PROVISIONING with what ECS says of it", () => {
    const [task] = ok(runTask(worldWith(), region, { ...input, startedBy: "fleet/r/1" }, 5000)).tasks ?? []
    assert.strictEqual(task?.taskArn, `arn:aws:ecs:us-east-1:000000000000:task/default/${"0".repeat(32)}`)
    assert.deepStrictEqual(
      [task?.lastStatus, task?.desiredStatus, task?.version, task?.createdAt, task?.group, task?.startedBy],
      ["PROVISIONING", "RUNNING", 1, new Date(5000), "family:f", "fleet/r/1"]
    )
    assert.deepStrictEqual(
      [task?.launchType, task?.platformVersion, task?.cpu, task?.memory],
      ["FARGATE", "1.4.0", "256", "512"]
    )
    assert.strictEqual(task?.attachments?.[0]?.type, "ElasticNetworkInterface")
  })

  it("merges overrides into what the containers will run", () => {
    const world = worldWith()
    const environment = [
      { name: "A", value: "2" },
      { name: "B", value: "3" }
    ]
    const overrides = { containerOverrides: [{ name: "main", command: ["b"], environment }] }
    const [arn = ""] = arns(runTask(world, region, { ...input, overrides }, 0))
    const record = ok(taskToStop(world, region, { task: arn }))
    assert.deepStrictEqual(record.containers[0]?.command, ["b"])
    assert.deepStrictEqual(record.containers[0]?.environment, { A: "2", B: "3" })
  })

  it("twice: the same token gives the recorded answer; the order of members does not matter", () => {
    const world = worldWith()
    const first = arns(runTask(world, region, { ...input, clientToken: "t", startedBy: "a" }, 0))
    const again = runTask(world, region, { startedBy: "a", clientToken: "t", ...input }, 1)
    assert.deepStrictEqual(arns(again), first)
    assert.notDeepEqual(arns(runTask(world, region, { ...input, clientToken: "u", startedBy: "a" }, 1)), first)
  })

  it("twice: other parameters under the same token are a conflict that names the tasks", () => {
    const world = worldWith()
    const first = arns(runTask(world, region, { ...input, clientToken: "t" }, 0))
    const conflict = error(runTask(world, region, { ...input, clientToken: "t", startedBy: "b" }, 0))
    assert.deepStrictEqual([conflict.__type, conflict.resourceIds], ["ConflictException", first])
  })

  it("records failures under the token: a new try needs a new token", () => {
    const world = worldWith()
    world.faults.inject({ action: "RunTask", failures: [{ reason: "RESOURCE:CPU" }] }, 0)
    const failed = ok(runTask(world, region, { ...input, clientToken: "t" }, 0))
    assert.deepStrictEqual([failed.tasks, failed.failures], [[], [{ reason: "RESOURCE:CPU" }]])
    assert.deepStrictEqual(ok(runTask(world, region, { ...input, clientToken: "t" }, 0)), failed)
    assert.strictEqual(arns(runTask(world, region, { ...input, clientToken: "u" }, 0)).length, 1)
    assert.strictEqual(world.due.nextAt, 50)
    for (let due = world.due.pop(50); due !== undefined; due = world.due.pop(50))
      assert.strictEqual(due.value._tag, "Task")
    assert.strictEqual(world.due.nextAt, emptyTokenSeconds * 1000)
  })

  const refusals: ReadonlyArray<readonly [string, Partial<RunTaskRequest>, string, RegExp]> = [
    ["unknown cluster", { cluster: "x" }, "ClusterNotFoundException", /^Cluster not found\.$/],
    ["unknown definition", { taskDefinition: "x" }, "ClientException", /^TaskDefinition not found\.$/],
    [
      "no network",
      { networkConfiguration: {} },
      "InvalidParameterException",
      /must be provided when networkMode 'awsvpc'/
    ],
    [
      "network without awsvpc",
      { taskDefinition: "ec2", launchType: "EC2" },
      "InvalidParameterException",
      /not valid for the given networkMode/
    ],
    [
      "17 subnets",
      { networkConfiguration: { awsvpcConfiguration: { subnets: Array.from({ length: 17 }, () => subnet) } } },
      "InvalidParameterException",
      /at most 16/
    ],
    [
      "6 groups",
      {
        networkConfiguration: {
          awsvpcConfiguration: { subnets: [subnet], securityGroups: ["1", "2", "3", "4", "5", "6"] }
        }
      },
      "InvalidParameterException",
      /at most 5/
    ],
    [
      "alien subnet",
      { networkConfiguration: { awsvpcConfiguration: { subnets: ["subnet-1"] } } },
      "InvalidParameterException",
      /subnet ID 'subnet-1' does not exist/
    ],
    [
      "strategy and type",
      { capacityProviderStrategy: [{ capacityProvider: "FARGATE" }] },
      "InvalidParameterException",
      /both a launch type and capacity provider/
    ],
    ["count 11", { count: 11 }, "InvalidParameterException", /between 1 and 10/],
    ["count 0", { count: 0 }, "InvalidParameterException", /between 1 and 10/],
    ["startedBy of 129", { startedBy: "x".repeat(129) }, "InvalidParameterException", /128/],
    ["startedBy with a dot", { startedBy: "a.b" }, "InvalidParameterException", /invalid characters/],
    ["token of 65", { clientToken: "x".repeat(65) }, "InvalidParameterException", /1 to 64/],
    [
      "51 tags",
      { tags: Array.from({ length: 51 }, (_, index) => ({ key: String(index), value: "" })) },
      "InvalidParameterException",
      /50/
    ],
    ["aws: tag", { tags: [{ key: "aws:x", value: "" }] }, "InvalidParameterException", /Invalid tag/],
    [
      "alien container",
      { overrides: { containerOverrides: [{ name: "x" }] } },
      "InvalidParameterException",
      /Override for container named x is not a container/
    ],
    [
      "Fargate size by override",
      { overrides: { cpu: "256", memory: "8192" } },
      "ClientException",
      /No Fargate configuration exists for given values: 256 CPU, 8192 memory/
    ],
    [
      "Fargate for EC2's definition",
      { taskDefinition: "ec2", networkConfiguration: undefined },
      "InvalidParameterException",
      /does not support launch_type FARGATE/
    ]
  ]

  it.each(refusals)("refuses %s", (_, more, type, text) => {
    const refusal = error(runTask(worldWith(), region, { ...input, ...more }, 0))
    assert.strictEqual(refusal.__type, type)
    assert.match(refusal.message, text)
  })

  it("overrides: 8192 characters pass, 8193 do not", () => {
    const overrides = (length: number) => {
      const empty = { containerOverrides: [{ name: "main", command: [""] }] }
      return { containerOverrides: [{ name: "main", command: ["x".repeat(length - JSON.stringify(empty).length)] }] }
    }
    ok(runTask(worldWith(), region, { ...input, overrides: overrides(8192) }, 0))
    const refusal = error(runTask(worldWith(), region, { ...input, overrides: overrides(8193) }, 0))
    assert.strictEqual(refusal.message, "Container Overrides length must be at most 8192")
  })

  it("an INACTIVE definition is refused, but a recorded launch is still replayed", () => {
    const world = worldWith()
    const first = arns(runTask(world, region, { ...input, taskDefinition: "f:1", clientToken: "t" }, 0))
    ok(deregisterTaskDefinition(world, region, { taskDefinition: "f:1" }, 0))
    const refusal = error(runTask(world, region, { ...input, taskDefinition: "f:1" }, 0))
    assert.deepStrictEqual([refusal.__type, refusal.message], ["ClientException", "TaskDefinition is inactive"])
    assert.deepStrictEqual(
      arns(runTask(world, region, { ...input, taskDefinition: "f:1", clientToken: "t" }, 0)),
      first
    )
  })
})

describe("tasks", () => {
  it("DescribeTasks: 100 at most, ids or ARNs, MISSING for the unknown, tags only when asked for", () => {
    const world = worldWith()
    const [arn = ""] = arns(
      runTask(world, region, { ...input, tags: [{ key: "t", value: "1" }], propagateTags: "TASK_DEFINITION" }, 0)
    )
    const id = arn.slice(arn.lastIndexOf("/") + 1)
    const { tasks, failures } = ok(describeTasks(world, region, { tasks: [arn, id, "0"], include: ["TAGS"] }, 0))
    assert.deepStrictEqual(
      tasks?.map((task) => task.taskArn),
      [arn, arn]
    )
    assert.deepStrictEqual(
      tasks?.[0]?.tags?.map(({ key }) => key),
      ["d", "t"]
    )
    assert.deepStrictEqual(failures, [{ arn: "arn:aws:ecs:us-east-1:000000000000:task/default/0", reason: "MISSING" }])
    assert.deepStrictEqual(ok(describeTasks(world, region, { tasks: [arn] }, 0)).tasks?.[0]?.tags, [])
    const many = Array.from({ length: 101 }, () => id)
    assert.match(error(describeTasks(world, region, { tasks: many }, 0)).message, /100/)
    assert.match(
      error(describeTasks(world, region, { tasks: [arn.replace("/default/", "/c/")] }, 0)).message,
      /Identifier is for c/
    )
  })

  it("a new task may be MISSING for a while, in DescribeTasks and ListTasks", () => {
    const world = worldWith({ missingAfterRunSeconds: 2 })
    const [arn = ""] = arns(runTask(world, region, { ...input, startedBy: "a" }, 1000))
    for (const [now, count] of [
      [2999, 0],
      [3000, 1]
    ] as const) {
      assert.strictEqual(ok(describeTasks(world, region, { tasks: [arn] }, now)).tasks?.length, count)
      assert.strictEqual(ok(listTasks(world, region, { startedBy: "a" }, now)).taskArns?.length, count)
    }
  })

  it("ListTasks: pages of 100, by family, and startedBy alone", () => {
    const world = worldWith()
    for (let call = 0; call < 25; call++) runTask(world, region, { ...input, count: 10, startedBy: "a" }, 0)
    const pages: Array<ReadonlyArray<string>> = []
    let nextToken: string | undefined
    do {
      const page = ok(listTasks(world, region, { family: "f", ...(nextToken === undefined ? {} : { nextToken }) }, 0))
      pages.push(page.taskArns ?? [])
      nextToken = page.nextToken
    } while (nextToken !== undefined)
    assert.deepStrictEqual(
      pages.map((page) => page.length),
      [100, 100, 50]
    )
    assert.strictEqual(new Set(pages.flat()).size, 250)
    assert.deepStrictEqual(ok(listTasks(world, region, { family: "ec2" }, 0)).taskArns, [])
    assert.deepStrictEqual(ok(listTasks(world, region, { desiredStatus: "STOPPED" }, 0)).taskArns, [])
    assert.strictEqual(
      error(listTasks(world, region, { startedBy: "a", family: "f" }, 0)).__type,
      "InvalidParameterException"
    )
  })

  it("StopTask of an unknown task has AWS's text", () => {
    const refusal = error(taskToStop(worldWith(), region, { task: "x" }))
    assert.deepStrictEqual(
      [refusal.__type, refusal.message],
      ["InvalidParameterException", "The referenced task was not found."]
    )
  })
})
