import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schedule } from "effect"
import { NatsServer } from "#bus/server/NatsServer.ts"
import type { ServiceName } from "#ecs-core/Subjects.ts"
import { quickSettings } from "#test/support/EmbeddedFleet.ts"
import { clearFaults, inject, LocalAws, layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"
import { layerTest as natsServer, tempFolder } from "#test/support/NatsServer.ts"
import { healthUrlOf, startService } from "#test/support/Processes.ts"

/** What each real process answers to whoever asks how it is. */

const credentials = ["aws credentials", "aws credentials file"]

/** The parts of `/ready`, as docs/settings.md lists them. */
const parts: Readonly<Record<ServiceName, ReadonlyArray<string>>> = {
  dispatcher: [...credentials, "nats", "process"],
  launcher: ["aws", ...credentials, "nats", "process"],
  watcher: ["aws", ...credentials, "nats", "process", "watcher room"],
  "log-streamer": [...credentials, "log-streamer room", "nats", "process"]
}
const names = ["dispatcher", "launcher", "watcher", "log-streamer"] as const

interface Answer {
  readonly status: number
  readonly body: string
}

const ask = (url: string): Effect.Effect<Answer> =>
  Effect.promise(async () => {
    const response = await fetch(url)
    return { status: response.status, body: await response.text() }
  })

const every = Schedule.spaced("100 millis")

const partsOf = ({ body }: Answer): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (JSON.parse(body) as { parts: ReadonlyArray<{ name: string; status: string }> }).parts.map(({ name, status }) => [
      name,
      status
    ])
  )

const readyWhen = (url: string, isIt: (answer: Answer) => boolean) =>
  Effect.repeat(ask(`${url}/ready`), { until: isIt, schedule: every })

describe("every service", () => {
  it.live(
    "answers /live and /ready with its parts; launcher and watcher tell when AWS would not let them stop a task (peers 121)",
    () =>
      Effect.gen(function* () {
        const env = {
          ...quickSettings,
          ...sdkEnv((yield* LocalAws).url),
          NATS_URL: (yield* NatsServer).url,
          FLEET_HEALTH_PORT: "0",
          FLEET_AWS_PROBE_CLUSTER: "default",
          FLEET_AWS_PROBE_SECONDS: "5"
        }
        const folder = yield* tempFolder("health")
        const urls = yield* Effect.forEach(names, (name) =>
          Effect.flatMap(startService(name, folder, env), healthUrlOf)
        )
        for (const [at, name] of names.entries()) {
          const url = urls[at] ?? ""
          assert.deepStrictEqual((yield* ask(`${url}/live`)).status, 200, name)
          const ready = yield* readyWhen(url, ({ status }) => status === 200)
          assert.deepStrictEqual(Object.keys(partsOf(ready)).toSorted(), parts[name], name)
        }
        const error = { name: "AccessDeniedException", message: "User: x is not authorized to perform: ecs:StopTask" }
        yield* inject({ action: "StopTask", error, times: 0 })
        for (const url of urls.slice(1, 3)) {
          const unwell = yield* readyWhen(url, ({ status }) => status === 503)
          assert.include(partsOf(unwell)["aws"], "AccessDenied: StopTask was denied, since ecs:StopTask is not allowed")
          assert.include((yield* ask(`${url}/metrics`)).body, "fleet_aws_probe_healthy 0")
          assert.strictEqual((yield* ask(`${url}/live`)).status, 200)
        }
        yield* clearFaults
        for (const url of urls) yield* readyWhen(url, ({ status }) => status === 200)
      }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(natsServer, localAws()))),
    120_000
  )
})
