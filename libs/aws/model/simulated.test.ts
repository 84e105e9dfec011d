import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { parseSimulation, startSimulated, terminatedExitCode } from "./simulated.ts"

const spec = (command: ReadonlyArray<string>) => ({
  taskArn: "arn:aws:ecs:r:0:task/c/1",
  containerName: "main",
  image: "x",
  command,
  environment: {},
  essential: true,
  stopTimeoutSeconds: 30
})

describe("simulated", () => {
  it.each([
    [
      ["simulate", "--seconds", "3", "--exit-code", "0", "--lines-per-second", "1"],
      { seconds: 3, exitCode: 0, linesPerSecond: 1 }
    ],
    [["simulate", "--exit-code", "7"], { seconds: 0, exitCode: 7, linesPerSecond: 0 }],
    [["simulate", "--seconds", "-1", "--lines-per-second", "often"], { seconds: 0, exitCode: 0, linesPerSecond: 0 }],
    [["echo", "--seconds", "3"], { seconds: 0, exitCode: 0, linesPerSecond: 0 }],
    [[], { seconds: 0, exitCode: 0, linesPerSecond: 0 }]
  ])("reads %j", (command, expected) => {
    assert.deepStrictEqual(parseSimulation(command), expected)
  })

  it.effect("any other command ends at once with 0", () =>
    Effect.gen(function* () {
      const { exit } = yield* startSimulated(spec(["echo"]), () => {})
      assert.deepStrictEqual(yield* exit, { exitCode: 0 })
    })
  )

  it.effect("a stop ends it as SIGTERM does, and prints nothing more", () =>
    Effect.gen(function* () {
      const printed: Array<string> = []
      const { exit, stop } = yield* startSimulated(
        spec(["simulate", "--seconds", "9", "--lines-per-second", "1"]),
        (line) => printed.push(line)
      )
      yield* stop
      assert.deepStrictEqual(yield* exit, { exitCode: terminatedExitCode })
      assert.deepStrictEqual(yield* exit, { exitCode: terminatedExitCode })
      assert.deepStrictEqual(printed, [])
    })
  )
})
