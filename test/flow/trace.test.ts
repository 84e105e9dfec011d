import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { Bus } from "#bus/Bus.ts"
import { Publisher } from "#bus/Publisher.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { formatTraceparent, parseTraceparent } from "#bus/Trace.ts"
import { PoolCodec } from "#ecs-core/Pool.ts"
import { BucketNames, Filters, type ServiceName, ServiceNames, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { collector, type SentSpan } from "#test/support/Collector.ts"
import { quickSettings } from "#test/support/EmbeddedFleet.ts"
import { LocalAws, layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"
import { layerTest as natsServer, tempFolder } from "#test/support/NatsServer.ts"
import { type ServiceProcess, startService } from "#test/support/Processes.ts"
import { finished, output, request, stored, take } from "#test/support/runs.ts"

/**
 * Every service is a process of its own that sends its spans to a collector in this one. What makes a trace is in the
 * messages' headers alone.
 */

const surroundings = Layer.mergeAll(natsServer, localAws({ timeScale: "dev" }))
const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "test" })))
const outside = bus.pipe(Layer.provideMerge(surroundings))

const startFleet = (otlpUrl: string) =>
  Effect.gen(function* () {
    const env = {
      ...quickSettings,
      ...sdkEnv((yield* LocalAws).url),
      NATS_URL: (yield* NatsServer).url,
      OTLP_URL: otlpUrl
    }
    const folder = yield* tempFolder("trace")
    const running: Array<ServiceProcess> = []
    const start = (name: ServiceName) => Effect.map(startService(name, folder, env), (each) => void running.push(each))
    const restart = (name: ServiceName) =>
      Effect.andThen(
        Effect.suspend(() => running.findLast((each) => each.name === name)?.terminate ?? Effect.die(name)),
        start(name)
      )
    yield* Effect.forEach(ServiceNames, start, { discard: true })
    return { restart, end: Effect.forEach(running, ({ terminate }) => terminate, { concurrency: 4 }), running }
  })

const program = (runId: string) => ({
  runId,
  image: "local/shell",
  executionRoleArn: "arn:aws:iam::000000000000:role/execution",
  command: ["sh", "-c", "echo one; sleep 1; echo two"]
})

const producer = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", sampled: true }

const requestTraced = (runId: string) =>
  Effect.flatMap(Publisher, (publisher) =>
    publisher.publish({
      stream: Streams.inbox,
      subject: Subjects.runRequested(runId),
      data: JSON.stringify(program(runId)),
      headers: { traceparent: formatTraceparent(producer) }
    })
  )

const traceIdsOn = (stream: string, subject: string) =>
  Effect.map(stored(stream, subject), (messages) => [
    ...new Set(
      messages.map(({ headers: { traceparent } }) => {
        const span = parseTraceparent(traceparent)
        return span._tag === "Some" ? span.value.traceId : "none"
      })
    )
  ])

/** Of one run: one trace over all services, in which every span hangs on another one. */
const judge = (spans: ReadonlyArray<SentSpan>, runId: string) => {
  const traceIds = new Set(spans.filter(({ attributes }) => attributes["fleet.run.id"] === runId).map((s) => s.traceId))
  assert.strictEqual(traceIds.size, 1, `${runId} has the traces ${[...traceIds].join(", ")}`)
  const [traceId = ""] = traceIds
  const trace = spans.filter((span) => span.traceId === traceId)
  const services = new Set(trace.map(({ service }) => service))
  assert.deepStrictEqual([...services].toSorted(), ServiceNames.toSorted(), runId)
  const known = new Set(trace.map(({ spanId }) => spanId))
  const roots = trace.filter(({ parentSpanId }) => parentSpanId === undefined || !known.has(parentSpanId))
  assert.deepStrictEqual(
    roots.map(({ name }) => name),
    ["dispatcher-requests"],
    runId
  )
  return { traceId, roots, names: new Set(trace.map(({ name }) => name)) }
}

it.live(
  "one trace is a run's path through four services: from the producer on or from the dispatcher, also through a queue and over restarts of who holds its task",
  () =>
    Effect.gen(function* () {
      const { spans, url } = yield* collector
      const { end, restart, running } = yield* startFleet(url)
      yield* requestTraced("traced")
      yield* request(program("plain"), "plain")
      yield* Effect.forEach(["traced", "plain"], finished, { discard: true })

      const pools = yield* (yield* Buckets).open(BucketNames.pools)
      yield* pools.put("narrow", PoolCodec.encode({ maxRunning: 1 }))
      yield* request({ ...program("queued"), pool: "narrow" }, "queued")
      yield* take(Streams.logs, Subjects.logs("queued"), 1)
      yield* restart("watcher")
      yield* restart("log-streamer")
      yield* finished("queued")
      yield* Effect.forEach(["traced", "plain", "queued"], output, { discard: true })
      yield* end

      const traced = judge(spans(), "traced")
      assert.strictEqual(traced.traceId, producer.traceId)
      assert.strictEqual(traced.roots[0]?.parentSpanId, producer.spanId)
      for (const name of ["RegisterTaskDefinition", "RunTask"]) assert.isTrue(traced.names.has(name), name)
      const plain = judge(spans(), "plain")
      assert.strictEqual(plain.roots[0]?.parentSpanId, undefined)
      const queued = judge(spans(), "queued")
      assert.isFalse(traced.names.has("DescribeTasks") || queued.names.has("FilterLogEvents"), "a span for a poll")

      for (const [runId, { traceId }] of Object.entries({ traced, plain, queued })) {
        for (const [stream, subject] of [
          [Streams.fleet, Filters.ordersOf(runId)],
          [Streams.fleet, Filters.factsOf(runId)],
          [Streams.fleet, Subjects.runFinished(runId)],
          [Streams.logs, Subjects.logs(runId)]
        ] as const) {
          assert.deepStrictEqual(yield* traceIdsOn(stream, subject), [traceId], subject)
        }
        const lines = running.flatMap(({ log }) => log()).filter((line) => line["runId"] === runId)
        assert.isAbove(lines.length, 3)
        assert.deepStrictEqual([...new Set(lines.map((line) => line["traceId"]))], [traceId])
      }
    }).pipe(Effect.scoped, Effect.provide(outside)),
  120_000
)
