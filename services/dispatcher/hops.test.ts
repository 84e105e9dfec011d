import { assert, describe, it } from "@effect/vitest"
import { evolve, type RunMessage } from "#ecs-core/Evolve.ts"
import { aRun, millis } from "#test/support/builders.ts"
import { admitted, at, cancel, changed, ready, requested, started, stopped } from "#test/support/messages.ts"
import { hopsOf } from "./hops.ts"

/** The hops that an event ends on a record, five minutes after nine. */
const ended = (event: RunMessage, ...before: ReadonlyArray<RunMessage>) => {
  const run = before.length === 0 ? undefined : aRun(...before)
  const after = evolve(run, event)
  return after === undefined || after === run ? [] : hopsOf(run, event, after, millis(300))
}

const running = changed(12, "RUNNING", 3, { times: { createdAt: at(5), startedAt: at(11) } })
const times = { createdAt: at(5), startedAt: at(11), executionStoppedAt: at(100) }

describe("hops", () => {
  it.each<{ what: string; event: RunMessage; before: ReadonlyArray<RunMessage>; are: ReadonlyArray<unknown> }>([
    { what: "a request ends none", event: requested(0), before: [], are: [] },
    {
      what: "a turn ends the wait in the queue",
      event: admitted(40),
      before: [requested(0, { queued: true })],
      are: [{ hop: "queued", seconds: 40 }]
    },
    { what: "an order", event: ready(2), before: [requested(0)], are: [{ hop: "ordered", seconds: 2 }] },
    {
      what: "an order after a turn counts from the turn",
      event: ready(42),
      before: [requested(0, { queued: true }), admitted(40)],
      are: [{ hop: "ordered", seconds: 2 }]
    },
    {
      what: "a launch",
      event: started(5),
      before: [requested(0), ready(2)],
      are: [{ hop: "launched", seconds: 3 }]
    },
    {
      what: "the start of the containers, by ECS's times",
      event: running,
      before: [requested(0), ready(2), started(5)],
      are: [{ hop: "started", seconds: 6 }]
    },
    {
      what: "the end",
      event: stopped(110, { times }),
      before: [requested(0), ready(2), started(5), running],
      are: [
        { hop: "ran", seconds: 89 },
        { hop: "finished", seconds: 200 }
      ]
    },
    {
      what: "the end, where nothing was told between",
      event: stopped(110, { times }),
      before: [requested(0), ready(2), started(5)],
      are: [
        { hop: "started", seconds: 6 },
        { hop: "ran", seconds: 89 },
        { hop: "finished", seconds: 200 }
      ]
    },
    { what: "the end of a run without a task", event: cancel(4), before: [requested(0)], are: [] }
  ])("$what", ({ are, before, event }) => {
    assert.deepStrictEqual(ended(event, ...before), are)
  })

  it.each<RunMessage>([ready(2), started(5), running, stopped(110, { times })])(
    "$kind that comes twice, or late, ends none",
    (event) => {
      const all = [requested(0), ready(2), started(5), running, stopped(110, { times })]
      assert.deepStrictEqual(ended(event, ...all), [])
    }
  )
})
