import {
  DescribeTaskDefinitionCommand,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionRequest,
  type RunTaskRequest,
  type TaskDefinition
} from "@aws-sdk/client-ecs"
import { Effect } from "effect"
import { AwsWire, type WireCall } from "#test/parity/AwsWire.ts"
import { layerFleetWith } from "#test/support/EmbeddedFleet.ts"
import { ecsClient } from "#test/support/LocalAws.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { finished, request } from "#test/support/runs.ts"

/** The whole fleet, its programs simulated, and every call to AWS there to be looked at. */
export const layerWatchedFleet = layerFleetWith(
  natsServer,
  AwsWire.layer({ runtime: "simulated", clusters: ["default", "batch"] })
)

export const executionRoleArn = "arn:aws:iam::000000000000:role/execution"
export const taskRoleArn = "arn:aws:iam::000000000000:role/task"

/** All that a request needs; what breaks it is not tried again. */
export const least = {
  image: "local/shell",
  command: ["true"],
  executionRoleArn,
  retry: { platformAttempts: 0 }
}

const inputsOf = <A>(calls: ReadonlyArray<WireCall>, action: string): ReadonlyArray<A> =>
  calls.filter((call) => call.action === action).map(({ input }) => input as A)

/** What the watcher and the log-streamer ask for all the time, also about earlier runs. */
const looks = new Set(["DescribeTasks", "FilterLogEvents"])

/**
 * A request to its end, and what AWS was asked for on the way; one at a time. `runTask` is as it was sent, `definition`
 * as it is read back.
 */
export const launched = Effect.fnUntraced(function* (body: object) {
  const wire = yield* AwsWire
  const before = wire.calls().length
  const runId = yield* request(body)
  const end = yield* finished(runId)
  const calls = wire
    .calls()
    .slice(before)
    .filter(({ action }) => !looks.has(action))
  const registered = inputsOf<RegisterTaskDefinitionRequest>(calls, "RegisterTaskDefinition")
  const runTasks = inputsOf<RunTaskRequest>(calls, "RunTask")
  const [runTask] = runTasks
  const definition = runTask === undefined ? undefined : yield* readBack(runTask.taskDefinition ?? "")
  return { runId, end, calls, registered, runTasks, runTask, definition }
})

/** A definition as ECS gives it. */
export const readBack = Effect.fnUntraced(function* (taskDefinition: string) {
  const ecs = yield* ecsClient
  const answer = yield* Effect.promise(() => ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition })))
  return answer.taskDefinition ?? ({} as TaskDefinition)
})

/** A definition that somebody else keeps; its ARN. */
export const keptElsewhere = Effect.fnUntraced(function* (input: Partial<RegisterTaskDefinitionRequest> = {}) {
  const ecs = yield* ecsClient
  const definition = {
    family: "kept-elsewhere",
    networkMode: "awsvpc" as const,
    requiresCompatibilities: ["FARGATE" as const],
    cpu: "512",
    memory: "1024",
    executionRoleArn,
    containerDefinitions: [{ name: "worker", image: "local/shell" }],
    ...input
  }
  const answer = yield* Effect.promise(() => ecs.send(new RegisterTaskDefinitionCommand(definition)))
  return answer.taskDefinition?.taskDefinitionArn ?? ""
})
