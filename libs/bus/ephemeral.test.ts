import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { defaultBusSettings } from "./BusSettings.ts"
import { createEphemeral } from "./ephemeral.ts"
import { WireError } from "./wire/Wire.ts"

it.effect("the answer never comes: each try to create a consumer has a name of its own, and the last is the one", () =>
  Effect.gen(function* () {
    const tried: Array<string> = []
    const create = (name: string) =>
      tried.push(name) < 3 ? Effect.fail(new WireError({ fault: "transient", message: "timeout" })) : Effect.void
    const fiber = yield* Effect.forkChild(createEphemeral(defaultBusSettings, "replay", create))
    yield* TestClock.adjust("1 second")
    const name = yield* Fiber.join(fiber)
    assert.strictEqual(new Set(tried).size, 3)
    assert.strictEqual(name, tried[2])
    assert.match(name, /^replay-[0-9a-z]+$/)
  })
)
