import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { millisOf } from "#ecs-core/Instant.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { embedded, layerFleetWith, layerSurroundings } from "#test/support/EmbeddedFleet.ts"
import { all, firstThat, tasksOf } from "#test/support/follow.ts"
import { inject, layerTest as localAws } from "#test/support/LocalAws.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { finished, firstOn, output, request } from "#test/support/runs.ts"

const executionRoleArn = "arn:aws:iam::000000000000:role/execution"

/** The shortest pause there is. */
const soon = { backoffSeconds: 1, maxBackoffSeconds: 1 }

const orderOf = (runId: string, attempt: number) =>
  firstThat({ stream: Streams.fleet, subject: Subjects.taskdefReady(runId, attempt) }, Codecs.taskdefReady, () => true)

layer(layerFleetWith(natsServer, localAws()), { excludeTestServices: true })("a failed attempt", (it) => {
  it.effect("is followed by another as long as the program may fail, its output by its output", () =>
    Effect.gen(function* () {
      const command = ["sh", "-c", "echo attempt $FLEET_ATTEMPT; exit $((3 - FLEET_ATTEMPT))"]
      const job = { image: "local/shell", executionRoleArn, command, retry: { attempts: 2, ...soon } }
      const runId = yield* request(job)
      assert.deepInclude(yield* finished(runId), { outcome: "succeeded", exitCode: 0, attempts: 3 })
      const { lines } = yield* output(runId)
      assert.deepStrictEqual(
        lines.map(({ text }) => text),
        ["attempt 1", "attempt 2", "attempt 3"]
      )
      const [first, second, third] = yield* Effect.forEach([1, 2, 3], (attempt) => orderOf(runId, attempt))
      assert.notProperty(first, "notBefore")
      for (const order of [second, third]) assert.property(order, "notBefore")
    })
  )

  it.effect("is the last one when its exit code is not among those to be tried again", () =>
    Effect.gen(function* () {
      const command = ["sh", "-c", "exit $((76 - FLEET_ATTEMPT))"]
      const retry = { attempts: 5, onExitCodes: [75], ...soon }
      const runId = yield* request({ image: "local/shell", command, retry })
      assert.deepInclude(yield* finished(runId), { outcome: "failed", exitCode: 74, attempts: 2 })
      assert.lengthOf(yield* tasksOf(runId), 2)
    })
  )

  it.effect("is the last one where no retry was asked for", () =>
    Effect.gen(function* () {
      const runId = yield* request({ image: "local/shell", command: ["sh", "-c", "exit 75"] })
      assert.deepInclude(yield* finished(runId), { outcome: "failed", exitCode: 75, attempts: 1 })
    })
  )

  const spot = { stopCode: "SpotInterruption", stoppedReason: "Your Spot Task was interrupted." } as const
  const pull = {
    stopCode: "TaskFailedToStart",
    stoppedReason: "CannotPullContainerError: pull image manifest has been retried 5 time(s): i/o timeout"
  } as const

  it.effect.each([
    { what: "taken by Spot before it ran", stop: { ...spot, beforeRunning: true } },
    { what: "whose image could not be pulled in time", stop: { ...pull, beforeRunning: true } }
  ])(
    "$what is not the program's: it is tried again, and costs none of its attempts (peers 101, scenario 64, 77)",
    ({ stop }) =>
      Effect.gen(function* () {
        yield* inject({ action: "RunTask", stop })
        const retry = { attempts: 1, ...soon }
        const command = ["sh", "-c", "exit $((3 - FLEET_ATTEMPT))"]
        const runId = yield* request({ image: "local/shell", executionRoleArn, command, retry })
        assert.deepInclude(yield* finished(runId), { outcome: "succeeded", exitCode: 0, attempts: 3 })
      })
  )

  it.effect("taken by Spot while it ran is run again only where the request allows it (scenario 77)", () =>
    Effect.gen(function* () {
      const job = { image: "local/shell", command: ["sleep", "60"] }
      yield* inject({ action: "RunTask", stop: spot })
      const once = yield* finished(yield* request({ ...job, retry: { attempts: 3, ...soon } }))
      assert.deepInclude(once, { outcome: "crashed", attempts: 1 })
      yield* inject({ action: "RunTask", stop: spot })
      const retry = { attempts: 3, onOutcomes: ["crashed"], ...soon }
      const again = yield* finished(yield* request({ ...job, command: ["sleep", "0.1"], retry }))
      assert.deepInclude(again, { outcome: "succeeded", exitCode: 0, attempts: 2 })
    })
  )
})

describe("the pause before the next attempt", () => {
  /** A dispatcher and a launcher until they are ended. */
  const start = Effect.gen(function* () {
    const scope = yield* Scope.make()
    const { dispatcher, launcher } = embedded()
    yield* Layer.buildWithScope(Layer.fresh(Layer.mergeAll(dispatcher, launcher)), scope)
    return Scope.close(scope, Exit.void)
  })
  const surroundings = layerSurroundings(natsServer, localAws())
  const watcher = embedded().watcher.pipe(Layer.provideMerge(surroundings))

  layer(watcher, { excludeTestServices: true })((it) => {
    it.effect("crash: outlives a dispatcher and a launcher", () =>
      Effect.gen(function* () {
        const end = yield* start
        const command = ["sh", "-c", "exit $((2 - FLEET_ATTEMPT))"]
        const retry = { attempts: 1, backoffSeconds: 3 }
        const runId = yield* request({ image: "local/shell", command, retry })
        yield* orderOf(runId, 2)
        yield* end
        const endNext = yield* start
        assert.deepInclude(yield* finished(runId), { outcome: "succeeded", exitCode: 0, attempts: 2 })
        const { notBefore } = yield* orderOf(runId, 2)
        const launched = yield* firstOn(Streams.fleet, Subjects.taskStarted(runId, 2))
        const failed = yield* firstOn(Streams.fleet, Subjects.taskStopped(runId, 1))
        const pauseEnd = notBefore === undefined ? 0 : millisOf(notBefore)
        assert.isAbove(pauseEnd, failed.time)
        assert.isAtLeast(launched.time, pauseEnd)
        assert.lengthOf(yield* all(Subjects.taskdefReady(runId, 2), Codecs.taskdefReady), 1)
        assert.lengthOf(yield* tasksOf(runId), 2)
        yield* endNext
      })
    )
  })
})
