import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Bus } from "#bus/Bus.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { DurablesOf, type ServiceName, ServiceNames } from "#ecs-core/Subjects.ts"
import { quickSettings } from "#test/support/EmbeddedFleet.ts"
import { inject, LocalAws, layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"
import { metricRows } from "#test/support/metricsPage.ts"
import { layerTest as natsServer, tempFolder } from "#test/support/NatsServer.ts"
import { healthUrlOf, startService } from "#test/support/Processes.ts"
import { type Family, parsePrometheus } from "#test/support/Prometheus.ts"
import { finished, output, request } from "#test/support/runs.ts"

const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "test" })))
const outside = bus.pipe(Layer.provideMerge(Layer.mergeAll(natsServer, localAws())))

type Scrape = ReadonlyMap<string, Family>

const scrape = (url: string): Effect.Effect<Scrape> =>
  Effect.promise(async () => {
    const response = await fetch(`${url}/metrics`)
    assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/)
    return parsePrometheus(await response.text())
  })

/** The value of the sample with exactly these labels, the bounds of histograms aside. */
const valueOf = (scraped: Scrape, name: string, labels: Readonly<Record<string, string>> = {}, sample = name) =>
  scraped
    .get(name)
    ?.samples.find(
      (each) => each.name === sample && JSON.stringify(Object.entries(each.labels).toSorted()) === keyOf(labels)
    )?.value

const keyOf = (labels: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(labels).toSorted())

const program = (code: number) => ({
  image: "local/shell",
  executionRoleArn: "arn:aws:iam::000000000000:role/execution",
  command: ["sh", "-c", `echo one; echo two; exit ${code}`]
})

it.live(
  "/metrics of each service is read by a strict parser, holds documented metrics and labels only, and counts what two runs and a throttled call did",
  () =>
    Effect.gen(function* () {
      const env = {
        ...quickSettings,
        ...sdkEnv((yield* LocalAws).url),
        NATS_URL: (yield* NatsServer).url,
        FLEET_HEALTH_PORT: "0"
      }
      const folder = yield* tempFolder("metrics")
      const urls = yield* Effect.forEach(ServiceNames, (name) =>
        Effect.flatMap(startService(name, folder, env), healthUrlOf)
      )
      yield* inject({ action: "RunTask", error: { name: "ThrottlingException", message: "Rate exceeded" }, times: 1 })
      for (const code of [0, 3]) {
        const runId = yield* request(program(code))
        yield* finished(runId)
        yield* output(runId)
      }
      const scrapes = new Map<ServiceName, Scrape>()
      for (const [at, name] of ServiceNames.entries()) scrapes.set(name, yield* scrape(urls[at] ?? ""))
      const of = (name: ServiceName): Scrape => scrapes.get(name) ?? new Map()

      for (const [service, scraped] of scrapes) {
        for (const { name, samples, type } of scraped.values()) {
          const row = metricRows.find((each) => each.name === name)
          assert.strictEqual(row?.type, type, `${name} of ${service}`)
          for (const { labels } of samples) {
            const { le: _le, ...own } = labels
            assert.deepStrictEqual(Object.keys(own).toSorted(), row?.labels.toSorted(), name)
          }
        }
        for (const consumer of DurablesOf[service]) {
          assert.strictEqual(valueOf(scraped, "fleet_bus_consumer_waiting", { consumer }), 0, consumer)
        }
      }
      for (const outcome of ["succeeded", "failed"]) {
        assert.strictEqual(valueOf(of("dispatcher"), "fleet_runs_finished_total", { outcome }), 1)
      }
      for (const hop of ["ordered", "launched", "started", "ran", "finished"]) {
        const count = valueOf(of("dispatcher"), "fleet_run_hop_seconds", { hop }, "fleet_run_hop_seconds_count")
        assert.strictEqual(count, 2, hop)
      }
      assert.strictEqual(valueOf(of("dispatcher"), "fleet_runs", { state: "running" }), 0)
      const callsOf = (result: string) =>
        valueOf(of("launcher"), "fleet_aws_calls_total", { action: "RunTask", result })
      assert.deepStrictEqual([callsOf("ok"), callsOf("Throttled")], [2, 1])
      assert.isTrue(of("launcher").has("fleet_aws_pace_wait_seconds"))
      assert.isAtLeast(
        valueOf(of("watcher"), "fleet_aws_calls_total", { action: "DescribeTasks", result: "ok" }) ?? 0,
        2
      )
      assert.strictEqual(valueOf(of("log-streamer"), "fleet_log_lines_total"), 4)
      const verdict = { consumer: "launcher", verdict: "ack" }
      assert.strictEqual(valueOf(of("launcher"), "fleet_bus_messages_total", verdict), 2)
    }).pipe(Effect.scoped, Effect.provide(outside)),
  120_000
)
