import type {
  ContainerDefinition,
  RegisterTaskDefinitionCommandInput,
  RunTaskCommandInput,
  Task
} from "@aws-sdk/client-ecs"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { ContainerLogs, type LogsPage } from "#aws/ContainerLogs.ts"
import { Ec2Network } from "#aws/Ec2Network.ts"
import { Ecs } from "#aws/Ecs.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"

/** Where the steps of the conformance suite of the AWS ports happen. */
export const target = {}
export const cluster = "default"
export const group = "/conformance"

export const definitionOf = (
  family: string,
  command: ReadonlyArray<string> = []
): RegisterTaskDefinitionCommandInput => ({
  family,
  cpu: "256",
  memory: "512",
  networkMode: "awsvpc",
  requiresCompatibilities: ["FARGATE"],
  executionRoleArn: "arn:aws:iam::000000000000:role/execution",
  containerDefinitions: [containerOf(family, "main", command)]
})

/** Its output goes to `<family>/<name>/<task id>`. */
export const containerOf = (
  family: string,
  name: string,
  command: ReadonlyArray<string>,
  more: Partial<ContainerDefinition> = {}
): ContainerDefinition => ({
  name,
  image: "busybox",
  command: [...command],
  logConfiguration: {
    logDriver: "awslogs",
    options: {
      "awslogs-group": group,
      "awslogs-region": "us-east-1",
      "awslogs-stream-prefix": family,
      "awslogs-create-group": "true"
    }
  },
  ...more
})

export const register = (family: string, command?: ReadonlyArray<string>) =>
  Ecs.use((ecs) => ecs.registerTaskDefinition(target, definitionOf(family, command)))

export const launchInput = (family: string, more: Partial<RunTaskCommandInput> = {}) =>
  Effect.gen(function* () {
    const { subnetIds } = yield* Ec2Network.use((network) => network.describe(target, undefined))
    const input: RunTaskCommandInput = {
      cluster,
      taskDefinition: family,
      launchType: "FARGATE",
      networkConfiguration: { awsvpcConfiguration: { subnets: subnetIds.slice(0, 16), assignPublicIp: "ENABLED" } },
      ...more
    }
    return input
  })

export const launch = (input: RunTaskCommandInput) =>
  Effect.gen(function* () {
    const { tasks, failures } = yield* Ecs.use((ecs) => ecs.runTask(target, input))
    assert.deepStrictEqual(failures, [])
    assert.strictEqual(tasks.length, 1)
    return tasks[0]?.taskArn ?? assert.fail("no ARN")
  })

export const describe = (arn: string) =>
  Effect.map(
    Ecs.use((ecs) => ecs.describeTasks(target, cluster, [arn])),
    ({ tasks }) => tasks[0] ?? assert.fail(`${arn} is missing`)
  )

/** Asks until ECS says what is waited for. */
export const taskWhen = (arn: string, holds: (task: Task) => boolean) =>
  Effect.gen(function* () {
    while (true) {
      const task = yield* describe(arn)
      if (holds(task)) return task
      yield* Effect.yieldNow
    }
  })

export const isStopped = (task: Task) => task.lastStatus === "STOPPED"
export const isRunning = (task: Task) => task.lastStatus === "RUNNING"

/** The failure of a call that must fail. */
export const failureOf = <A, R>(call: Effect.Effect<A, AwsFailure, R>) => Effect.flip(call)

export const streamOf = (family: string, container: string, arn: string): string =>
  `${family}/${container}/${arn.slice(arn.lastIndexOf("/") + 1)}`

/** Everything that can be read of a stream, page by page. */
export const readAll = (logStream: string) =>
  Effect.gen(function* () {
    const pages: Array<LogsPage> = []
    let nextToken: string | undefined
    do {
      const token = nextToken === undefined ? {} : { nextToken }
      const page = yield* ContainerLogs.use((logs) =>
        logs.read(target, { logGroup: group, logStreams: [logStream], ...token })
      )
      pages.push(page)
      nextToken = page.nextToken
    } while (nextToken !== undefined)
    return pages
  })
