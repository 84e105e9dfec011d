import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aJob, anAwsFailure } from "#test/support/builders.ts"
import { EcsCalls } from "#test/support/EcsCalls.ts"
import {
  again,
  defaultsOf,
  inTime,
  layerMemoryFleet,
  messagesOf,
  processPorts,
  published,
  recordOf
} from "#test/support/MemoryFleet.ts"
import { dispatcherConfig } from "./config.ts"
import { makeFleet } from "./Fleet.ts"
import { handleRequest } from "./requests.ts"

const settings = defaultsOf(dispatcherConfig)
const layerFleet = EcsCalls.layer.pipe(Layer.provideMerge(layerMemoryFleet()))
const dispatcher = Effect.provide(makeFleet(settings), processPorts())
const region = "us-east-1"

const orders = messagesOf(Streams.fleet, Filters.taskdefReady, Codecs.taskdefReady)
const ends = messagesOf(Streams.fleet, Filters.runFinished, Codecs.runFinished)
const registrations = Effect.map(EcsCalls, ({ count }) => count("registerTaskDefinition"))

const executionRoleArn = "arn:aws:iam::123456789012:role/execution"
const taskRoleArn = "arn:aws:iam::123456789012:role/task"
const job = { image: "alpine", executionRoleArn }
const publish = (body: object) => published(Streams.inbox, Subjects.runRequested("nightly"), JSON.stringify(body))
/** The last order after a request of that body, under an id of its own. */
const ordered = (fleet: Effect.Success<typeof dispatcher>, body: object) =>
  Effect.gen(function* () {
    const delivery = yield* published(Streams.inbox, Subjects.runRequested(), JSON.stringify(body))
    yield* inTime(handleRequest(fleet, delivery))
    return (yield* orders).at(-1)
  })

