import { DeregisterTaskDefinitionCommand } from "@aws-sdk/client-ecs"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import {
  executionRoleArn,
  keptElsewhere,
  launched,
  layerWatchedFleet,
  least,
  taskRoleArn
} from "#test/parity/launched.ts"
import { ecsClient } from "#test/support/LocalAws.ts"

/** What is registered, and when: seen where it arrives, at ECS. */
layer(layerWatchedFleet, { excludeTestServices: true })("definitions", (it) => {
  it.effect("an image and defaults: one Fargate task of 1024 and 2048, which ends with 0 (scenario 1, 2)", () =>
    Effect.gen(function* () {
      const { definition, end, runTask, runTasks } = yield* launched(least)
      assert.deepInclude(end, { outcome: "succeeded", exitCode: 0 })
      assert.lengthOf(runTasks, 1)
      assert.deepInclude(runTask, { launchType: "FARGATE", cluster: "default" })
      assert.deepInclude(definition, { cpu: "1024", memory: "2048", networkMode: "awsvpc" })
      assert.deepStrictEqual(
        definition?.containerDefinitions?.map(({ name, image }) => [name, image]),
        [["main", "local/shell"]]
      )
    })
  )

  it.effect.each([
    { launchType: "FARGATE", sent: "FARGATE", strategy: undefined, compatibilities: ["FARGATE"] },
    {
      launchType: "FARGATE_SPOT",
      sent: undefined,
      strategy: [{ capacityProvider: "FARGATE_SPOT", weight: 1 }],
      compatibilities: ["FARGATE"]
    },
    { launchType: "EC2", sent: "EC2", strategy: undefined, compatibilities: ["EC2"] }
  ])("$launchType reaches ECS as it must (scenario 3)", ({ compatibilities, launchType, sent, strategy }) =>
    Effect.gen(function* () {
      const { definition, runTask } = yield* launched({ ...least, launchType, family: `on-${launchType}` })
      assert.strictEqual(runTask?.launchType, sent)
      assert.deepStrictEqual(runTask?.capacityProviderStrategy, strategy)
      assert.deepStrictEqual(definition?.requiresCompatibilities, compatibilities)
    })
  )

  it.effect.each([
    { launchType: "FARGATE", sizes: {}, task: ["1024", "2048"], container: [0, undefined] },
    { launchType: "FARGATE", sizes: { cpu: 2048 }, task: ["2048", undefined], container: [0, undefined] },
    { launchType: "FARGATE", sizes: { cpu: 512, memory: 1024 }, task: ["512", "1024"], container: [0, undefined] },
    { launchType: "EC2", sizes: {}, task: [undefined, undefined], container: [1024, 2048] },
    { launchType: "EC2", sizes: { memory: 512 }, task: [undefined, undefined], container: [1024, 512] },
    { launchType: "EC2", sizes: { cpu: 256, memory: 512 }, task: [undefined, undefined], container: [256, 512] }
  ])("$launchType with $sizes has its sizes where they belong (scenario 4)", ({ container, launchType, sizes, task }) =>
    Effect.gen(function* () {
      const memory = task[0] === "2048" ? { memory: 4096 } : {}
      const { definition } = yield* launched({ ...least, launchType, ...memory, ...sizes, family: "sizes" })
      const [main] = definition?.containerDefinitions ?? []
      assert.deepStrictEqual([definition?.cpu, definition?.memory], [task[0], task[1] ?? (task[0] && "4096")])
      assert.deepStrictEqual([main?.cpu, main?.memory], container)
    })
  )

  it.effect.each([
    { launchType: "FARGATE", networkMode: "awsvpc" },
    { launchType: "EC2", networkMode: undefined }
  ])("$launchType: network mode $networkMode (scenario 5)", ({ launchType, networkMode }) =>
    Effect.gen(function* () {
      const { end, registered, runTask } = yield* launched({ ...least, launchType, family: `network-${launchType}` })
      assert.strictEqual(end.outcome, "succeeded")
      assert.strictEqual(registered[0]?.networkMode, networkMode)
      assert.strictEqual(runTask?.networkConfiguration === undefined, networkMode === undefined)
    })
  )

  it.effect("the execution role is in the definition, the task role in the override (scenario 15)", () =>
    Effect.gen(function* () {
      const { definition, runTask } = yield* launched({ ...least, taskRoleArn, family: "roles" })
      assert.strictEqual(definition?.executionRoleArn, executionRoleArn)
      assert.isUndefined(definition?.taskRoleArn)
      assert.strictEqual(runTask?.overrides?.taskRoleArn, taskRoleArn)
    })
  )

  it.effect("options and prefix of the logs arrive, with the defaults of the rest (scenario 25)", () =>
    Effect.gen(function* () {
      const { definition } = yield* launched({
        ...least,
        family: "logging",
        cloudwatchLogsPrefix: "mine",
        cloudwatchLogsOptions: { "max-buffer-size": "2m" }
      })
      assert.deepInclude(definition?.containerDefinitions?.[0]?.logConfiguration?.options, {
        "awslogs-create-group": "true",
        "awslogs-region": "us-east-1",
        "awslogs-stream-prefix": "mine",
        "max-buffer-size": "2m"
      })
    })
  )

  it.effect(
    "a definition of sidecars alone gets the job's container; one without a name is adopted (scenario 33)",
    () =>
      Effect.gen(function* () {
        const sidecar = { name: "sidecar", image: "local/sidecar" }
        const added = yield* launched({
          ...least,
          family: "added",
          containerName: "main",
          taskDefinition: { containerDefinitions: [sidecar] }
        })
        assert.deepStrictEqual(
          added.registered[0]?.containerDefinitions?.map(({ name, image }) => [name, image]),
          [
            ["sidecar", "local/sidecar"],
            ["main", "local/shell"]
          ]
        )
        const nameless = { image: "local/own", user: "nobody" }
        const adopted = yield* launched({
          executionRoleArn,
          family: "adopted",
          taskDefinition: { containerDefinitions: [nameless, sidecar] }
        })
        assert.deepStrictEqual(
          adopted.registered[0]?.containerDefinitions?.map(({ name, image }) => [name, image]),
          [
            ["main", "local/own"],
            ["sidecar", "local/sidecar"]
          ]
        )
      })
  )

  it.effect("secrets by ARN: added, those there already kept, the same name replaced (scenario 43)", () =>
    Effect.gen(function* () {
      const arn = (name: string) => `arn:aws:secretsmanager:us-east-1:000000000000:secret:${name}`
      const container = {
        name: "main",
        secrets: [
          { name: "KEPT", valueFrom: arn("kept") },
          { name: "KEY", valueFrom: arn("old") }
        ],
        environment: [{ name: "KEY", value: "plain" }]
      }
      const { registered } = yield* launched({
        ...least,
        family: "secrets",
        taskDefinition: { containerDefinitions: [container] },
        secrets: { KEY: arn("new"), OTHER: arn("other") }
      })
      const main = registered[0]?.containerDefinitions?.[0]
      assert.sameDeepMembers(main?.secrets ?? [], [
        { name: "KEPT", valueFrom: arn("kept") },
        { name: "KEY", valueFrom: arn("new") },
        { name: "OTHER", valueFrom: arn("other") }
      ])
      assert.notInclude(JSON.stringify(registered), "plain")
    })
  )

  it.effect("a revision that somebody deregistered is replaced, and the run goes on (peers 39, scenario 31)", () =>
    Effect.gen(function* () {
      const body = { ...least, retry: {}, family: "deregistered" }
      const { definition } = yield* launched(body)
      const ecs = yield* ecsClient
      const taskDefinition = definition?.taskDefinitionArn
      yield* Effect.promise(() => ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition })))
      const { end, registered, runTasks } = yield* launched(body)
      assert.lengthOf(registered, 1)
      assert.strictEqual(end.outcome, "succeeded")
      assert.notStrictEqual(runTasks.at(-1)?.taskDefinition, taskDefinition)
    })
  )

  it.effect("a linked definition is used as it is: nothing is registered or deregistered (peers 52, scenario 8)", () =>
    Effect.gen(function* () {
      const taskDefinitionArn = yield* keptElsewhere()
      const { calls, end, runTask } = yield* launched({ taskDefinitionArn, autoDeregisterTaskDefinition: true })
      assert.strictEqual(end.outcome, "succeeded")
      assert.strictEqual(runTask?.taskDefinition, taskDefinitionArn)
      assert.deepStrictEqual(
        calls.filter(({ action }) => /RegisterTaskDefinition|DeregisterTaskDefinition/.test(action)),
        []
      )
    })
  )
})

