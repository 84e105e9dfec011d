import { Clock, Effect } from "effect"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import type { TaskStarted } from "#ecs-core/Messages.ts"
import { logStreamOf } from "#services/log-streamer/reading.ts"
import { aTaskStarted } from "./builders.ts"
import { clusterArn } from "./messages.ts"

/** What containers write, into the CloudWatch of the memory's AWS. */

const region = "us-east-1"

/** A container whose output goes to a log group of the memory's AWS. */
export const sourceOf = (container: string, logGroup = "fleet") => ({
  container,
  logGroup,
  logStreamPrefix: "fleet_default",
  region
})

/** A started attempt, begun at the test's beginning, with the output of these containers. */
export const startedWith = (attempt: number, ...containers: ReadonlyArray<string>): TaskStarted =>
  aTaskStarted({
    attempt,
    at: instantOf(0),
    target: { region },
    taskArn: `${clusterArn.replace("cluster/", "task/")}/${String(attempt).padStart(32, "0")}`,
    logs: { sources: containers.map((container) => sourceOf(container)) }
  })

interface Event {
  readonly message: string
  /** Epoch milliseconds. */
  readonly timestamp: number
}

/** A container's log driver sends events; the stream is made with its first ones. */
export const streamed = (started: TaskStarted, container: string, events: ReadonlyArray<Event>) =>
  Effect.gen(function* () {
    const { logs } = yield* EcsModel
    const source = sourceOf(container)
    const stream = { logGroupName: source.logGroup, logStreamName: logStreamOf(source, started.taskArn) }
    yield* Effect.ignore(logs.CreateLogGroup(region, stream))
    yield* Effect.ignore(logs.CreateLogStream(region, stream))
    yield* logs.PutLogEvents(region, { ...stream, logEvents: [...events] })
  }).pipe(Effect.orDie)

/** A container writes lines; by default now, or at these times. */
export const writes = (started: TaskStarted, container: string, lines: Readonly<Record<string, number>> | string) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const timed = typeof lines === "string" ? { [lines]: now } : lines
    const events = Object.entries(timed).map(([message, timestamp]) => ({ message, timestamp }))
    return streamed(started, container, events)
  })
