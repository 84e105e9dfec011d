import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Bus } from "#bus/Bus.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { Streams } from "#ecs-core/Subjects.ts"
import { least } from "#test/parity/launched.ts"
import { quickSettings } from "#test/support/EmbeddedFleet.ts"
import { calls, LocalAws, layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"
import { layerTest as natsServer, tempFolder } from "#test/support/NatsServer.ts"
import { countOf, startService } from "#test/support/Processes.ts"
import { request, take } from "#test/support/runs.ts"

/** Three dispatchers, each a process of its own, and an account that throttles as AWS does. */
const DISPATCHERS = 3
const REQUESTS = 1000
const DEFINITIONS = 10

const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "test" })))
const outside = bus.pipe(Layer.provideMerge(Layer.mergeAll(natsServer, localAws({ quotas: "aws" }))))

const startDispatchers = Effect.gen(function* () {
  const env = { ...quickSettings, ...sdkEnv((yield* LocalAws).url), NATS_URL: (yield* NatsServer).url }
  const folder = yield* tempFolder("dispatchers")
  return yield* Effect.forEach(Array.from({ length: DISPATCHERS }), () => startService("dispatcher", folder, env))
})

/** Publishes them all at once, and waits until every run so far has its order to launch. */
const orderAll = (runsBefore: number) =>
  Effect.gen(function* () {
    const bodies = Array.from({ length: REQUESTS }, (_, n) => ({
      ...least,
      image: `local/job-${n % DEFINITIONS}`,
      env: { NUMBER: `${n}` }
    }))
    yield* Effect.forEach(bodies, (body) => request(body), { concurrency: 100, discard: true })
    yield* take(Streams.fleet, "taskdef.ready.*.*", runsBefore + REQUESTS)
    const { calls: counts, refused } = yield* calls
    return { registrations: counts["RegisterTaskDefinition"], refused }
  })

it.live(
  "a thousand requests with ten definitions over three dispatchers: ten registrations, none throttled; the next thousand: none (peers 37, 40, scenario 27)",
  () =>
    Effect.gen(function* () {
      const dispatchers = yield* startDispatchers
      assert.deepStrictEqual(yield* orderAll(0), { registrations: DEFINITIONS, refused: {} })
      assert.deepStrictEqual(yield* orderAll(REQUESTS), { registrations: DEFINITIONS, refused: {} })
      for (const dispatcher of dispatchers) assert.isAbove(countOf(dispatcher, "run defined"), 0)
    }).pipe(Effect.scoped, Effect.provide(outside)),
  60_000
)
