import { exactTimeHeader } from "#bench/Producer.ts"
import { bucketStream, bucketSubject } from "#bus/buckets.ts"
import { BucketNames, Durables, Filters, parseSubject, pauseKey, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { append, connectClient, follow, handle, last, publish } from "./client.ts"
import * as payload from "./payloads.ts"
import { tellReady } from "./ready.ts"

/**
 * A program to be measured: what one run costs on the wire, and nothing else. It sends every message, reads and writes
 * every key, and acknowledges as the fleet's four services do for one run, in the same order, in one process, by the NATS
 * client alone; it decides nothing, checks nothing, and ECS answers at once. `skeleton.test.ts` holds it to what the
 * fleet really sends. The fleet cannot be faster than this without sending less.
 */

const client = await connectClient()

const get = (bucket: string, key: string) => last(client, bucketStream(bucket), bucketSubject(bucket, key))

const write = (runId: string, record: string, revision: number): Promise<number> =>
  append(client, bucketSubject(BucketNames.runs, runId), record, revision)

/** Folds something into a run's record: read, then write by the revision that was read. */
const fold = async (runId: string, record: string): Promise<number> => {
  const kept = await get(BucketNames.runs, runId)
  return write(runId, record, kept?.seq ?? 0)
}

const turns = new Map<string, Promise<unknown>>()

/** One step of a run after the other: where ECS answers at once they would be in each other's way. */
const inTurn = async (runId: string, step: () => Promise<unknown>): Promise<void> => {
  const turn = (turns.get(runId) ?? Promise.resolve()).then(step)
  turns.set(runId, turn)
  await turn
  if (turns.get(runId) === turn) turns.delete(runId)
}

const pool = "default"

await handle(client, Streams.inbox, Durables.requests, async (_, runId) => {
  await get(BucketNames.pools, pool)
  await get(BucketNames.pools, pauseKey(pool))
  const revision = await fold(runId, payload.records.defining)
  await publish(client, bucketSubject(BucketNames.live, runId), payload.live)
  await write(runId, payload.records.launching, revision)
  await append(client, Subjects.taskdefReady(runId, 1), payload.taskdefReady, 0)
})

await handle(client, Streams.fleet, Durables.launcher, async (_, runId) => {
  await get(BucketNames.meta, "drain")
  await get(BucketNames.runs, runId)
  await append(client, Subjects.taskLaunching(runId, 1), payload.taskLaunching, 0)
  const at = String(performance.timeOrigin + performance.now())
  await append(client, Subjects.taskStarted(runId, 1), payload.taskStarted, 0, { [exactTimeHeader]: at })
})

await handle(client, Streams.fleet, Durables.facts, async ({ subject }, runId) => {
  const kind = parseSubject(subject)?.kind
  if (kind === "task.started") await inTurn(runId, () => fold(runId, payload.records.provisioning))
  if (kind === "task.changed") await inTurn(runId, () => fold(runId, payload.records.stopping))
  if (kind === "task.stopped") await inTurn(runId, () => finish(runId))
})

const finish = async (runId: string): Promise<void> => {
  await fold(runId, payload.records.succeeded)
  await append(client, Subjects.runFinished(runId), payload.runFinished, 0)
  const seq = await publish(client, bucketSubject(BucketNames.live, runId), "", { "KV-Operation": "DEL" })
  await client.jsm.streams.deleteMessage(bucketStream(BucketNames.live), seq, false)
}

await handle(client, Streams.fleet, Durables.watcher, async (_, runId) => {
  await last(client, Streams.fleet, Subjects.taskStop(runId, 1))
  await publish(client, Subjects.taskChanged(runId, 1), payload.taskChanged)
  await append(client, Subjects.taskStopped(runId, 1), payload.taskStopped, 0)
})

await handle(client, Streams.fleet, Durables.logStreamer, async (_, runId) => {
  await last(client, Streams.logs, Subjects.logs(runId))
  await append(client, Subjects.logs(runId), payload.logsBatch, 0)
})

/** The batch of lines may be under way. */
const endOutput = async (runId: string): Promise<void> => {
  const written = await last(client, Streams.logs, Subjects.logs(runId))
  if (written === null) return endOutput(runId)
  await last(client, Streams.fleet, Subjects.taskStarted(runId, 1))
  await append(client, Subjects.logs(runId), payload.logsEnd, written.seq)
}

await handle(client, Streams.fleet, Durables.logStreamerEnds, (_, runId) => endOutput(runId))

await follow(client, Streams.fleet, Filters.taskStopped)
await follow(client, Streams.fleet, Filters.taskChanged)
await follow(client, Streams.fleet, Filters.runFinished)

tellReady()
