import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { TestClock } from "effect/testing"
import { RunId } from "#ecs-core/Ids.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { LeaseKeys, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { holdLease } from "#process/Lease.ts"
import { defaultsOf, inTime, layerMemoryFleet, processPorts, published } from "#test/support/MemoryFleet.ts"
import { started, stopped } from "#test/support/messages.ts"
import { dispatcherConfig } from "./config.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { handleFact } from "./handle.ts"
import { hopSeconds, runs, runsFinished, unfinishedRuns } from "./metrics.ts"
import { reconcileForEver } from "./reconcile.ts"
import { handleRequest } from "./requests.ts"

const settings = defaultsOf(dispatcherConfig)

const request = (fleet: Fleet, id: string) =>
  Effect.gen(function* () {
    const data = JSON.stringify({ image: "alpine" })
    yield* inTime(handleRequest(fleet, yield* published(Streams.inbox, Subjects.runRequested(id), data)))
  })

const fact = (fleet: Fleet, subject: string, data: string) =>
  Effect.flatMap(published(Streams.fleet, subject, data), (delivery) => inTime(handleFact(fleet, delivery)))

const start = (fleet: Fleet, id: string) => {
  const { message } = started(2, { runId: RunId.make(id) })
  return fact(fleet, Subjects.taskStarted(id, 1), Codecs.taskStarted.encode(message))
}

const end = (fleet: Fleet, id: string) => {
  const { message } = stopped(9, { runId: RunId.make(id) })
  return fact(fleet, Subjects.taskStopped(id, 1), Codecs.taskStopped.encode(message))
}

const statesNow = Effect.gen(function* () {
  const of = (state: string) => Effect.map(Metric.value(Metric.withAttributes(runs, { state })), ({ value }) => value)
  const all = yield* Metric.value(unfinishedRuns)
  return { all: all.value, launching: yield* of("launching"), provisioning: yield* of("provisioning") }
})

/** As soon as the sweep, which comes every minute, has told of so many runs. */
const statesWhen = (all: number) =>
  Effect.andThen(TestClock.adjust("1 second"), statesNow).pipe(
    Effect.repeat({ until: (now) => now.all === all, times: 3 * settings.reconcileSeconds })
  )

/** Each test counts from nothing. */
const counted = <A, E, R>(test: Effect.Effect<A, E, R>) =>
  test.pipe(Effect.provideService(Metric.MetricRegistry, new Map()), Effect.provide(layerMemoryFleet()))

describe("metrics of runs", () => {
  it.effect("the sweep tells how many runs are in each state; a replica that lost the lease tells none", () =>
    counted(
      Effect.gen(function* () {
        const fleet = yield* Effect.provide(makeFleet(settings), processPorts())
        for (const id of ["a", "b", "c"]) yield* request(fleet, id)
        yield* start(fleet, "c")
        yield* Effect.forkChild(reconcileForEver(fleet, settings, "one", Effect.void))
        assert.deepStrictEqual(yield* statesWhen(3), { all: 3, launching: 2, provisioning: 1 })
        yield* end(fleet, "c")
        assert.deepStrictEqual(yield* statesWhen(2), { all: 2, launching: 2, provisioning: 0 })
        yield* fleet.meta.delete(LeaseKeys.reconcileRecords)
        assert.isTrue(yield* holdLease(fleet.meta, LeaseKeys.reconcileRecords, "two", 1000))
        assert.deepStrictEqual(yield* statesWhen(0), { all: 0, launching: 0, provisioning: 0 })
      })
    )
  )

  it.effect("twice: a fact that comes again is counted once", () =>
    counted(
      Effect.gen(function* () {
        const fleet = yield* Effect.provide(makeFleet(settings), processPorts())
        yield* request(fleet, "a")
        for (const step of [start, start, end, end, start]) yield* step(fleet, "a")
        const finished = yield* Metric.value(Metric.withAttributes(runsFinished, { outcome: "succeeded" }))
        assert.strictEqual(Number(finished.count), 1)
        for (const hop of ["ordered", "launched"]) {
          assert.strictEqual((yield* Metric.value(Metric.withAttributes(hopSeconds, { hop }))).count, 1, hop)
        }
      })
    )
  )
})
