import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Bus } from "#bus/Bus.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import type { ServiceName } from "#ecs-core/Subjects.ts"
import { least } from "#test/parity/launched.ts"
import { quickSettings } from "#test/support/EmbeddedFleet.ts"
import { LocalAws, layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"
import { recordOf } from "#test/support/MemoryFleet.ts"
import { layerTest as natsServer, tempFolder } from "#test/support/NatsServer.ts"
import { startService } from "#test/support/Processes.ts"
import { finished, request } from "#test/support/runs.ts"

const names: ReadonlyArray<ServiceName> = ["dispatcher", "launcher", "watcher", "log-streamer"]
const secret = "tell-nobody-0f1ee7"

const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "test" })))
const outside = bus.pipe(Layer.provideMerge(Layer.mergeAll(natsServer, localAws({ runtime: "simulated" }))))

it.live(
  "a value of the environment is in no line of any service's log, and not in the record (peers 73, scenario 41)",
  () =>
    Effect.gen(function* () {
      const env = {
        ...quickSettings,
        ...sdkEnv((yield* LocalAws).url),
        NATS_URL: (yield* NatsServer).url,
        LOG_LEVEL: "trace"
      }
      const folder = yield* tempFolder("services")
      const services = yield* Effect.forEach(names, (name) => startService(name, folder, env))
      const bodies = [
        { ...least, env: { API_KEY: secret } },
        { ...least, env: { API_KEY: secret }, cluster: "nowhere" },
        { ...least, env: { API_KEY: secret }, comand: secret }
      ]
      for (const body of bodies) {
        const runId = yield* request(body)
        const end = yield* finished(runId)
        assert.notInclude(JSON.stringify(end), secret)
        assert.notInclude(JSON.stringify(yield* recordOf(runId)), secret)
      }
      for (const { log, name } of services) {
        const lines = log()
        assert.isNotEmpty(lines, name)
        assert.notInclude(JSON.stringify(lines), secret, name)
      }
    }).pipe(Effect.scoped, Effect.provide(outside)),
  120_000
)