describe("what a request registers", () => {
  it.effect("environment, command, labels, tags, cluster and task role: nothing (peers 27)", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher
      const said = { env: { TOKEN: "s3cret" }, labels: { owner: "somebody" } }
      const first = yield* ordered(fleet, { ...job, ...said })
      const changes = [
        { env: { A: "1" } },
        { env: { A: null } },
        { command: ["true"] },
        { labels: { team: "a" } },
        { tags: { cost: "1" } },
        { cluster: "other" },
        { taskRoleArn }
      ]
      for (const change of changes) {
        const order = yield* ordered(fleet, { ...job, ...change })
        assert.strictEqual(order?.runTask.taskDefinition, first?.runTask.taskDefinition, JSON.stringify(change))
        assert.strictEqual(order?.definition, "reused")
      }
      assert.strictEqual(yield* registrations, 1)
      const { ecs } = yield* EcsModel
      const { taskDefinition } = yield* ecs.DescribeTaskDefinition(region, {
        taskDefinition: first?.runTask.taskDefinition
      })
      assert.deepStrictEqual(taskDefinition?.containerDefinitions?.[0]?.environment ?? [], [])
      assert.notMatch(JSON.stringify(taskDefinition), /TOKEN|s3cret|owner|somebody/u)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect(
    "image, logs and family: one revision each; and the changes that need none, none (peers 28, scenario 30)",
    () =>
      Effect.gen(function* () {
        const fleet = yield* dispatcher
        yield* ordered(fleet, job)
        const changes = [{ image: "busybox" }, { configureCloudwatchLogs: false }, { family: "reports" }]
        for (const [index, change] of changes.entries()) {
          assert.strictEqual((yield* ordered(fleet, { ...job, ...change }))?.definition, "registered")
          assert.strictEqual(yield* registrations, index + 2)
          yield* ordered(fleet, {
            ...job,
            ...change,
            env: { A: null },
            command: ["x"],
            labels: { a: "b" },
            cluster: "c"
          })
          assert.strictEqual(yield* registrations, index + 2)
        }
      }).pipe(Effect.provide(layerFleet))
  )

  it.effect("a cached revision that cannot be described: another one, and the run is launched (scenario 29)", () =>
    Effect.gen(function* () {
      const first = yield* ordered(yield* dispatcher, job)
      yield* (yield* EcsCalls).fail("describeTaskDefinition", [
        anAwsFailure("inactive", { code: "TaskDefinitionNotFound" })
      ])
      const second = yield* ordered(yield* dispatcher, job)
      assert.strictEqual(second?.definition, "registered")
      assert.notStrictEqual(second?.runTask.taskDefinition, first?.runTask.taskDefinition)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("two jobs with the same definition share it, two families do not (peers 40)", () =>
    Effect.gen(function* () {
      const fleet = yield* dispatcher
      const alike = { ...job, cloudwatchLogsPrefix: "p", family: "f" }
      const one = yield* ordered(fleet, { ...alike, name: "a" })
      const other = yield* ordered(fleet, { ...alike, name: "b" })
      const third = yield* ordered(fleet, { ...alike, name: "a", family: "g" })
      assert.strictEqual(one?.runTask.taskDefinition, other?.runTask.taskDefinition)
      assert.notStrictEqual(one?.runTask.taskDefinition, third?.runTask.taskDefinition)
      assert.strictEqual(yield* registrations, 2)
    }).pipe(Effect.provide(layerFleet))
  )
})

describe("a linked definition", () => {
  const linkedTo = (change: object = {}) =>
    Effect.gen(function* () {
      const { definition } = prepareTaskDefinition(aJob({ family: "reports", executionRoleArn }), region)
      const { ecs } = yield* EcsModel
      const { taskDefinition } = yield* ecs.RegisterTaskDefinition(region, { ...definition, ...change } as never)
      return taskDefinition?.taskDefinitionArn ?? ""
    })

  it.effect("is launched as it is, by ARN; what cannot apply is noticed, and nothing is registered", () =>
    Effect.gen(function* () {
      const arn = yield* linkedTo()
      const fleet = yield* dispatcher
      yield* handleRequest(fleet, yield* publish({ taskDefinitionArn: "reports", image: "busybox", command: ["x"] }))
      const [order] = yield* orders
      assert.deepInclude(order, { definition: "linked", containerName: "main" })
      assert.strictEqual(order?.runTask.taskDefinition, arn)
      const run = yield* recordOf("nightly")
      assert.strictEqual(run?.attempts[0]?.definition, "linked")
      assert.match(run?.notices.join() ?? "", /image/u)
      const calls = yield* EcsCalls
      assert.strictEqual(calls.count("registerTaskDefinition"), 0)
      assert.strictEqual(calls.count("describeTaskDefinition"), 1)
      assert.lengthOf(yield* fleet.definitionEntries.keys(), 0)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("a thousand runs ask for it once; a family's latest revision is asked for again soon", () =>
    Effect.gen(function* () {
      const arn = yield* linkedTo()
      const fleet = yield* dispatcher
      for (const _ of [1, 2, 3]) yield* ordered(fleet, { taskDefinitionArn: arn })
      const calls = yield* EcsCalls
      assert.strictEqual(calls.count("describeTaskDefinition"), 1)
      yield* ordered(fleet, { taskDefinitionArn: "reports" })
      const next = yield* linkedTo({ cpu: "512" })
      yield* TestClock.adjust("11 seconds")
      assert.strictEqual((yield* ordered(fleet, { taskDefinitionArn: "reports" }))?.runTask.taskDefinition, next)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect.each([
    { what: "that does not exist", request: { taskDefinitionArn: "nobody:1" }, code: "TaskDefinitionNotFound" },
    {
      what: "without that container",
      request: { taskDefinitionArn: "reports", containerName: "job" },
      code: "InvalidRequest"
    }
  ])("$what ends the run, whatever the launch type", ({ code, request }) =>
    Effect.gen(function* () {
      yield* linkedTo()
      assert.deepStrictEqual(yield* handleRequest(yield* dispatcher, yield* publish(request)), { _tag: "Ack" })
      assert.deepInclude((yield* ends)[0], { outcome: "rejected", attempts: 0 })
      assert.strictEqual((yield* ends)[0]?.error?.code, code)
    }).pipe(Effect.provide(layerFleet))
  )
})

describe("a launch that leaves it to the cluster what to run on", () => {
  const open = { ...job, launchType: null }
  const autoScalingGroupArn =
    "arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:0123:autoScalingGroupName/mine"
  it.effect.each([
    { what: "without a default strategy", strategy: [], launchType: "FARGATE", seconds: undefined },
    { what: "with Fargate's", strategy: [{ capacityProvider: "FARGATE_SPOT", weight: 1 }], seconds: undefined },
    { what: "with one of its own", strategy: [{ capacityProvider: "mine", weight: 1 }], seconds: 1800 }
  ])("asks it once: $what", ({ launchType, seconds, strategy }) =>
    Effect.gen(function* () {
      const { ecs } = yield* EcsModel
      yield* ecs.CreateCapacityProvider(region, { name: "mine", autoScalingGroupProvider: { autoScalingGroupArn } })
      yield* ecs.CreateCluster(region, {
        clusterName: "batch",
        capacityProviders: ["FARGATE", "FARGATE_SPOT", "mine"],
        defaultCapacityProviderStrategy: strategy
      })
      const fleet = yield* dispatcher
      const both = [
        yield* ordered(fleet, { ...open, cluster: "batch" }),
        yield* ordered(fleet, { ...open, cluster: "batch" })
      ]
      for (const order of both) {
        assert.strictEqual(order?.runTask.launchType, launchType)
        assert.strictEqual(order?.provisioningTimeoutSeconds, seconds)
      }
      assert.strictEqual((yield* EcsCalls).count("describeCluster"), 1)
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("one that does not exist ends the run", () =>
    Effect.gen(function* () {
      yield* inTime(handleRequest(yield* dispatcher, yield* publish({ ...open, cluster: "nowhere" })))
      assert.strictEqual((yield* ends)[0]?.error?.code, "ClusterNotFound")
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("a job that says what to run on asks no cluster", () =>
    Effect.gen(function* () {
      yield* inTime(handleRequest(yield* dispatcher, yield* publish(job)))
      assert.strictEqual((yield* EcsCalls).count("describeCluster"), 0)
    }).pipe(Effect.provide(layerFleet))
  )
})

describe("a definition that cannot be made just now", () => {
  const always = (retry: "throttle" | "credentials", code: "Throttled" | "CredentialsRejected") =>
    EcsCalls.use(({ fail }) =>
      fail(
        "registerTaskDefinition",
        Array.from({ length: 100 }, () => anAwsFailure(retry, { code, message: `${code}, says AWS.` }))
      )
    )

  it.effect.each([
    { retry: "throttle", code: "Throttled", count: { count: 3 } },
    { retry: "credentials", code: "CredentialsRejected", count: {} }
  ] as const)("($code): noted in the timeline, repeats folded, and handed back", ({ code, count, retry }) =>
    Effect.gen(function* () {
      yield* always(retry, code)
      const fleet = yield* dispatcher
      const delivery = yield* publish(job)
      for (const each of [delivery, again(delivery), again(delivery)]) {
        assert.deepStrictEqual(yield* inTime(handleRequest(fleet, each)), { _tag: "Nak", delayMillis: 10_000 })
      }
      const run = yield* recordOf("nightly")
      assert.strictEqual(run?.state, "defining")
      const { at: _at, ...last } = run?.timeline.at(-1) ?? {}
      assert.deepStrictEqual<object>(last, { what: `task definition delayed: ${code}, says AWS.`, ...count })
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("never: once the time for the launch is over the run is timed out, with the last reason", () =>
    Effect.gen(function* () {
      yield* always("throttle", "Throttled")
      const fleet = yield* dispatcher
      const delivery = yield* publish({ ...job, launchTimeoutSeconds: 20 })
      const early = yield* inTime(handleRequest(fleet, delivery))
      assert.isAtMost(early._tag === "Nak" ? early.delayMillis : 0, 20_000)
      assert.deepStrictEqual(yield* ends, [])
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(yield* inTime(handleRequest(fleet, again(delivery))), { _tag: "Ack" })
      const [end] = yield* ends
      assert.deepInclude(end, { outcome: "timed_out", phase: "launch", attempts: 0 })
      assert.strictEqual(end?.error?.code, "LaunchTimeout")
      assert.include(end?.error?.message, "Throttled, says AWS.")
    }).pipe(Effect.provide(layerFleet))
  )

  it.effect("late: a request that waited for a dispatcher beyond its time is launched all the same", () =>
    Effect.gen(function* () {
      const delivery = yield* publish({ ...job, launchTimeoutSeconds: 20 })
      yield* TestClock.adjust("1 hour")
      yield* inTime(handleRequest(yield* dispatcher, delivery))
      assert.lengthOf(yield* orders, 1)
    }).pipe(Effect.provide(layerFleet))
  )
})
