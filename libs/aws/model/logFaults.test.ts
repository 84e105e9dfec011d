import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { fargateLaunch, onFargate, region } from "#test/support/EcsWorld.ts"
import { EcsModel } from "./EcsModel.ts"
import type { Fault } from "./Fault.ts"
import { Runtime } from "./Runtime.ts"

const model = EcsModel.layer({ timeScale: "instant" }).pipe(Layer.provide(Runtime.layerSimulated))

const inject = (fault: Fault) => EcsModel.use(({ faults }) => faults.inject(fault))

const options = { "awslogs-group": "/jobs", "awslogs-stream-prefix": "p", "awslogs-create-group": "true" }

/** Runs a task of the run to its end, and gives the name of its log stream. */
const ran = (runId: string, ...command: ReadonlyArray<string>) =>
  EcsModel.use(({ unspoilt: { ecs } }) =>
    Effect.gen(function* () {
      const main = { name: "main", image: "x", command: ["simulate", ...command] }
      yield* ecs.RegisterTaskDefinition(region, {
        ...onFargate,
        executionRoleArn: "arn:aws:iam::000000000000:role/execution",
        containerDefinitions: [{ ...main, logConfiguration: { logDriver: "awslogs", options } }]
      })
      const { tasks } = yield* ecs.RunTask(region, { ...fargateLaunch, startedBy: `fleet/${runId}/1` })
      yield* TestClock.adjust("1 seconds")
      return `p/main/${tasks?.[0]?.taskArn?.split("/").at(-1)}`
    })
  )

const filter = (...logStreamNames: Array<string>) =>
  EcsModel.use(({ logs }) => logs.FilterLogEvents(region, { logGroupName: "/jobs", logStreamNames }))

const texts = (...logStreamNames: Array<string>) =>
  Effect.map(filter(...logStreamNames), ({ events = [] }) => events.map(({ message }) => message))

const fired = EcsModel.use(({ faults }) => faults.list).pipe(Effect.map((list) => list.map((fault) => fault.fired)))

const throttling = { name: "ThrottlingException", message: "Rate exceeded" }

describe("faults of logs", () => {
  it.effect("throttled so many times, then not", () =>
    Effect.gen(function* () {
      const stream = yield* ran("run-1")
      yield* inject({ action: "FilterLogEvents", times: 2, error: throttling })
      for (let call = 0; call < 2; call++) {
        assert.strictEqual((yield* Effect.flip(filter(stream))).__type, "ThrottlingException")
      }
      yield* filter(stream)
    }).pipe(Effect.provide(model))
  )

  it.effect("throttled at a rate", () =>
    Effect.gen(function* () {
      const stream = yield* ran("run-1")
      yield* inject({ action: "FilterLogEvents", probability: 0.25, error: throttling })
      const answers = yield* Effect.forEach(Array.from({ length: 400 }), () => Effect.exit(filter(stream)))
      const refused = answers.filter(({ _tag }) => _tag === "Failure").length
      assert.isTrue(refused > 60 && refused < 140, String(refused))
      assert.deepStrictEqual(yield* fired, [refused])
    }).pipe(Effect.provide(model))
  )

  it.effect("a stream of one run is hidden for so many calls that name it, alone or among others", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* ran("run-1"), yield* ran("run-2")]
      const error = { name: "ResourceNotFoundException", message: "The specified log stream does not exist." }
      yield* inject({ action: "FilterLogEvents", startedBy: "run-1", times: 2, error })
      assert.strictEqual((yield* Effect.flip(filter(two, one))).message, error.message)
      yield* filter(two)
      assert.strictEqual((yield* Effect.flip(filter(one))).message, error.message)
      yield* filter(one, two)
    }).pipe(Effect.provide(model))
  )

  it.effect("a stream of one run is hidden for a time from its making", () =>
    Effect.gen(function* () {
      yield* inject({ action: "CreateLogStream", startedBy: "run-1", missingSeconds: 5, times: 0 })
      const [one, two] = [yield* ran("run-1", "--lines", "1"), yield* ran("run-2", "--lines", "1")]
      yield* TestClock.adjust("2999 millis")
      assert.strictEqual((yield* Effect.flip(filter(one))).__type, "ResourceNotFoundException")
      assert.deepStrictEqual(yield* texts(two), ["line 1 of 1"])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* texts(one), ["line 1 of 1"])
    }).pipe(Effect.provide(model))
  )

  it.effect("small pages, of the calls that are spoilt and no others", () =>
    Effect.gen(function* () {
      const stream = yield* ran("run-1", "--lines", "5")
      yield* inject({ action: "FilterLogEvents", logGroup: "/other", times: 0, page: { end: true } })
      yield* inject({ action: "FilterLogEvents", logGroup: "/jobs", times: 1, page: { events: 2, repeat: 1 } })
      const first = yield* filter(stream)
      const { logs, unspoilt } = yield* EcsModel
      const { nextToken } = first
      const rest = yield* logs.FilterLogEvents(region, { logGroupName: "/jobs", logStreamNames: [stream], nextToken })
      assert.deepStrictEqual(
        [first, rest].map(({ events = [] }) => events.map(({ message = "" }) => Number(message.split(" ")[1]))),
        [
          [1, 2],
          [2, 3, 4, 5]
        ]
      )
      assert.strictEqual(rest.events?.[0]?.eventId, first.events?.[1]?.eventId)
      yield* inject({ action: "FilterLogEvents", times: 0, page: { end: true } })
      const looked = yield* unspoilt.logs.FilterLogEvents(region, { logGroupName: "/jobs" })
      assert.deepStrictEqual([looked.events?.length, yield* texts(stream)], [5, []])
      assert.deepStrictEqual(yield* fired, [0, 1, 1])
    }).pipe(Effect.provide(model))
  )

  it.effect("what a task writes comes late and twice, for one run alone; each batch is met once", () =>
    Effect.gen(function* () {
      yield* inject({ action: "PutLogEvents", startedBy: "run-1", times: 0, batch: { delaySeconds: 10, twice: true } })
      const [one, two] = [yield* ran("run-1", "--lines", "2"), yield* ran("run-2", "--lines", "2")]
      assert.deepStrictEqual([yield* texts(one), (yield* texts(two)).length], [[], 2])
      yield* TestClock.adjust("11 seconds")
      const lines = ["line 1 of 2", "line 2 of 2"]
      assert.deepStrictEqual(yield* texts(one), [...lines, ...lines])
      assert.deepStrictEqual(yield* fired, [1])
    }).pipe(Effect.provide(model))
  )

  it.effect("the driver of a task is spared by faults of clients' calls", () =>
    Effect.gen(function* () {
      yield* inject({ action: "*", times: 0, error: { name: "ServerException", message: "" } })
      const stream = yield* ran("run-1", "--lines", "1")
      const { unspoilt } = yield* EcsModel
      const looked = yield* unspoilt.logs.FilterLogEvents(region, { logGroupName: "/jobs", logStreamNames: [stream] })
      assert.lengthOf(looked.events ?? [], 1)
      assert.deepStrictEqual(yield* fired, [0])
    }).pipe(Effect.provide(model))
  )
})
