import {
  CreateCapacityProviderCommand,
  CreateClusterCommand,
  DescribeContainerInstancesCommand,
  ListContainerInstancesCommand,
  PutClusterCapacityProvidersCommand,
  RegisterContainerInstanceCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  type RunTaskCommandInput
} from "@aws-sdk/client-ecs"
import { GetRoleCommand, IAMClient } from "@aws-sdk/client-iam"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { trustedServices } from "#aws/Inventory.ts"
import { ecsClient, LocalAws, layerTest, sdkConfig, stopped, taskWhen } from "#test/support/LocalAws.ts"

const cpu = 1024
const memory = 2048

/** Fills an instance of its own. */
const register = Effect.fnUntraced(function* (family: string, command: Array<string>) {
  const ecs = yield* ecsClient
  const containerDefinitions = [{ name: "main", image: "busybox", command, cpu, memory }]
  yield* Effect.promise(() => ecs.send(new RegisterTaskDefinitionCommand({ family, containerDefinitions })))
  return (input: Partial<RunTaskCommandInput>) =>
    Effect.promise(() => ecs.send(new RunTaskCommand({ taskDefinition: family, ...input })))
})

const settings = {
  containerInstances: [
    { cluster: "default", launchType: "EC2" as const, count: 1, cpu, memory, gpu: 0 },
    { cluster: "default", launchType: "EXTERNAL" as const, count: 1, cpu, memory, gpu: 0 }
  ]
}

layer(layerTest(settings), { excludeTestServices: true })("container instances through the SDK", (it) => {
  it.effect.each([{ launchType: "EC2" as const }, { launchType: "EXTERNAL" as const }])(
    "$launchType runs the program for real, one at a time where there is room for one",
    ({ launchType }) =>
      Effect.gen(function* () {
        const run = yield* register(`fills-${launchType}`, ["sh", "-c", "exit 7"])
        const { tasks = [], failures } = yield* run({ launchType })
        assert.deepStrictEqual(failures, [])
        const full = yield* run({ launchType, count: 2 })
        assert.isTrue(full.failures?.every(({ reason }) => reason === "RESOURCE:CPU"))
        const task = yield* stopped(tasks[0]?.taskArn ?? "")
        assert.strictEqual(task.containers?.[0]?.exitCode, 7)
        for (const each of full.tasks ?? []) yield* stopped(each.taskArn ?? "")
        assert.strictEqual((yield* run({ launchType })).tasks?.length, 1)
      })
  )

  it.effect("late: a cluster's own provider waits for an instance, which then runs the task", () =>
    Effect.gen(function* () {
      const ecs = yield* ecsClient
      const run = yield* register("waits", ["sh", "-c", "exit 0"])
      const autoScalingGroupProvider = { autoScalingGroupArn: "arn:aws:autoscaling:us-east-1:0:autoScalingGroup:g" }
      const strategy = [{ capacityProvider: "asg", weight: 1 }]
      yield* Effect.promise(async () => {
        await ecs.send(new CreateCapacityProviderCommand({ name: "asg", autoScalingGroupProvider }))
        await ecs.send(new CreateClusterCommand({ clusterName: "jobs" }))
        const put = { cluster: "jobs", capacityProviders: ["asg"], defaultCapacityProviderStrategy: strategy }
        await ecs.send(new PutClusterCapacityProvidersCommand(put))
      })
      const { tasks = [] } = yield* run({ cluster: "jobs" })
      assert.deepInclude(tasks[0], { lastStatus: "PROVISIONING", capacityProviderName: "asg", launchType: "EC2" })
      const totalResources = [
        { name: "CPU", type: "INTEGER", integerValue: cpu },
        { name: "MEMORY", type: "INTEGER", integerValue: memory }
      ]
      const [arn = ""] = yield* Effect.promise(async () => {
        await ecs.send(new RegisterContainerInstanceCommand({ cluster: "jobs", totalResources }))
        return (await ecs.send(new ListContainerInstancesCommand({ cluster: "jobs" }))).containerInstanceArns ?? []
      })
      const task = yield* taskWhen(tasks[0]?.taskArn ?? "", ({ lastStatus }) => lastStatus === "STOPPED", "jobs")
      assert.deepStrictEqual([task.containerInstanceArn, task.containers?.[0]?.exitCode], [arn, 0])
      const { containerInstances = [] } = yield* Effect.promise(() =>
        ecs.send(new DescribeContainerInstancesCommand({ cluster: "jobs", containerInstances: [arn] }))
      )
      assert.strictEqual(containerInstances[0]?.remainingResources?.[0]?.integerValue, cpu)
    })
  )

  it.effect("who am I, asked without an SDK", () =>
    Effect.gen(function* () {
      const { url } = yield* LocalAws
      const scope =
        "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"
      const answer = yield* Effect.promise(async () => {
        const body = new URLSearchParams({ Action: "GetCallerIdentity", Version: "2011-06-15" })
        const response = await fetch(url, { method: "POST", headers: { authorization: scope }, body })
        return { status: response.status, text: await response.text() }
      })
      assert.strictEqual(answer.status, 200)
      assert.match(answer.text, /<GetCallerIdentityResult>.*<Arn>arn:aws:iam::000000000000:root<\/Arn>/s)
    })
  )

  it.effect("every role is there, and tasks may have it", () =>
    Effect.gen(function* () {
      const iam = new IAMClient(sdkConfig((yield* LocalAws).url))
      const get = (RoleName: string) => Effect.tryPromise(() => iam.send(new GetRoleCommand({ RoleName })))
      const { Role } = yield* get("fleet-execution")
      assert.strictEqual(Role?.Arn, "arn:aws:iam::000000000000:role/fleet-execution")
      assert.deepStrictEqual(trustedServices(Role?.AssumeRolePolicyDocument), ["ecs-tasks.amazonaws.com"])
      const error = yield* Effect.flip(get("no/name"))
      assert.include(String(error.cause), "RoleName must be")
    })
  )
})
