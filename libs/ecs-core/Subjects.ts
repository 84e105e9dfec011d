/**
 * Every name on the wire, built and parsed in pairs. No other module writes a subject, a stream or a bucket by hand.
 */

export const Streams = { inbox: "FLEET_IN", fleet: "FLEET", logs: "FLEET_LOGS", dead: "FLEET_DEAD" } as const

export const BucketNames = {
  taskDefinitions: "fleet-taskdefs",
  runs: "fleet-runs",
  live: "fleet-live",
  pools: "fleet-pools",
  meta: "fleet-meta"
} as const

/** Durable consumers: one name a service and kind of message, shared by all its replicas. */
export const Durables = {
  requests: "dispatcher-requests",
  cancels: "dispatcher-cancels",
  facts: "dispatcher-facts",
  launcher: "launcher",
  watcher: "watcher",
  watcherStops: "watcher-stops",
  logStreamer: "log-streamer",
  logStreamerEnds: "log-streamer-ends"
} as const

export type ServiceName = "dispatcher" | "launcher" | "watcher" | "log-streamer"

/** Kinds of messages that carry run id and attempt. */
export const AttemptKinds = [
  "taskdef.ready",
  "task.launching",
  "task.started",
  "task.deferred",
  "task.rejected",
  "task.changed",
  "task.stopped",
  "task.stop"
] as const
export type AttemptKind = (typeof AttemptKinds)[number]

const attemptSubject = (kind: AttemptKind) => (runId: string, attempt: number) => `${kind}.${runId}.${attempt}`

export const Subjects = {
  /** `run.requested`, or `run.requested.<runId>` where permissions depend on the id. */
  runRequested: (runId?: string) => (runId === undefined ? "run.requested" : `run.requested.${runId}`),
  runCancel: (runId: string) => `run.cancel.${runId}`,
  runQueued: (pool: string, runId: string) => `run.queued.${pool}.${runId}`,
  runFinished: (runId: string) => `run.finished.${runId}`,
  logs: (runId: string) => `logs.${runId}`,
  dead: (service: ServiceName, runId: string) => `dead.${service}.${runId}`,
  taskdefReady: attemptSubject("taskdef.ready"),
  taskLaunching: attemptSubject("task.launching"),
  taskStarted: attemptSubject("task.started"),
  taskDeferred: attemptSubject("task.deferred"),
  taskRejected: attemptSubject("task.rejected"),
  taskChanged: attemptSubject("task.changed"),
  taskStopped: attemptSubject("task.stopped"),
  taskStop: attemptSubject("task.stop")
} as const

/** Subject filters of streams and consumers. */
export const Filters = {
  requests: ["run.requested", "run.requested.*"],
  fleet: ["run.cancel.*", "run.queued.*.*", "run.finished.*", "taskdef.ready.*.*", "task.*.*.*"],
  logs: ["logs.*"],
  dead: ["dead.>"],
  cancels: "run.cancel.*",
  taskFacts: "task.*.*.*",
  taskdefReady: "taskdef.ready.*.*",
  taskStarted: "task.started.*.*",
  taskStopped: "task.stopped.*.*",
  taskStop: "task.stop.*.*",
  runFinished: "run.finished.*",
  ordersOf: (runId: string) => `taskdef.ready.${runId}.*`,
  factsOf: (runId: string) => `task.*.${runId}.*`
} as const

export type ParsedSubject =
  | { readonly kind: "run.requested"; readonly runId?: string }
  | { readonly kind: "run.cancel" | "run.finished" | "logs"; readonly runId: string }
  | { readonly kind: "run.queued"; readonly pool: string; readonly runId: string }
  | { readonly kind: AttemptKind; readonly runId: string; readonly attempt: number }
  | { readonly kind: "dead"; readonly service: string; readonly runId: string }

/** The inverse of `Subjects`; undefined where the subject is none of ours. */
export const parseSubject = (subject: string): ParsedSubject | undefined => {
  const tokens = subject.split(".")
  if (tokens.includes("")) return undefined
  const [first = "", second = "", third = "", fourth = ""] = tokens
  const kind = `${first}.${second}`
  if (kind === "run.requested" && tokens.length === 2) return { kind }
  if (kind === "run.requested" && tokens.length === 3) return { kind, runId: third }
  if ((kind === "run.cancel" || kind === "run.finished") && tokens.length === 3) return { kind, runId: third }
  if (kind === "run.queued" && tokens.length === 4) return { kind, pool: third, runId: fourth }
  if (first === "logs" && tokens.length === 2) return { kind: "logs", runId: second }
  if (first === "dead" && tokens.length === 3) return { kind: "dead", service: second, runId: third }
  const attemptKind = AttemptKinds.find((known) => known === kind)
  if (attemptKind === undefined || tokens.length !== 4 || !/^[1-9]\d*$/.test(fourth)) return undefined
  return { kind: attemptKind, runId: third, attempt: Number(fourth) }
}
