import { readFileSync } from "node:fs"
import { CloudWatchLogsClient, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs"
import { DescribeSubnetsCommand, EC2Client } from "@aws-sdk/client-ec2"
import {
  type ContainerDefinition,
  DescribeTasksCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  type RunTaskCommandInput,
  type Task
} from "@aws-sdk/client-ecs"
import { assert, vi } from "@effect/vitest"
import { Effect } from "effect"
import type { Fault } from "#aws/model/Fault.ts"
import type { Settings } from "#services/local-aws/config.ts"
import type { CallCounts, CallsWithin, LaunchedTask } from "#services/local-aws/Journal.ts"
import { LocalAws } from "#services/local-aws/LocalAws.ts"
import type { WantedTasks } from "#services/local-aws/longRunning.ts"
import type { FamilyPeak } from "#services/local-aws/peaks.ts"

export { LocalAws } from "#services/local-aws/LocalAws.ts"

/** local-aws on a free port of loopback, states without waiting; ends with the scope. */
export const layerTest = (settings: Partial<Settings> = {}) =>
  LocalAws.layer({ port: 0, timeScale: "instant", ...settings })

const region = "us-east-1"

/** What a process needs so that its AWS SDK talks to local-aws. */
export const sdkEnv = (url: string): Record<string, string> => ({
  AWS_ENDPOINT_URL: url,
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
  AWS_EC2_METADATA_DISABLED: "true"
})

/** The same for a client made in code. Nothing is retried, so that a test sees every answer. */
export const sdkConfig = (url: string) => ({
  endpoint: url,
  region,
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
  maxAttempts: 1
})

const client = <A extends { destroy: () => void }>(make: (config: ReturnType<typeof sdkConfig>) => A) =>
  Effect.gen(function* () {
    const { url } = yield* LocalAws
    return yield* Effect.acquireRelease(
      Effect.sync(() => make(sdkConfig(url))),
      (client) => Effect.sync(() => client.destroy())
    )
  })

export const ecsClient = client((config) => new ECSClient(config))
export const ec2Client = client((config) => new EC2Client(config))
export const logsClient = client((config) => new CloudWatchLogsClient(config))

const fleet = <A = void>(path: string, init?: RequestInit): Effect.Effect<A, never, LocalAws> =>
  Effect.gen(function* () {
    const { url } = yield* LocalAws
    return yield* Effect.promise<A>(async () => {
      const response = await fetch(`${url}/_fleet/${path}`, init)
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
      return (await response.json()) as A
    })
  })

/** How often each action was called, also by region, and how many different client tokens RunTask saw. */
export const calls: Effect.Effect<CallCounts, never, LocalAws> = fleet<CallCounts>("calls")

/** The same of the calls from a time on and before another, epoch milliseconds; all of them must still be known. */
export const callsWithin = (from: number, to: number): Effect.Effect<CallsWithin, never, LocalAws> =>
  Effect.map(fleet<CallsWithin>(`calls?from=${from}&to=${to}`), (counts) => {
    assert.isAtMost(counts.knownSince, from, "local-aws has forgotten some calls of this time (journalCallsMax)")
    return counts
  })

/** Every task ever launched, in order. */
export const launchedTasks: Effect.Effect<ReadonlyArray<LaunchedTask>, never, LocalAws> = Effect.map(
  fleet<{ readonly tasks: ReadonlyArray<LaunchedTask> }>("tasks"),
  ({ tasks }) => tasks
)

/** By family of definitions: how many tasks that were not STOPPED there were at a time. */
export const familyPeaks: Effect.Effect<ReadonlyArray<FamilyPeak>, never, LocalAws> = Effect.map(
  fleet<{ readonly families: ReadonlyArray<FamilyPeak> }>("peaks"),
  ({ families }) => families
)

/** Lets something go wrong with the next calls; what is wrong with the fault itself fails the test. */
export const inject = (fault: Fault): Effect.Effect<void, never, LocalAws> =>
  Effect.asVoid(fleet("faults", { method: "POST", body: JSON.stringify(fault) }))

/** Every fault so far, with how many calls it met, and how many it still will. */
export const faults: Effect.Effect<ReadonlyArray<ListedFault>, never, LocalAws> = Effect.map(
  fleet<{ readonly faults: ReadonlyArray<ListedFault> }>("faults"),
  ({ faults }) => faults
)

export type ListedFault = Fault & { readonly id: number; readonly fired: number; readonly left: number | "all" }

export const clearFaults: Effect.Effect<void, never, LocalAws> = Effect.asVoid(fleet("faults", { method: "DELETE" }))

/** Tasks that have run for so long already, and for which nothing runs; their ARNs, one for each `startedBy`. */
export const launchLongRunning = (wanted: WantedTasks): Effect.Effect<ReadonlyArray<string>, never, LocalAws> =>
  Effect.map(
    fleet<{ readonly taskArns: ReadonlyArray<string> }>("tasks", { method: "POST", body: JSON.stringify(wanted) }),
    ({ taskArns }) => taskArns
  )

/** Ends every container and forgets everything. */
export const reset: Effect.Effect<void, never, LocalAws> = Effect.asVoid(fleet("reset", { method: "POST" }))

/** Network that RunTask needs for `awsvpc`: a subnet of the default VPC as EC2 names it. */
const network = Effect.gen(function* () {
  const ec2 = yield* ec2Client
  const { Subnets = [] } = yield* Effect.promise(() => ec2.send(new DescribeSubnetsCommand({})))
  return { awsvpcConfiguration: { subnets: Subnets.slice(0, 1).flatMap(({ SubnetId }) => SubnetId ?? []) } }
})

/** Registers a Fargate definition of one container `main`, its output in log group `/jobs` under `test/main/<task id>`. */
export const register = Effect.fnUntraced(function* (
  family: string,
  command: ReadonlyArray<string>,
  container: Partial<ContainerDefinition> = {}
) {
  const ecs = yield* ecsClient
  const main: ContainerDefinition = {
    name: "main",
    image: "busybox",
    command: [...command],
    logConfiguration: {
      logDriver: "awslogs",
      options: {
        "awslogs-group": "/jobs",
        "awslogs-region": region,
        "awslogs-stream-prefix": "test",
        "awslogs-create-group": "true"
      }
    },
    ...container
  }
  const { taskDefinition } = yield* Effect.promise(() =>
    ecs.send(
      new RegisterTaskDefinitionCommand({
        family,
        networkMode: "awsvpc",
        requiresCompatibilities: ["FARGATE"],
        cpu: "256",
        memory: "512",
        executionRoleArn: "arn:aws:iam::000000000000:role/execution",
        containerDefinitions: [main]
      })
    )
  )
  return taskDefinition?.taskDefinitionArn ?? ""
})

/** RunTask on Fargate in the default cluster; the answer as the SDK gives it. */
export const runTask = Effect.fnUntraced(function* (taskDefinition: string, input: Partial<RunTaskCommandInput> = {}) {
  const ecs = yield* ecsClient
  const networkConfiguration = yield* network
  return yield* Effect.promise(() =>
    ecs.send(new RunTaskCommand({ taskDefinition, launchType: "FARGATE", networkConfiguration, ...input }))
  )
})

/** Asks until the task satisfies `fact`. */
export const taskWhen = Effect.fnUntraced(function* (
  taskArn: string,
  fact: (task: Task) => boolean,
  cluster = "default"
) {
  const ecs = yield* ecsClient
  const describe = Effect.promise(() => ecs.send(new DescribeTasksCommand({ cluster, tasks: [taskArn] })))
  const { tasks = [] } = yield* Effect.repeat(describe, { until: ({ tasks = [] }) => tasks.some(fact) })
  return tasks[0] ?? {}
})

export const stopped = (taskArn: string) => taskWhen(taskArn, ({ lastStatus }) => lastStatus === "STOPPED")

/** All lines of the container `main` of a task that `register` defined, page by page. */
export const linesOf = Effect.fnUntraced(function* (taskArn: string) {
  const logs = yield* logsClient
  const logStreamName = `test/main/${taskArn.split("/").at(-1)}`
  const page = (nextToken: string | undefined) =>
    Effect.promise(() => {
      const from = { logGroupName: "/jobs", logStreamName, startFromHead: true }
      return logs.send(new GetLogEventsCommand(nextToken === undefined ? from : { ...from, nextToken }))
    })
  const lines: Array<string> = []
  let token: string | undefined
  while (true) {
    const answer = yield* page(token)
    lines.push(...(answer.events ?? []).map(({ message = "" }) => message))
    if (answer.nextForwardToken === token) return lines
    token = answer.nextForwardToken
  }
})

/** A killed program that its parent has not asked about yet: Linux still shows it. */
const isZombie = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ")
  } catch {
    return false
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0) && !isZombie(pid)
  } catch {
    return false
  }
}

/** Waits until the program of a task has ended. */
export const programGone = (pid: number) =>
  Effect.promise(() => vi.waitFor(() => assert.isFalse(isAlive(pid)), { timeout: 10_000, interval: 10 }))
