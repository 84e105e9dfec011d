import { type ChildProcess, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { join } from "node:path"
import { type ContainerDefinition, RegisterTaskDefinitionCommand, StopTaskCommand } from "@aws-sdk/client-ecs"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { baseImage, dockerLines } from "#test/docker/docker.ts"
import {
  ecsClient,
  LocalAws,
  layerTest,
  linesOf,
  register,
  runTask,
  stopped,
  taskWhen
} from "#test/support/LocalAws.ts"
import { freePort } from "#test/support/ports.ts"

/** The runtime `docker` on a real engine. Every container made here bears an owner of its own. */
const dockerOwner = `test-${randomUUID()}`
const dockerHost = process.env["DOCKER_HOST"]
const settings = { runtime: "docker", dockerOwner, ...(dockerHost === undefined ? {} : { dockerHost }) } as const

const containersOf = (owner: string, ...more: ReadonlyArray<string>) =>
  dockerLines("ps", "-aq", "--filter", `label=ecs-fleet.local-aws.owner=${owner}`, ...more)

/** They go a moment after their task has ended. */
const noneLeft = Effect.repeat(
  Effect.suspend(() => containersOf(dockerOwner)),
  { until: (ids) => ids.length === 0 }
)

const sh = (script: string) => ["sh", "-c", script]

const launched = Effect.fnUntraced(function* (command: ReadonlyArray<string>, container: Partial<ContainerDefinition>) {
  const definition = yield* register("docker", command, { image: baseImage, ...container })
  const { tasks = [] } = yield* runTask(definition)
  return tasks[0]?.taskArn ?? ""
})

const ended = Effect.fnUntraced(function* (
  command: ReadonlyArray<string>,
  container: Partial<ContainerDefinition> = {}
) {
  const arn = yield* launched(command, container)
  const task = yield* stopped(arn)
  return { arn, task, container: task.containers?.[0] ?? {} }
})

layer(layerTest(settings), { excludeTestServices: true })("the runtime docker", (it) => {
  it.effect("image, command, environment, user and folder; output and exit code; the container is gone after", () =>
    Effect.gen(function* () {
      const script =
        'echo "$A $(id -u) $(pwd)"; echo two >&2; node --version; ls /proc/1/cwd >/dev/null; printf end; exit 3'
      const environment = [{ name: "A", value: "a=b" }]
      const { arn, container, task } = yield* ended(sh(script), { environment, user: "1000", workingDirectory: "/tmp" })
      assert.deepInclude(task, { stopCode: "EssentialContainerExited" })
      assert.deepInclude(container, { exitCode: 3 })
      const lines = yield* linesOf(arn)
      assert.sameMembers([...lines], ["a=b 1000 /tmp", "two", process.version, "end"])
      yield* noneLeft
    })
  )

  it.effect("without a command the image's own runs; an entry point takes its place", () =>
    Effect.gen(function* () {
      assert.deepInclude((yield* ended([])).container, { exitCode: 0 })
      const { arn } = yield* ended(["entry"], { entryPoint: ["echo", "the"] })
      assert.deepStrictEqual(yield* linesOf(arn), ["the entry"])
    })
  )

  it.effect("ten thousand lines, all of them, in order", () =>
    Effect.gen(function* () {
      const { arn } = yield* ended(["seq", "1", "10000"])
      const lines = yield* linesOf(arn)
      assert.deepStrictEqual(
        lines,
        Array.from({ length: 10_000 }, (_, i) => String(i + 1))
      )
    })
  )

  it.effect("limits are the engine's; too much memory is OutOfMemoryError", () =>
    Effect.gen(function* () {
      const arn = yield* launched(sh("sleep 1000"), { stopTimeout: 2 })
      yield* taskWhen(arn, ({ lastStatus }) => lastStatus === "RUNNING")
      const [id = ""] = yield* containersOf(dockerOwner)
      const format = "{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.Privileged}}"
      assert.deepStrictEqual(yield* dockerLines("inspect", "-f", format, id), ["250000000 536870912 false"])
      const ecs = yield* ecsClient
      yield* Effect.promise(() => ecs.send(new StopTaskCommand({ task: arn })))
      yield* stopped(arn)
      const grow = ["node", "-e", "const all = []; for (;;) all.push(Buffer.alloc(1e6, 1))"]
      const { container } = yield* ended(grow, { memory: 64 })
      assert.deepInclude(container, { exitCode: 137, reason: "OutOfMemoryError: Container killed due to memory usage" })
    })
  )

  it.effect.each([
    { name: "a program that listens to SIGTERM", trap: "echo bye; exit 7", exitCode: 7, said: ["ready", "bye"] },
    { name: "a program that does not is killed", trap: "", exitCode: 137, said: ["ready"] }
  ])("StopTask: $name", ({ exitCode, said, trap }) =>
    Effect.gen(function* () {
      const arn = yield* launched(sh(`trap "${trap}" TERM; echo ready; sleep 1000 & wait; wait`), { stopTimeout: 2 })
      yield* taskWhen(arn, ({ lastStatus }) => lastStatus === "RUNNING")
      const ready = Effect.orElseSucceed(Effect.catchDefect(linesOf(arn), Effect.fail), () => [])
      yield* Effect.repeat(ready, { until: (lines) => lines.length > 0 })
      const ecs = yield* ecsClient
      const stop = new StopTaskCommand({ task: arn, reason: "enough" })
      yield* Effect.promise(() => Promise.all([ecs.send(stop), ecs.send(stop)]))
      const task = yield* stopped(arn)
      assert.deepInclude(task, { stopCode: "UserInitiated", stoppedReason: "enough" })
      assert.strictEqual(task.containers?.[0]?.exitCode, exitCode)
      assert.deepStrictEqual(yield* linesOf(arn), said)
    })
  )

  it.effect.each([
    {
      name: "an image that is nowhere",
      container: { image: "127.0.0.1:1/nobody/has-this:v9" },
      reason: /^CannotPullContainerError: Error response from daemon: .*127\.0\.0\.1:1/,
      stoppedReason: /^CannotPullContainerError/
    },
    {
      name: "a program that the image has not",
      container: { entryPoint: ["nope"] },
      reason:
        /^CannotStartContainerError: Error response from daemon: .*exec: "nope": executable file not found in \$PATH/,
      stoppedReason: /^Task failed to start$/
    },
    {
      name: "an image with a bad name",
      container: { image: "a:b:c" },
      reason: /^CannotPullContainerError: Error response from daemon: .*invalid reference format/,
      stoppedReason: /^CannotPullContainerError/
    }
  ])("$name: TaskFailedToStart, the engine's words, no exit code", ({ container: given, reason, stoppedReason }) =>
    Effect.gen(function* () {
      const { container, task } = yield* ended(["true"], given)
      assert.deepInclude(task, { stopCode: "TaskFailedToStart" })
      assert.match(task.stoppedReason ?? "", stoppedReason)
      assert.match(container.reason ?? "", reason)
      assert.isUndefined(container.exitCode)
      yield* noneLeft
    })
  )

  it.effect(
    "containers of one task: one waits until the other is HEALTHY by a check inside it, and both end together",
    () =>
      Effect.gen(function* () {
        const ecs = yield* ecsClient
        const healthCheck = { command: ["CMD-SHELL", "test -e /tmp/ready"], interval: 5, retries: 10 }
        const ready = 'trap "exit 9" TERM; touch /tmp/ready; sleep 1000 & wait'
        const containerDefinitions: Array<ContainerDefinition> = [
          { name: "db", image: baseImage, command: sh(ready), healthCheck, essential: false },
          {
            name: "main",
            image: baseImage,
            command: sh("test -e /tmp/ready || exit 4"),
            dependsOn: [{ containerName: "db", condition: "HEALTHY" }]
          }
        ]
        const sizes = { cpu: "256", memory: "512", requiresCompatibilities: ["FARGATE" as const] }
        const input = { family: "pair", networkMode: "awsvpc" as const, containerDefinitions, ...sizes }
        yield* Effect.promise(() => ecs.send(new RegisterTaskDefinitionCommand(input)))
        const { tasks = [] } = yield* runTask("pair")
        const { containers = [] } = yield* stopped(tasks[0]?.taskArn ?? "")
        assert.deepStrictEqual(
          containers.map(({ exitCode, healthStatus, name }) => [name, healthStatus, exitCode]),
          [
            ["db", "HEALTHY", 9],
            ["main", "UNKNOWN", 4]
          ]
        )
        yield* noneLeft
      })
  )
})

const main = join(import.meta.dirname, "..", "..", "services", "local-aws", "main.ts")

/** local-aws as a process of its own, on this port; ready when this returns. */
const startMain = (port: number) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const env = { ...process.env, LOCAL_AWS_RUNTIME: "docker", LOCAL_AWS_TIME_SCALE: "instant" }
      const child = spawn(process.execPath, [main, "--port", String(port)], {
        env,
        stdio: ["ignore", "ignore", "pipe"]
      })
      await said(child, "is ready")
      return child
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const said = (child: ChildProcess, words: string): Promise<void> =>
  new Promise((resolve, reject) => {
    let text = ""
    child.once("exit", () => reject(new Error(`local-aws ended: ${text}`)))
    child.stderr?.on("data", (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes(words)) resolve()
    })
  })

