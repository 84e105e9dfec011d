import { type ContainerOverride, StopTaskCommand } from "@aws-sdk/client-ecs"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ecsClient, layerTest, linesOf, register, runTask, stopped, taskWhen } from "#test/support/LocalAws.ts"
import { lineBytesMax } from "./runtime/lines.ts"

const sh = (script: string) => ["sh", "-c", script]

const launched = Effect.fnUntraced(function* (definition: string, override: ContainerOverride = {}) {
  const overrides = { containerOverrides: [{ name: "main", ...override }] }
  const { tasks = [] } = yield* runTask(definition, { overrides })
  return tasks[0]?.taskArn ?? ""
})

layer(layerTest(), { excludeTestServices: true })("tasks that really run", (it) => {
  it.effect("output comes in order into the log stream, and the exit code is the program's", () =>
    Effect.gen(function* () {
      const definition = yield* register("real", sh("echo 1; echo 2 >&2; echo 3; printf 4; exit 3"))
      const arn = yield* launched(definition)
      const task = yield* stopped(arn)
      assert.deepInclude(task, { stopCode: "EssentialContainerExited" })
      assert.strictEqual(task.containers?.[0]?.exitCode, 3)
      assert.deepStrictEqual(yield* linesOf(arn), ["1", "2", "3", "4"])
    })
  )

  it.effect("command and environment of the overrides are the ones that run", () =>
    Effect.gen(function* () {
      const environment = [
        { name: "A", value: "definition" },
        { name: "B", value: "definition" }
      ]
      const definition = yield* register("override", ["false"], { environment })
      const arn = yield* launched(definition, {
        command: sh('echo "$A $B $AWS_ENDPOINT_URL|"'),
        environment: [{ name: "B", value: "override" }]
      })
      assert.strictEqual((yield* stopped(arn)).containers?.[0]?.exitCode, 0)
      assert.deepStrictEqual(yield* linesOf(arn), ["definition override |"])
    })
  )

  it.effect("ten thousand lines, all of them", () =>
    Effect.gen(function* () {
      const arn = yield* launched(yield* register("lines", ["seq", "1", "10000"]))
      yield* stopped(arn)
      assert.deepStrictEqual(
        yield* linesOf(arn),
        Array.from({ length: 10_000 }, (_, i) => String(i + 1))
      )
    })
  )

  it.effect("a line of 300 KiB comes in two events, its characters whole", () =>
    Effect.gen(function* () {
      const print = `process.stdout.write("é".repeat(${150 * 1024}) + "\\n")`
      const arn = yield* launched(yield* register("long", [process.execPath, "-e", print]))
      yield* stopped(arn)
      const pieces = yield* linesOf(arn)
      assert.deepStrictEqual(
        pieces.map((piece) => Buffer.byteLength(piece)),
        [lineBytesMax, 300 * 1024 - lineBytesMax]
      )
      assert.strictEqual(pieces.join(""), "é".repeat(150 * 1024))
    })
  )

  it.effect.each([
    { name: "a program that listens to SIGTERM", trap: "echo bye; exit 7", exitCode: 7, said: ["ready", "bye"] },
    { name: "a program that does not is killed", trap: "", exitCode: 137, said: ["ready"] }
  ])("StopTask: $name", ({ exitCode, said, trap }) =>
    Effect.gen(function* () {
      const script = `trap "${trap}" TERM; echo ready; sleep 1000 & wait`
      const arn = yield* launched(yield* register("stop", sh(script), { stopTimeout: 1 }))
      yield* taskWhen(arn, ({ lastStatus }) => lastStatus === "RUNNING")
      const ready = Effect.orElseSucceed(Effect.catchDefect(linesOf(arn), Effect.fail), () => [])
      yield* Effect.repeat(ready, { until: (lines) => lines.length > 0 })
      const ecs = yield* ecsClient
      yield* Effect.promise(() => ecs.send(new StopTaskCommand({ task: arn, reason: "enough" })))
      const task = yield* stopped(arn)
      assert.deepInclude(task, { stopCode: "UserInitiated", stoppedReason: "enough" })
      assert.strictEqual(task.containers?.[0]?.exitCode, exitCode)
      assert.deepStrictEqual(yield* linesOf(arn), said)
    })
  )

  it.effect("a missing program: the task fails to start, the container says why and has no exit code", () =>
    Effect.gen(function* () {
      const arn = yield* launched(yield* register("missing", ["nope"]))
      const task = yield* stopped(arn)
      assert.deepInclude(task, { stopCode: "TaskFailedToStart" })
      const [container] = task.containers ?? []
      assert.match(
        container?.reason ?? "",
        /^CannotStartContainerError: .*exec: "nope": executable file not found in \$PATH/
      )
      assert.isUndefined(container?.exitCode)
    })
  )

  it.effect("no command anywhere: the reason says what to do", () =>
    Effect.gen(function* () {
      const task = yield* stopped(yield* launched(yield* register("empty", [])))
      assert.match(task.containers?.[0]?.reason ?? "", /^CannotStartContainerError: .*set command/)
    })
  )

  it.effect("a command that begins with `simulate` runs no program", () =>
    Effect.gen(function* () {
      const task = yield* stopped(yield* launched(yield* register("simulated", ["simulate", "--exit-code", "5"])))
      assert.strictEqual(task.containers?.[0]?.exitCode, 5)
    })
  )
})
