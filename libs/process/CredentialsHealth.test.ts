import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Ecs } from "#aws/Ecs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Health } from "#process/Health.ts"
import { layerMemoryAws } from "#test/support/MemoryFleet.ts"
import { watchCredentials } from "./CredentialsHealth.ts"

const statusOf = (name: string) =>
  Effect.map(
    Effect.flatMap(Health, ({ report }) => report),
    ({ parts }) => parts.find((part) => part.name === name)?.status
  )

describe("/ready", () => {
  it.effect("says which set of credentials pauses, since when and why, and that it works again", () =>
    Effect.gen(function* () {
      yield* watchCredentials
      assert.deepStrictEqual(yield* statusOf("aws credentials file"), "ok")
      const { faults } = yield* EcsModel
      yield* faults.inject({ action: "*", times: 0, error: { name: "ExpiredTokenException", message: "expired" } })
      const target = { credentials: "team-a", region: "eu-west-1" }
      yield* Effect.flip(Effect.flatMap(Ecs, (ecs) => ecs.describeCluster(target, "default")))
      assert.match(
        (yield* statusOf("aws credentials")) ?? "",
        /^paused: team-a in eu-west-1 since 1970-01-01T00:00:00.*: AWS did not accept the credentials "team-a"/
      )
      yield* faults.clear
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* statusOf("aws credentials"), "ok")
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(layerMemoryAws(), Health.layer)))
  )
})