layer(layerWatchedFleet, { excludeTestServices: true })("definitions that change", (it) => {
  const container = (more: object = {}) => {
    const environment = [
      { name: "A", value: "1" },
      { name: "B", value: "2" }
    ]
    return { containerDefinitions: [{ name: "main", environment, ...more }] }
  }
  const turned = [
    { name: "B", value: "2" },
    { name: "A", value: "1" }
  ]
  const secrets = [{ name: "KEY", valueFrom: "arn:aws:ssm:us-east-1:000000000000:parameter/key" }]
  const withSidecar = [...container().containerDefinitions, { name: "sidecar", image: "local/sidecar" }]
  const own = { ...least, family: "own", taskDefinition: container() }
  it.effect.each([
    {
      what: "order of the environment",
      change: { taskDefinition: container({ environment: turned }) },
      registrations: 0
    },
    { what: "secret", change: { taskDefinition: container({ secrets }) }, registrations: 1 },
    { what: "execution role", change: { executionRoleArn: `${executionRoleArn}-2` }, registrations: 1 },
    { what: "platform", change: { runtimePlatform: { cpuArchitecture: "ARM64" } }, registrations: 1 },
    { what: "sidecar", change: { taskDefinition: { containerDefinitions: withSidecar } }, registrations: 1 }
  ])("another $what registers $registrations (scenario 73)", ({ change, registrations }) =>
    Effect.gen(function* () {
      yield* launched(own)
      assert.lengthOf((yield* launched({ ...own, ...change })).registered, registrations)
    })
  )

  const changing = { ...least, family: "changing" }
  it.effect.each([
    { what: "nothing", change: {}, registrations: 0 },
    { what: "env", change: { env: { A: "1" } }, registrations: 0 },
    { what: "a null in env", change: { env: { A: null } }, registrations: 0 },
    { what: "command", change: { command: ["sh", "-c", "true"] }, registrations: 0 },
    { what: "labels", change: { labels: { team: "a" } }, registrations: 0 },
    { what: "cluster", change: { cluster: "batch" }, registrations: 0 },
    { what: "task role", change: { taskRoleArn }, registrations: 0 },
    { what: "image", change: { image: "local/other" }, registrations: 1 },
    { what: "logs", change: { configureCloudwatchLogs: false }, registrations: 1 },
    { what: "family", change: { family: "changed" }, registrations: 1 }
  ])("another $what registers $registrations (peers 27, 28, scenario 28, 30)", ({ change, registrations }) =>
    Effect.gen(function* () {
      yield* launched(changing)
      const { end, registered } = yield* launched({ ...changing, ...change })
      assert.lengthOf(registered, registrations)
      assert.strictEqual(end.outcome, "succeeded")
    })
  )
})
