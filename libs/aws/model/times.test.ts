import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { fargateLaunch, onFargate, onInstances, region } from "#test/support/EcsWorld.ts"
import { EcsModel } from "./EcsModel.ts"
import { Runtime } from "./Runtime.ts"
import type { TimeScale } from "./World.ts"

const launches = {
  FARGATE: { definition: onFargate, input: fargateLaunch },
  EC2: { definition: onInstances, input: { taskDefinition: "instances", launchType: "EC2" } }
} as const

/** A task that ran for a second, as it is described in the end. */
const ended = (launch: keyof typeof launches) =>
  Effect.gen(function* () {
    const { ecs } = yield* EcsModel
    const { definition, input } = launches[launch]
    const [main = {}] = definition.containerDefinitions ?? []
    const command = ["simulate", "--seconds", "1"]
    yield* ecs.RegisterTaskDefinition(region, { ...definition, containerDefinitions: [{ ...main, command }] })
    const { tasks: [task] = [] } = yield* ecs.RunTask(region, input)
    yield* TestClock.adjust("2 minutes")
    const { tasks: [last] = [] } = yield* ecs.DescribeTasks(region, { tasks: [task?.taskArn ?? ""] })
    return last ?? assert.fail("MISSING")
  })

describe("the times of a task", () => {
  const cases = (["instant", "dev", "fargate"] as const).flatMap((timeScale) =>
    (["FARGATE", "EC2"] as const).map((launch) => ({ timeScale, launch }))
  )

  it.effect.each<{ readonly timeScale: TimeScale; readonly launch: keyof typeof launches }>(cases)(
    "are all there and in order: $launch, $timeScale",
    ({ launch, timeScale }) =>
      Effect.gen(function* () {
        const task = yield* ended(launch)
        const times = [
          task.createdAt,
          task.connectivityAt,
          task.pullStartedAt,
          task.pullStoppedAt,
          task.startedAt,
          task.executionStoppedAt,
          task.stoppingAt,
          task.stoppedAt
        ].map((time) => time?.getTime() ?? Number.NaN)
        assert.isFalse(times.some(Number.isNaN), String(times))
        assert.deepStrictEqual(
          times,
          times.toSorted((a, b) => a - b)
        )
        assert.strictEqual((times[5] ?? 0) - (times[4] ?? 0), 1000)
      }).pipe(Effect.provide(EcsModel.layer({ timeScale }).pipe(Layer.provide(Runtime.layerSimulated))))
  )

  it.effect("on Fargate's scale: interface 4 s, host 8 s, pull 6 s, start 1 s", () =>
    Effect.gen(function* () {
      const task = yield* ended("FARGATE")
      assert.deepStrictEqual(
        [task.connectivityAt, task.pullStartedAt, task.pullStoppedAt, task.startedAt].map((at) => at?.getTime()),
        [4000, 12_000, 18_000, 19_000]
      )
    }).pipe(Effect.provide(EcsModel.layer({ timeScale: "fargate" }).pipe(Layer.provide(Runtime.layerSimulated))))
  )
})
