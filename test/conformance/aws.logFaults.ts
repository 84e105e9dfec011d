import { assert } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { ContainerLogs } from "#aws/ContainerLogs.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import type { Fault } from "#aws/model/Fault.ts"
import { clearFaults, faults, inject, LocalAws } from "#test/support/LocalAws.ts"
import {
  failureOf,
  group,
  isStopped,
  launch,
  launchInput,
  readAll,
  register,
  streamOf,
  target,
  taskWhen
} from "./aws.steps.ts"
import type { Programs } from "./aws.suite.ts"

/** Steps of the conformance suite about CloudWatch Logs that misbehave; each fault is about one run. */

/** How the other side is made to misbehave. */
export class FaultControl extends Context.Service<
  FaultControl,
  {
    readonly inject: (fault: Fault) => Effect.Effect<void>
    readonly clear: Effect.Effect<void>
    /** How often each fault met a call. */
    readonly fired: Effect.Effect<ReadonlyArray<number>>
  }
>()("test/FaultControl") {
  static readonly layerMemory = Layer.effect(
    FaultControl,
    Effect.map(
      EcsModel,
      ({ faults }) =>
        ({
          inject: (fault) => Effect.asVoid(faults.inject(fault)),
          clear: faults.clear,
          fired: Effect.map(faults.list, (list) => list.map(({ fired }) => fired))
        }) satisfies FaultControl["Service"]
    )
  )
  /** Over the control API. */
  static readonly layer = Layer.effect(
    FaultControl,
    Effect.map(LocalAws, (localAws) => {
      const there = Effect.provideService(LocalAws, localAws)
      return {
        inject: (fault) => there(inject(fault)),
        clear: there(clearFaults),
        fired: there(Effect.map(faults, (list) => list.map(({ fired }) => fired)))
      } satisfies FaultControl["Service"]
    })
  )
}

/** A run that prints five lines or more, under faults that concern it alone. */
const printed = (programs: Programs, runId: string, ...faults: ReadonlyArray<Fault>) =>
  Effect.gen(function* () {
    const control = yield* FaultControl
    yield* control.clear
    yield* Effect.forEach(faults, (fault) => control.inject({ startedBy: runId, ...fault }))
    yield* register(runId, programs.prints(5))
    const arn = yield* launch(yield* launchInput(runId, { startedBy: `fleet/${runId}/1` }))
    yield* taskWhen(arn, isStopped)
    return streamOf(runId, "main", arn)
  })

const eventsOf = (stream: string) => Effect.map(readAll(stream), (pages) => pages.flatMap(({ events }) => events))

/** Reads again and again until it holds. */
const eventsWhen = (stream: string, count: number) =>
  Effect.repeat(eventsOf(stream), { until: (events) => events.length >= count })

export const delayed = (programs: Programs) =>
  Effect.gen(function* () {
    const late = { action: "PutLogEvents", times: 0, batch: { delaySeconds: 3600 } }
    const stream = yield* printed(programs, "delayed", late)
    assert.deepStrictEqual(yield* eventsOf(stream), [])
    const soon = { action: "PutLogEvents", times: 0, batch: { delaySeconds: 0.05 } }
    const events = yield* eventsWhen(yield* printed(programs, "soon", soon), 5)
    const [first] = events
    assert.strictEqual((first?.ingestionTime ?? 0) - (first?.timestamp ?? 0), 50)
    assert.isTrue(events.every(({ ingestionTime = 0, timestamp }) => ingestionTime >= timestamp))
  })

export const doubled = (programs: Programs) =>
  Effect.gen(function* () {
    const twice = { action: "PutLogEvents", times: 0, batch: { twice: true } }
    const stream = yield* printed(programs, "doubled", twice)
    const events = yield* eventsWhen(stream, 10)
    const texts = events.map(({ message, timestamp }) => `${timestamp} ${message}`)
    assert.strictEqual(new Set(events.map(({ eventId }) => eventId)).size, events.length)
    assert.strictEqual(new Set(texts).size, events.length / 2)
  })

