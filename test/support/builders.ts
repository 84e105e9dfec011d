import { Effect, Result } from "effect"
import type { Lease } from "#bus/Consumer.ts"
import { bytes, type Delivery } from "#bus/Message.ts"
import { evolve, type RunMessage } from "#ecs-core/Evolve.ts"
import { AwsFailure } from "#ecs-core/errors.ts"
import { millisOf } from "#ecs-core/Instant.ts"
import type { Job } from "#ecs-core/Job.ts"
import { type LogLine, lineId, type ReadPosition } from "#ecs-core/LogLine.ts"
import type {
  TaskDeferred,
  TaskdefReady,
  TaskLaunching,
  TaskStarted,
  TaskStop,
  TaskStopped
} from "#ecs-core/Messages.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import type { Run } from "#ecs-core/Run.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"
import { StopCodes, stopReason } from "#ecs-core/StopReason.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import type { Marker } from "#services/launcher/evidence.ts"
import type { LogEvent } from "#services/log-streamer/reading.ts"
import type { SeenTask } from "#services/watcher/decide.ts"
import { at, deferred, ready, requested, runId, started, stopped, taskArn } from "./messages.ts"

/** Values for tests: each is complete and plausible, and a test names only what it is about. */

/** Nine o'clock plus so many seconds, in epoch milliseconds: the same time as `at(seconds)`. */
export const millis = (seconds: number): number => millisOf(at(seconds))

/** A record as it comes about: by folding messages, the request first unless given. */
export const aRun = (...events: ReadonlyArray<RunMessage>): Run => {
  const all =
    events[0]?.kind === "run.requested" || events[0]?.kind === "run.cancel" ? events : [requested(0), ...events]
  const run = all.reduce<Run | undefined>(evolve, undefined)
  if (run === undefined) throw new Error("these messages make no record")
  return run
}

export const aTaskdefReady = (change: Partial<TaskdefReady> = {}): TaskdefReady => ready(0, change).message

export const aTaskStarted = (change: Partial<TaskStarted> = {}): TaskStarted => started(0, change).message

export const aTaskDeferred = (change: Partial<TaskDeferred> = {}): TaskDeferred => deferred(0, change).message

/** What a launcher stored before it called RunTask, as message 7 of the stream. */
export const aMarker = (seconds: number, change: Partial<TaskLaunching> = {}): Marker => ({
  seq: 7,
  message: { runId, attempt: 1, at: at(seconds), try: 1, since: at(seconds), ...change }
})

export const aTaskStopped = (change: Partial<TaskStopped> = {}): TaskStopped => stopped(0, change).message

export const aTaskStop = (change: Partial<TaskStop> = {}): TaskStop => ({
  runId,
  attempt: 1,
  at: at(0),
  reason: stopReason(StopCodes.cancelled),
  ...change
})

/** A job as the dispatcher resolves it from a request; the limit of time-outs is a day. */
export const aJob = (request: RunRequest = {}): Job =>
  Result.getOrThrow(resolveJob({ image: "alpine", ...request }, undefined, 86_400))

/** A task as the watcher reads it from DescribeTasks: running, its program still at work. */
export const aTask = (change: Partial<SeenTask> = {}): SeenTask => ({
  taskArn,
  lastStatus: "RUNNING",
  version: 1,
  stopCode: undefined,
  stoppedReason: undefined,
  containers: [{ name: "main", exitCode: undefined, reason: undefined }],
  times: {},
  ...change
})

/** The watcher's container `main` with an exit code. */
export const exited = (exitCode: number) => [{ name: "main", exitCode, reason: undefined }]

export const anAwsFailure = (
  retry: AwsFailure["retry"],
  change: Partial<ConstructorParameters<typeof AwsFailure>[0]> = {}
) =>
  new AwsFailure({
    code: retry === "credentials" ? "CredentialsRejected" : "AwsError",
    retry,
    message: "RunTask said no.",
    advice: "It is tried again.",
    action: "RunTask",
    ...change
  })

/** A delivery of a durable consumer: by default a first one, stored at nine o'clock. */
export const aDelivery = (subject: string, data: string, change: Partial<Delivery> = {}): Delivery => ({
  stream: Streams.fleet,
  subject,
  seq: 1,
  time: millis(0),
  data: bytes(data),
  headers: {},
  deliveries: 1,
  ...change
})

/** A held lease, and how it was given back: `ack`, `nak <millis>` or `dead`; undefined while it is held. */
export const aLease = () => {
  const { data: _data, headers: _headers, deliveries, ...message } = aDelivery(Subjects.taskStarted(runId, 1), "{}")
  let ended: string | undefined
  const end = (how: string) =>
    Effect.sync(() => {
      ended ??= how
    })
  const lease: Lease = {
    message,
    deliveries: () => deliveries,
    ack: end("ack"),
    nak: (delayMillis) => end(`nak ${delayMillis}`),
    dead: () => end("dead"),
    isHeld: () => ended === undefined
  }
  return { lease, ended: () => ended }
}

/** A CloudWatch event; its id is that of its text and time, its time milliseconds after nine o'clock. */
export const anEvent = (message: string, afterMillis = 0): LogEvent => ({
  timestamp: millis(0) + afterMillis,
  message,
  eventId: `${afterMillis}-${message.slice(0, 40)}`
})

export const aLine = (text: string, change: Partial<LogLine> = {}): LogLine => ({
  time: at(0),
  container: "main",
  text,
  id: lineId(text.slice(0, 40)),
  ...change
})

export const aPosition = (change: Partial<ReadPosition> = {}): ReadPosition => ({
  attempt: 1,
  container: "main",
  time: 0,
  lines: 0,
  ...change
})
