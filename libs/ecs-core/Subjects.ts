/**
 * Every name on the wire, built and parsed in pairs. No other module writes a subject, a stream or a bucket by hand.
 */
import { isPoolName } from "./Ids.ts"

export const Streams = {
  inbox: "FLEET_IN",
  fleet: "FLEET",
  queues: "FLEET_QUEUES",
  logs: "FLEET_LOGS",
  dead: "FLEET_DEAD"
} as const

export const BucketNames = {
  taskDefinitions: "fleet-taskdefs",
  runs: "fleet-runs",
  live: "fleet-live",
  pools: "fleet-pools",
  meta: "fleet-meta"
} as const

/**
 * Keys of the bucket `fleet-pools`: a pool's name holds the pool, `paused.<pool>` its pause, `good.<pool>` the version
 * that a request was last handled with.
 */
export const pauseKey = (pool: string): string => `paused.${pool}`
export const goodKey = (pool: string): string => `good.${pool}`

export type ParsedPoolKey = { readonly kind: "pool" | "pause" | "good"; readonly pool: string }

/** The inverse; undefined for a key of another kind, which a later version may have stored. */
export const parsePoolKey = (key: string): ParsedPoolKey | undefined => {
  const [first = "", second, ...rest] = key.split(".")
  if (second === undefined) return isPoolName(first) ? { kind: "pool", pool: first } : undefined
  const kind = first === "paused" ? "pause" : first === "good" ? "good" : undefined
  return kind !== undefined && rest.length === 0 && isPoolName(second) ? { kind, pool: second } : undefined
}

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

/** The durable consumer that hands out the turns of one pool's queue. */
export const poolDurable = (pool: string): string => `pool-${pool}`

/** The inverse; undefined for other durables. */
export const poolOfDurable = (durable: string): string | undefined => {
  const pool = durable.startsWith("pool-") ? durable.slice("pool-".length) : undefined
  return pool !== undefined && isPoolName(pool) ? pool : undefined
}

/** Keys of the bucket `fleet-meta` that one replica holds at a time, for work that one is enough for. */
export const LeaseKeys = { reconcileRecords: "reconcile-records", reconcileTasks: "reconcile-tasks" } as const

/** Key of the bucket `fleet-meta` under which a pool's `maxSubmitPerSecond` is shared out. */
export const submitPaceKey = (pool: string): string => `submit-pace.${pool}`

export const ServiceNames = ["dispatcher", "launcher", "watcher", "log-streamer"] as const
export type ServiceName = (typeof ServiceNames)[number]

/** Which service takes messages from which durables. */
export const DurablesOf: Readonly<Record<ServiceName, ReadonlyArray<string>>> = {
  dispatcher: [Durables.requests, Durables.cancels, Durables.facts],
  launcher: [Durables.launcher],
  watcher: [Durables.watcher, Durables.watcherStops],
  "log-streamer": [Durables.logStreamer, Durables.logStreamerEnds]
}

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

/** No run id can begin so: the right to cancel one run is not the right to cancel by task. */
const TASK_CANCEL = "@"

/** Of `run.cancel.<token>`: whether the token is a caller's reference, and no run id. */
export const isTaskCancel = (token: string): boolean => /^@[A-Za-z0-9_-]{0,64}$/.test(token)

export const Subjects = {
  /** `run.requested`, or `run.requested.<runId>` where permissions depend on the id. */
  runRequested: (runId?: string) => (runId === undefined ? "run.requested" : `run.requested.${runId}`),
  runCancel: (runId: string) => `run.cancel.${runId}`,
  /** A cancel by task, where the run is not known. The reference is the caller's: under it the refusal is found. */
  taskCancel: (reference: string) => `run.cancel.${TASK_CANCEL}${reference}`,
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
  fleet: ["run.cancel.*", "run.finished.*", "taskdef.ready.*.*", "task.*.*.*"],
  queues: ["run.queued.*.*"],
  logs: ["logs.*"],
  dead: ["dead.>"],
  cancels: "run.cancel.*",
  taskFacts: "task.*.*.*",
  taskdefReady: "taskdef.ready.*.*",
  taskStarted: "task.started.*.*",
  taskChanged: "task.changed.*.*",
  taskStopped: "task.stopped.*.*",
  taskStop: "task.stop.*.*",
  runFinished: "run.finished.*",
  ofAttempts: (kind: AttemptKind) => `${kind}.*.*`,
  deadOf: (service: ServiceName) => `dead.${service}.*`,
  queueOf: (pool: string) => `run.queued.${pool}.*`,
  factsOf: (runId: string) => `task.*.${runId}.*`,
  ordersOf: (runId: string) => `taskdef.ready.${runId}.*`
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
