import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
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

const nothing = { seconds: 0, exitCode: 0, lines: 0, linesPerSecond: 0 }

/** What it printed, each line with its time. */
const printing = (command: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const printed: Array<readonly [number, string]> = []
    const clock = yield* Clock.Clock
    const container = yield* startSimulated(spec(command), (line) =>
      printed.push([clock.currentTimeMillisUnsafe(), line])
    )
    return { ...container, printed }
  })

describe("simulated", () => {
  it.each([
    [
      ["simulate", "--seconds", "3", "--exit-code", "0", "--lines-per-second", "1"],
      { ...nothing, seconds: 3, linesPerSecond: 1 }
    ],
    [["simulate", "--exit-code", "7"], { ...nothing, exitCode: 7 }],
    [["simulate", "--lines", "50000"], { ...nothing, lines: 50_000 }],
    [["simulate", "--seconds", "-1", "--lines", "2.5", "--lines-per-second", "often"], { ...nothing, lines: 2 }],
    [["echo", "--seconds", "3"], nothing],
    [[], nothing]
  ])("reads %j", (command, expected) => {
    assert.deepStrictEqual(parseSimulation(command), expected)
  })

  it.effect("any other command ends at once with 0", () =>
    Effect.gen(function* () {
      const { exit } = yield* printing(["echo"])
      assert.deepStrictEqual(yield* exit, { exitCode: 0 })
    })
  )

  it.effect("a stop ends it as SIGTERM does, and prints nothing more", () =>
    Effect.gen(function* () {
      const { exit, printed, stop } = yield* printing(["simulate", "--seconds", "9", "--lines-per-second", "1"])
      yield* stop
      assert.deepStrictEqual(yield* exit, { exitCode: terminatedExitCode })
      assert.deepStrictEqual(yield* exit, { exitCode: terminatedExitCode })
      assert.deepStrictEqual(printed, [])
    })
  )

  it.effect("50,000 lines at once, and it ends", () =>
    Effect.gen(function* () {
      const { exit, printed } = yield* printing(["simulate", "--lines", "50000"])
      assert.deepStrictEqual(yield* exit, { exitCode: 0 })
      assert.lengthOf(printed, 50_000)
      assert.deepStrictEqual(printed.at(-1), [0, "line 50000 of 50000"])
    })
  )

  it.effect("so many lines at once, then line by line for the rest of its time", () =>
    Effect.gen(function* () {
      const options = ["--lines", "2", "--seconds", "2.5", "--lines-per-second", "1"]
      const { exit, printed } = yield* printing(["simulate", ...options])
      yield* TestClock.adjust("2499 millis")
      const over = yield* Effect.forkChild(exit)
      assert.isUndefined(over.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(over)
      assert.deepStrictEqual(printed, [
        [0, "line 1 of 4"],
        [0, "line 2 of 4"],
        [1000, "line 3 of 4"],
        [2000, "line 4 of 4"]
      ])
    })
  )

  it.effect("lines of containers that started 300 ms apart stay 300 ms apart", () =>
    Effect.gen(function* () {
      const command = ["simulate", "--seconds", "3", "--lines-per-second", "1"]
      const first = yield* printing(command)
      yield* TestClock.adjust("300 millis")
      const second = yield* printing(command)
      yield* TestClock.adjust("4 seconds")
      const times = [first, second].map(({ printed }) => printed.map(([at]) => at))
      assert.deepStrictEqual(times, [
        [1000, 2000, 3000],
        [1300, 2300, 3300]
      ])
    })
  )
})
