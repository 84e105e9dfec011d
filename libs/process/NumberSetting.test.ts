import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { readConfig } from "#process/ConfigReport.ts"
import { numberSetting, wholeSetting } from "#process/NumberSetting.ts"

const settings = {
  seconds: numberSetting("FLEET_A_SECONDS", 2.5),
  count: wholeSetting("FLEET_A_COUNT", 4),
  size: wholeSetting("FLEET_A_SIZE", 20, 10)
}

const read = (env: Record<string, string>) => Effect.result(readConfig(settings, { env }))

describe("number settings", () => {
  it.effect("have their defaults, and read what is set", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({}), Result.succeed({ seconds: 2.5, count: 4, size: 20 }))
      const set = yield* read({ FLEET_A_SECONDS: "0.001", FLEET_A_COUNT: "1", FLEET_A_SIZE: "10" })
      assert.deepStrictEqual(set, Result.succeed({ seconds: 0.001, count: 1, size: 10 }))
    })
  )

  it.effect.each([
    ["FLEET_A_SECONDS", "0"],
    ["FLEET_A_SECONDS", "-1"],
    ["FLEET_A_SECONDS", "Infinity"],
    ["FLEET_A_SECONDS", "many"],
    ["FLEET_A_COUNT", "0"],
    ["FLEET_A_COUNT", "1.5"],
    ["FLEET_A_COUNT", "many"],
    ["FLEET_A_SIZE", "9"]
  ] as const)("%s=%s is refused by name", ([name, value]) =>
    Effect.gen(function* () {
      const result = yield* read({ [name]: value })
      assert(Result.isFailure(result))
      assert.deepStrictEqual(
        result.failure.problems.map((problem) => problem.name),
        [name]
      )
    })
  )
})
