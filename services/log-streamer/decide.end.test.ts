import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { LogBatch, LogEnd, type LogMessage, NOTICE_CONTAINER } from "#ecs-core/LogLine.ts"
import { aPosition, aTaskStarted, millis } from "#test/support/builders.ts"
import { at } from "#test/support/messages.ts"
import { afterRefusal, drainState, endOf, mergePositions, noticeBatch, positionsOf } from "./decide.ts"

const other = aPosition({ attempt: 2, lines: 9 })
const batch = (...positions: LogBatch["positions"]): LogMessage => ({ attempt: 1, lines: [], positions })
const endMarker: LogMessage = { end: { lines: 3, containers: [aPosition({ lines: 3 })], complete: true } }

describe("positions", () => {
  it("mine take their place, those of other attempts and containers stay", () => {
    const sidecar = aPosition({ container: "sidecar", lines: 1 })
    const merged = mergePositions([aPosition({ lines: 1 }), other, sidecar], [aPosition({ lines: 5 })])
    assert.sameDeepMembers([...merged], [other, sidecar, aPosition({ lines: 5 })])
    assert.deepStrictEqual(mergePositions([], [other]), [other])
  })

  it("the last message says them all, batch or end", () => {
    assert.deepStrictEqual(positionsOf(undefined), [])
    assert.deepStrictEqual(positionsOf(batch(other)), [other])
    assert.deepStrictEqual(positionsOf(endMarker), [aPosition({ lines: 3 })])
  })
})

describe("afterRefusal", () => {
  const mine = [aPosition({ lines: 5 })]
  it.each([
    { what: "another attempt wrote in between", last: batch(aPosition({ lines: 5 }), other), zombie: false },
    { what: "another attempt wrote, mine is not there yet", last: batch(other), zombie: false },
    { what: "a predecessor's older position", last: batch(aPosition({ lines: 4 })), zombie: false },
    { what: "nothing is there any more", last: undefined, zombie: false },
    { what: "somebody else is further on with this attempt", last: batch(aPosition({ lines: 6 })), zombie: true },
    {
      what: "somebody else has drained this attempt",
      last: batch(aPosition({ lines: 5, drained: "complete" as const })),
      zombie: true
    },
    { what: "the run has its end marker", last: endMarker, zombie: true }
  ])("$what", ({ last, zombie }) => {
    const positions = positionsOf(last)
    assert.deepStrictEqual(afterRefusal(last, mine), zombie ? { _tag: "Zombie" } : { _tag: "Rebase", positions })
  })
})

describe("drainState", () => {
  const rule = { drainQuietSeconds: 5, drainQuietPolls: 3, drainMaxSeconds: 60 }
  it.each([
    { what: "quiet long enough and often enough", quietSince: 10, quietPolls: 3, now: 15, state: "complete" },
    { what: "a moment too short", quietSince: 10, quietPolls: 9, now: 14.999, state: undefined },
    { what: "a round too few", quietSince: 10, quietPolls: 2, now: 59, state: undefined },
    { what: "lines up to the limit", quietSince: 59.999, quietPolls: 0, now: 59.999, state: undefined },
    { what: "lines beyond the limit", quietSince: 60, quietPolls: 0, now: 60, state: "cut" },
    { what: "never heard: reading failed all the time", quietSince: 60, quietPolls: 0, now: 61, state: "cut" },
    { what: "quiet at last, at the limit", quietSince: 55, quietPolls: 3, now: 60, state: "complete" }
  ])("$what: $state (peers 110)", ({ now, quietPolls, quietSince, state }) => {
    const silence = { endedAt: millis(0), quietSince: millis(quietSince), quietPolls }
    assert.strictEqual(drainState(silence, rule, millis(now)), state)
  })
})

describe("noticeBatch", () => {
  it("an attempt without output says why and is drained at once", () => {
    const notice = "There is no output to show: streamOutput is false."
    const { position, ...batch } = noticeBatch(aTaskStarted({ logs: { sources: [], notice } }))
    assert.isTrue(Schema.is(LogBatch)({ ...batch, positions: [position] }))
    assert.deepStrictEqual(batch, { attempt: 1, lines: [{ time: at(0), container: NOTICE_CONTAINER, text: notice }] })
    assert.deepStrictEqual(position, {
      attempt: 1,
      container: NOTICE_CONTAINER,
      time: millis(0),
      lines: 1,
      drained: "complete"
    })
  })

  it("without a notice it has a position all the same: the end waits for one", () => {
    const { lines, position } = noticeBatch(aTaskStarted({ logs: { sources: [] } }))
    assert.deepStrictEqual(lines, [])
    assert.deepInclude(position, { lines: 0, drained: "complete" })
  })
})

describe("endOf", () => {
  const complete = aPosition({ lines: 2, drained: "complete" })
  const cut = aPosition({ attempt: 2, lines: 3, drained: "cut" })
  it.each([
    { what: "no task was ever started", positions: [], attempts: [], end: { lines: 0, complete: true } },
    { what: "all is read", positions: [complete], attempts: [1], end: { lines: 2, complete: true } },
    {
      what: "an attempt was cut off",
      positions: [complete, cut],
      attempts: [1, 2],
      end: { lines: 5, complete: false }
    },
    { what: "attempt 1 was rejected", positions: [cut], attempts: [2], end: { lines: 3, complete: false } },
    { what: "early: nothing was read yet", positions: [], attempts: [1], end: undefined },
    { what: "early: a later attempt is not read", positions: [complete], attempts: [1, 2], end: undefined },
    {
      what: "early: a container is not drained",
      positions: [complete, aPosition({ container: "sidecar" })],
      attempts: [1],
      end: undefined
    }
  ])("$what", ({ attempts, end, positions }) => {
    const marker = endOf(positions, attempts)
    assert.deepStrictEqual(marker, end === undefined ? undefined : { end: { ...end, containers: positions } })
    if (marker !== undefined) assert.isTrue(Schema.is(LogEnd)(marker))
  })
})
