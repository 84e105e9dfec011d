import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { type LogBatch, LogEnd, type LogMessage, NOTICE_CONTAINER } from "#ecs-core/LogLine.ts"
import { aLine, aPosition, aTaskStarted, millis } from "#test/support/builders.ts"
import { at } from "#test/support/messages.ts"
import { type Piece, pieceOf } from "./batches.ts"
import {
  afterRefusal,
  bytesLeftOf,
  COUNT_SECONDS,
  drainState,
  endOf,
  endRetryMillis,
  lastWords,
  mergePositions,
  needsPositions,
  neverStarted,
  noticesOf,
  positionAfter,
  positionsOf,
  withinLimit,
  withTail
} from "./decide.ts"

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
    {
      what: "somebody else has left more lines out",
      last: batch(aPosition({ lines: 5, leftOut: 1 })),
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
    const silence = { drainingSince: millis(0), quietSince: millis(quietSince), quietPolls }
    assert.strictEqual(drainState(silence, rule, millis(now)), state)
  })
})

const textsOf = (pieces: ReadonlyArray<Piece>): ReadonlyArray<string> => pieces.map(({ json }) => JSON.parse(json).text)

describe("noticesOf", () => {
  it("say why there will be no lines: of the orchestration container first, then of the others", () => {
    const logs = { sources: [], notice: "There is no output to show.", notices: ["Nor of the proxy."] }
    const notices = noticesOf(aTaskStarted({ logs }))
    assert.deepStrictEqual(textsOf(notices), ["There is no output to show.", "Nor of the proxy."])
    const [first] = notices
    assert(first !== undefined)
    assert.deepStrictEqual(JSON.parse(first.json), { time: at(0), container: NOTICE_CONTAINER, text: logs.notice })
    assert.deepStrictEqual(noticesOf(aTaskStarted({ logs: { sources: [] } })), [])
  })
})

describe("the limit of one run", () => {
  const three = ["one", "two", "three"].map((text) => pieceOf(aLine(text)))
  const size = (pieces: ReadonlyArray<Piece>) => pieces.reduce((sum, { bytes }) => sum + bytes, 0)

  it.each([
    { what: "all fit, to the last byte", bytesLeft: size(three), published: 3, leftOut: 0 },
    { what: "a byte too little", bytesLeft: size(three) - 1, published: 2, leftOut: 1 },
    { what: "nothing fits any more", bytesLeft: 0, published: 0, leftOut: 3 }
  ])("$what", ({ bytesLeft, leftOut, published }) => {
    const result = withinLimit(three, bytesLeft)
    assert.deepStrictEqual([result.published.length, result.leftOut], [published, leftOut])
  })

  it("of a long line its beginning counts, not its pieces", () => {
    const pieces = [1, 2, 3].map((part) => pieceOf(aLine("x", { part })))
    assert.strictEqual(withinLimit(pieces, 0).leftOut, 1)
  })

  it("counts all attempts and containers, and lets nothing through behind what was left out", () => {
    const two = [aPosition({ bytes: 10 }), aPosition({ attempt: 2, bytes: 20 })]
    assert.strictEqual(bytesLeftOf(two, 100), 70)
    assert.strictEqual(bytesLeftOf([...two, aPosition({ container: "sidecar", leftOut: 1 })], 100), 0)
  })

  it("positions go on counting; at the end one line says how many are missing, and of which container", () => {
    const before = aPosition({ lines: 1, bytes: 5 })
    const after = positionAfter(before, three, { time: millis(9), leftOut: 2 })
    assert.deepStrictEqual(after, { ...before, time: millis(9), lines: 4, bytes: 5 + size(three), leftOut: 2 })
    const words = lastWords([after, aPosition({ container: "sidecar" })], { runBytesMax: 9, unreadable: undefined }, 0)
    assert.deepStrictEqual(textsOf(words), [
      '2 lines of container "main" are not shown: a run keeps 9 bytes of output.'
    ])
  })

  it("what could not be read is said as well", () => {
    assert.deepStrictEqual(textsOf(lastWords([aPosition()], { runBytesMax: 9, unreadable: "access denied" }, 0)), [
      "The output could not be read to its end: access denied"
    ])
  })

  it.each([
    { what: "lines are being left out", sinceSeconds: COUNT_SECONDS, isCounting: true, expected: true },
    { what: "a moment earlier", sinceSeconds: COUNT_SECONDS - 1, isCounting: true, expected: false },
    { what: "half of the stream's age has passed", sinceSeconds: 500, isCounting: false, expected: true },
    { what: "a moment earlier", sinceSeconds: 499, isCounting: false, expected: false }
  ])("positions are stored without a line: $what", ({ expected, isCounting, sinceSeconds }) => {
    assert.strictEqual(needsPositions(sinceSeconds * 1000, isCounting, { logsAgeSeconds: 1000 }), expected)
  })
})

describe("neverStarted", () => {
  const containers = [{ name: "main" }, { name: "init", exitCode: 0 }]
  it.each([
    { container: "main", reachedRunning: undefined, expected: true },
    { container: "init", reachedRunning: undefined, expected: false },
    { container: "unknown", reachedRunning: undefined, expected: true },
    { container: "main", reachedRunning: true as const, expected: false }
  ])("$container, RUNNING seen $reachedRunning: $expected", ({ container, expected, reachedRunning }) => {
    const stopped = { containers, ...(reachedRunning === undefined ? {} : { reachedRunning }) }
    assert.strictEqual(neverStarted(stopped, container), expected)
  })
})

describe("endRetryMillis", () => {
  it.each([
    [1, 200],
    [2, 300],
    [7, 2000],
    [1_000_000, 2000]
  ])("delivery %d: %d ms", (deliveries, millis) => {
    assert.strictEqual(endRetryMillis(deliveries), millis)
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
    {
      what: "lines were left out",
      positions: [aPosition({ lines: 2, leftOut: 1, drained: "complete" })],
      attempts: [1],
      end: { lines: 2, complete: false }
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
    const marker = endOf(positions, attempts, { outcome: "failed", exitCode: 3 })
    const how = { outcome: "failed" as const, exitCode: 3 }
    assert.deepStrictEqual(marker, end === undefined ? undefined : { end: { ...end, containers: positions, ...how } })
    if (marker !== undefined) assert.isTrue(Schema.is(LogEnd)(marker))
  })

  it("carries why a run failed and its last lines, so that it says all on its own", () => {
    const error = { code: "ProgramFailed" as const, message: "exit code 3", advice: "Look at the lines." }
    const marker = endOf([complete], [1], { outcome: "failed", exitCode: 3, error })
    assert(marker !== undefined)
    const whole = withTail(marker, [aLine("last words")])
    assert.isTrue(Schema.is(LogEnd)(whole))
    assert.deepInclude(whole.end, { outcome: "failed", exitCode: 3, error, tail: [aLine("last words")] })
    assert.deepStrictEqual(withTail(marker, []), marker)
  })
})
