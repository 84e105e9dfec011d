import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Queue } from "effect"
import { TestClock } from "effect/testing"
import { DeadHeaders } from "#bus/DeadLetter.ts"
import { Publisher } from "#bus/Publisher.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { parseSubject, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aRun, aTaskStarted } from "#test/support/builders.ts"
import * as messages from "#test/support/messages.ts"
import { clusterArn, runId, taskArn } from "#test/support/messages.ts"
import { firstOn, stored } from "#test/support/runs.ts"
import type { Signal } from "./Interrupts.ts"
import { memoryFleet, onScreen, publishFinished, putRun, type Screen } from "./memoryFleet.ts"
import { ANSWER_SECONDS, stopTask } from "./stopTask.ts"

const start = Effect.fnUntraced(function* (infrastructure: string) {
  const screen: Screen = { out: "", err: "" }
  const options = { infrastructure, reason: Option.some("too slow"), detach: false, json: false }
  const command = stopTask(options).pipe(Effect.provide(onScreen(screen, yield* Queue.unbounded<Signal>())))
  return { screen, fiber: yield* Effect.forkChild(command, { startImmediately: true }) }
})

const launched = Effect.gen(function* () {
  yield* putRun(aRun(messages.ready(1), messages.started(2)))
  const data = Codecs.taskStarted.encode(aTaskStarted())
  yield* (yield* Publisher).publish({ stream: Streams.fleet, subject: Subjects.taskStarted(runId, 1), data })
})

/** The dispatcher's refusal of the first cancel by task. */
const refuses = (reason: string) =>
  Effect.gen(function* () {
    const wish = yield* firstOn(Streams.fleet, "run.cancel.*")
    const parsed = parseSubject(wish.subject)
    assert(parsed?.kind === "run.cancel")
    yield* (yield* Publisher).publish({
      stream: Streams.dead,
      subject: Subjects.dead("dispatcher", parsed.runId),
      data: wish.data,
      headers: {
        [DeadHeaders.reason]: reason,
        [DeadHeaders.subject]: wish.subject,
        [DeadHeaders.stream]: wish.stream,
        [DeadHeaders.sequence]: String(wish.seq)
      }
    })
  })

const asked = Effect.map(stored(Streams.fleet, "run.cancel.*"), (all) => all.map(({ subject }) => subject))

describe("fleet stop --infrastructure", () => {
  it.effect.each([`batch::${taskArn}`, `${clusterArn}::${taskArn}`])("%s stops the run whose task it is", (id) =>
    Effect.gen(function* () {
      yield* launched
      const { fiber, screen } = yield* start(id)
      yield* firstOn(Streams.fleet, Subjects.runCancel(runId))
      const end = messages.stopped(5, { outcome: "cancelled", exitCode: 143 })
      yield* publishFinished(aRun(messages.ready(1), messages.started(2), end))
      yield* Fiber.join(fiber)
      assert.include(screen.out, "■ cancelled")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("a run that is over is success; one that goes on with another task is left alone", () =>
    Effect.gen(function* () {
      yield* launched
      yield* putRun(aRun(messages.ready(1), messages.started(2), messages.broken(3), messages.ready(4, { attempt: 2 })))
      const { fiber, screen } = yield* start(`batch::${taskArn}`)
      yield* Fiber.join(fiber)
      assert.include(screen.err, `Its run goes on with attempt 2; stop it with: fleet stop ${runId}`)
      const over = aRun(messages.ready(1), messages.started(2), messages.stopped(3))
      yield* Effect.andThen(putRun(over), publishFinished(over))
      const second = yield* start(`batch::${taskArn}`)
      yield* Fiber.join(second.fiber)
      assert.include(second.screen.out, "is over already: ✓ succeeded")
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect.each([
    { id: "batch", says: "InfrastructureInvalid: ", exitCode: 2 },
    { id: `other::${taskArn}`, says: "InfrastructureNotAvailable: ", exitCode: 1 }
  ])("$id is refused here: $says (peers 113, 114)", ({ exitCode, id, says }) =>
    Effect.gen(function* () {
      yield* launched
      const failure = yield* Effect.flip(Fiber.join((yield* start(id)).fiber))
      assert.deepInclude(failure, { _tag: "Failure", exitCode })
      assert.isTrue(failure.message.startsWith(says))
      assert.include(failure.message, `fleet explain ${says.split(":")[0]}`)
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("a task that this fleet did not launch: what the dispatcher says of it, with ECS's help (peers 115)", () =>
    Effect.gen(function* () {
      const { fiber } = yield* start(`batch::${taskArn}`)
      yield* refuses("ClusterHasNoTasks: Cannot stop ECS task: the cluster 'batch' has no tasks. Nothing runs there.")
      const failure = yield* Effect.flip(Fiber.join(fiber))
      assert.include(failure.message, "the cluster 'batch' has no tasks.")
      assert.include(failure.message, "fleet explain ClusterHasNoTasks")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect(`no dispatcher: said after ${ANSWER_SECONDS} s`, () =>
    Effect.gen(function* () {
      const { fiber } = yield* start(`batch::${taskArn}`)
      yield* firstOn(Streams.fleet, "run.cancel.*")
      yield* TestClock.adjust(`${ANSWER_SECONDS - 1} seconds`)
      assert.isUndefined(fiber.pollUnsafe())
      while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
      assert.include((yield* Effect.flip(Fiber.join(fiber))).message, "no dispatcher said")
    }).pipe(Effect.provide(memoryFleet()))
  )
})
