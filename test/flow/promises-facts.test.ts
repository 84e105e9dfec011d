import { assert, describe, layer } from "@effect/vitest"
import { Clock, Effect, Layer, Result, Stream } from "effect"
import { type BusMessage, text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { isFinal } from "#ecs-core/Run.ts"
import { parseSubject, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aTaskStarted } from "#test/support/builders.ts"
import { embedded, layerFleetWith, layerSurroundings } from "#test/support/EmbeddedFleet.ts"
import { recordWhen, statusesOf } from "#test/support/follow.ts"
import { clearFaults, inject, layerTest as localAws } from "#test/support/LocalAws.ts"
import { changed, stopped, taskArn } from "#test/support/messages.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { allFinished, firstOn, request, stored } from "#test/support/runs.ts"

/** What may happen to facts on their way: the end is right all the same, and each change of a run is told once. */

const simulated = localAws({ runtime: "simulated", timeScale: "dev" })

/** In the order of ECS; any may be skipped. */
const lifeCycle = [
  "PROVISIONING",
  "PENDING",
  "ACTIVATING",
  "RUNNING",
  "DEACTIVATING",
  "STOPPING",
  "DEPROVISIONING",
  "STOPPED"
]

const assertForwardOnce = (statuses: ReadonlyArray<string>, runId: string) => {
  const places = statuses.map((status) => lifeCycle.indexOf(status))
  assert.deepStrictEqual(places, [...new Set(places)].toSorted(), `${runId}: ${statuses.join(", ")}`)
}

/** One end, and no entry of the timeline a second time. */
const assertToldOnce = (runId: string) =>
  Effect.gen(function* () {
    assert.lengthOf(yield* stored(Streams.fleet, Subjects.runFinished(runId)), 1, runId)
    const { timeline } = yield* recordWhen(runId, isFinal)
    const entries = timeline.map(({ what }) => what)
    assert.deepStrictEqual(entries, [...new Set(entries)], runId)
    assert.isTrue(
      timeline.every(({ count }) => count === undefined),
      runId
    )
  })

const permutations = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  items.length === 0
    ? [[]]
    : items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]))

/** Every selection, in order. */
const selections = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  items.reduce<ReadonlyArray<ReadonlyArray<A>>>((all, item) => [...all, ...all.map((each) => [...each, item])], [[]])

describe("facts by hand", () => {
  /** Nobody launches: each fact comes from the test. */
  const dispatcher = embedded().dispatcher.pipe(Layer.provideMerge(layerSurroundings(natsServer, simulated)))

  const factsOf = (id: string, now: number) => {
    const run = { runId: RunId.make(id), attempt: 1, taskArn }
    const at = (seconds: number) => instantOf(now + seconds * 1000)
    const publish = (subject: string, data: string) =>
      Effect.flatMap(Publisher, (publisher) => publisher.publish({ stream: Streams.fleet, subject, data }))
    const moved = (seconds: number, lastStatus: string, version: number) =>
      publish(
        Subjects.taskChanged(id, 1),
        Codecs.taskChanged.encode(changed(0, lastStatus, version, { ...run, at: at(seconds) }).message)
      )
    const end = stopped(0, { ...run, at: at(4), exitCode: 3, outcome: "failed" }).message
    return {
      before: [
        publish(Subjects.taskStarted(id, 1), Codecs.taskStarted.encode(aTaskStarted({ ...run, at: at(1) }))),
        moved(2, "PENDING", 2),
        moved(3, "RUNNING", 3)
      ],
      stopped: publish(Subjects.taskStopped(id, 1), Codecs.taskStopped.encode(end))
    }
  }
  type Facts = ReturnType<typeof factsOf>

  const orders: ReadonlyArray<(facts: Facts) => Facts["before"]> = [
    ...permutations([0, 1, 2, 3]).map((order) => ({ before, stopped }: Facts) => {
      const facts = [...before, stopped]
      return order.flatMap((at) => facts.slice(at, at + 1))
    }),
    ...selections([0, 1, 2]).map((selection) => ({ before, stopped }: Facts) => [
      ...selection.flatMap((at) => before.slice(at, at + 1)),
      stopped
    ])
  ]

  layer(dispatcher, { excludeTestServices: true })((it) => {
    it.effect(
      "twice, late, out of order, never: in every order, doubled and lost, one end, each change once (scenario 91)",
      () =>
        Effect.gen(function* () {
          const runIds = yield* Effect.forEach(orders, () => request({ image: "local/shell", command: ["true"] }), {
            concurrency: "unbounded"
          })
          const play = (runId: string, order: (facts: Facts) => Facts["before"]) =>
            Effect.gen(function* () {
              yield* firstOn(Streams.fleet, Subjects.taskdefReady(runId, 1))
              const facts = order(factsOf(runId, yield* Clock.currentTimeMillis))
              for (const fact of [...facts, ...facts.toReversed()]) yield* fact
            })
          yield* Effect.forEach(
            runIds.map((runId, at) => ({ runId, order: orders[at] })),
            ({ runId, order }) => (order === undefined ? Effect.die("no order") : play(runId, order)),
            { concurrency: "unbounded" }
          )
          const ends = yield* allFinished(runIds)
          assert.deepStrictEqual(new Set(ends.map(({ runId }) => String(runId))), new Set(runIds))
          for (const end of ends) assert.deepInclude(end, { outcome: "failed", exitCode: 3, attempts: 1, taskArn })
          yield* Effect.forEach(runIds, assertToldOnce)
        })
    )
  })
})

