import { exactTimeHeader } from "#bench/Producer.ts"
import { Durables, Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { append, connectClient, ensureDurable, handle } from "./client.ts"
import { tellReady } from "./ready.ts"

/**
 * A program to be measured: the four hops from request to end, and nothing else. Each message is taken from a durable
 * consumer, the next one published once, and the first acknowledged. No run is faster on this nats-server.
 */

const client = await connectClient()

const stopped = "bench-stopped"
await ensureDurable(client, Streams.fleet, stopped, Filters.taskStopped)

await handle(client, Streams.inbox, Durables.requests, (_, runId) =>
  append(client, Subjects.taskdefReady(runId, 1), "{}", 0)
)
await handle(client, Streams.fleet, Durables.launcher, (_, runId) =>
  append(client, Subjects.taskStarted(runId, 1), "{}", 0, {
    [exactTimeHeader]: String(performance.timeOrigin + performance.now())
  })
)
await handle(client, Streams.fleet, Durables.watcher, (_, runId) =>
  append(client, Subjects.taskStopped(runId, 1), "{}", 0)
)
await handle(client, Streams.fleet, stopped, (_, runId) => append(client, Subjects.runFinished(runId), "{}", 0))

tellReady()