export const overtaken = (programs: Programs) =>
  Effect.gen(function* () {
    const late = { action: "PutLogEvents", batch: { lateSeconds: 0.05 } }
    const events = yield* eventsWhen(yield* printed(programs, "overtaken", late), 5)
    const [first] = events
    assert.isAtLeast((first?.ingestionTime ?? 0) - (first?.timestamp ?? 0), 50)
    const times = events.map(({ timestamp }) => timestamp)
    assert.deepStrictEqual(
      times,
      times.toSorted((a, b) => a - b)
    )
  })

export const smallPages = (programs: Programs) =>
  Effect.gen(function* () {
    const stream = yield* printed(programs, "small")
    const whole = yield* eventsOf(stream)
    const control = yield* FaultControl
    yield* control.inject({ action: "FilterLogEvents", startedBy: "small", times: 1, page: { events: 0 } })
    yield* control.inject({ action: "FilterLogEvents", startedBy: "small", times: 0, page: { events: 2, repeat: 1 } })
    const pages = yield* readAll(stream)
    assert.deepStrictEqual(
      pages.slice(0, 2).map(({ events }) => events.length),
      [0, 2]
    )
    const ids = pages.flatMap(({ events }) => events.map(({ eventId }) => eventId))
    assert.deepStrictEqual(
      [...new Set(ids)],
      whole.map(({ eventId }) => eventId)
    )
    assert.isAbove(ids.length, whole.length)
  })

export const shuffledAndEnded = (programs: Programs) =>
  Effect.gen(function* () {
    const stream = yield* printed(programs, "shuffled")
    const whole = yield* eventsOf(stream)
    const control = yield* FaultControl
    yield* control.inject({ action: "FilterLogEvents", startedBy: "shuffled", page: { shuffle: true } })
    const shuffled = yield* eventsOf(stream)
    const idsOf = (events: typeof whole) => events.map(({ eventId }) => eventId).toSorted()
    assert.deepStrictEqual(idsOf(shuffled), idsOf(whole))
    yield* control.inject({ action: "FilterLogEvents", startedBy: "shuffled", page: { end: true } })
    assert.deepStrictEqual([yield* eventsOf(stream), (yield* eventsOf(stream)).length], [[], whole.length])
  })

export const throttled = (programs: Programs) =>
  Effect.gen(function* () {
    const stream = yield* printed(programs, "throttled")
    const control = yield* FaultControl
    const error = { name: "ThrottlingException", message: "Rate exceeded" }
    yield* control.inject({ action: "FilterLogEvents", startedBy: "throttled", times: 2, error })
    for (let call = 0; call < 2; call++) {
      const failure = yield* failureOf(eventsOf(stream))
      assert.deepStrictEqual([failure.code, failure.retry], ["Throttled", "throttle"])
    }
    assert.isAtLeast((yield* eventsOf(stream)).length, 5)
    assert.deepStrictEqual(yield* control.fired, [2])
  })

export const hidden = (programs: Programs) =>
  Effect.gen(function* () {
    const hide = { action: "CreateLogStream", times: 0, missingSeconds: 3600 }
    const [there, hiddenOne] = [yield* printed(programs, "shown"), yield* printed(programs, "hidden", hide)]
    const logStreams = [hiddenOne, there]
    const page = yield* ContainerLogs.use((logs) => logs.read(target, { logGroup: group, logStreams }))
    assert.deepStrictEqual([page.missing, page.events.length >= 5], [[hiddenOne], true])
    const error = { name: "ResourceNotFoundException", message: "The specified log stream does not exist." }
    const control = yield* FaultControl
    yield* control.inject({ action: "FilterLogEvents", startedBy: "shown", times: 1, error })
    const failure = yield* failureOf(eventsOf(there))
    assert.strictEqual(failure.code, "LogStreamNotFound")
  })