const end = (child: ChildProcess, signal: NodeJS.Signals) =>
  Effect.promise(
    () =>
      new Promise<number | null>((resolve) => {
        child.once("exit", resolve)
        child.kill(signal)
      })
  )

describe("containers and the end of local-aws", () => {
  it.live("killed, it leaves them, and the next one on the port removes them; SIGTERM leaves none", () =>
    Effect.gen(function* () {
      const port = yield* Effect.promise(freePort)
      const here = LocalAws.of({ host: "127.0.0.1", port, url: `http://127.0.0.1:${port}` })
      const running = Effect.gen(function* () {
        const arn = yield* launched(sh("sleep 1000"), {})
        yield* taskWhen(arn, ({ lastStatus }) => lastStatus === "RUNNING")
        const task = `label=com.amazonaws.ecs.task-arn=${arn}`
        return dockerLines("ps", "-aq", "--filter", task)
      }).pipe(Effect.provideService(LocalAws, here))

      const first = yield* startMain(port)
      const left = yield* running
      yield* end(first, "SIGKILL")
      assert.lengthOf(yield* left, 1)

      const second = yield* startMain(port)
      assert.lengthOf(yield* left, 0)
      const cleared = yield* running
      assert.lengthOf(yield* cleared, 1)
      assert.strictEqual(yield* end(second, "SIGTERM"), 0)
      assert.lengthOf(yield* cleared, 0)
    }).pipe(Effect.scoped)
  )
})