describe("facts of real tasks", () => {
  const RUNS = 20
  const job = { image: "local/shell", command: ["simulate", "--seconds", "0.2", "--exit-code", "3"] }
  const runAll = Effect.gen(function* () {
    const runIds = yield* Effect.forEach(Array.from({ length: RUNS }), () => request(job), { concurrency: "unbounded" })
    const ends = new Map((yield* allFinished(runIds)).map((end) => [String(end.runId), end]))
    for (const runId of runIds) {
      assert.deepInclude(ends.get(runId), { outcome: "failed", exitCode: 3, attempts: 1 }, runId)
      yield* assertToldOnce(runId)
    }
    return runIds
  })

  layer(layerFleetWith(natsServer, simulated), { excludeTestServices: true })((it) => {
    it.effect("late: answers of ECS that are older than earlier ones are passed over (scenario 91)", () =>
      Effect.gen(function* () {
        yield* inject({ action: "DescribeTasks", times: 0, probability: 0.5, staleVersions: 4 })
        const runIds = yield* runAll
        yield* clearFaults
        for (const runId of runIds) assertForwardOnce(yield* statusesOf(runId), runId)
      })
    )
  })

  /** What the watcher says comes twice, and each time what it said of the run before comes once more. */
  const echo = Effect.gen(function* () {
    const said = new Map<string, ReadonlyArray<BusMessage>>()
    const publisher = yield* Publisher
    const repeat = ({ subject, data }: BusMessage) =>
      publisher.publish({ stream: Streams.fleet, subject, data: text({ data }), headers: { Echo: "yes" } })
    const everything = (yield* Messages).replay({ stream: Streams.fleet, subject: "task.*.*.*", follow: true })
    yield* Stream.runForEach(everything, (message) => {
      const parsed = parseSubject(message.subject)
      const isOfWatcher = parsed?.kind === "task.changed" || parsed?.kind === "task.stopped"
      if (!isOfWatcher || message.headers["Echo"] !== undefined) return Effect.void
      const before = said.get(parsed.runId) ?? []
      said.set(parsed.runId, [...before, message])
      return Effect.forEach([message, ...before], repeat, { discard: true })
    })
  })

  layer(layerFleetWith(natsServer, simulated), { excludeTestServices: true })((it) => {
    it.effect("twice, out of order: what is said again, old after new, changes nothing (scenario 91)", () =>
      Effect.gen(function* () {
        yield* Effect.forkScoped(echo)
        const runIds = yield* runAll
        const isEcho = (message: BusMessage) => message.headers["Echo"] !== undefined
        for (const runId of runIds) {
          const facts = yield* stored(Streams.fleet, Subjects.taskChanged(runId, 1))
          assert.isTrue(facts.some(isEcho), runId)
          const own = facts.filter((fact) => !isEcho(fact))
          assertForwardOnce(
            own.map((fact) => Result.getOrThrow(Codecs.taskChanged.decode(text(fact))).lastStatus),
            runId
          )
        }
      })
    )
  })
})
