import { assert, describe, it } from "@effect/vitest"
import { LINE_BYTES_MAX, lineId } from "#ecs-core/LogLine.ts"
import { aLine, anEvent, aPosition, aTaskStarted, millis } from "#test/support/builders.ts"
import { at } from "#test/support/messages.ts"
import { positionAfter } from "./decide.ts"
import {
  accept,
  bound,
  DEEP_LOOK_SECONDS,
  isDeepDue,
  KNOWN_MAX,
  type LogEvent,
  type Look,
  logStreamOf,
  type Reading,
  resume,
  settle,
  startOf,
  type Taken,
  take
} from "./reading.ts"

const LATE = 30_000
const started = aTaskStarted()

const fresh = (): Reading => {
  const [reading] = resume(started, [], [], LATE)
  assert(reading !== undefined)
  return reading
}

/** A look that began so many milliseconds after nine. */
const lookAt = (startedAt: number, change: Partial<Look> = {}): Look => ({
  startedAt: millis(0) + startedAt,
  isDeep: true,
  isCut: change.reached !== undefined,
  reached: undefined,
  ...change
})

/** Takes and publishes. */
const read = (reading: Reading, events: ReadonlyArray<LogEvent>, look: Look): Taken => {
  const taken = take(reading, events, look)
  accept(reading, taken, positionAfter(reading.position, taken.pieces, { time: taken.time, leftOut: 0 }))
  if (look.isDeep && !look.isCut) settle(reading, look, LATE)
  return taken
}

const linesOf = ({ pieces }: Taken) => pieces.map(({ json }) => JSON.parse(json))
const textsOf = (taken: Taken): ReadonlyArray<string> => linesOf(taken).map(({ text }) => text)

describe("resume", () => {
  it("a new attempt begins a minute before RunTask answered: clocks differ", () => {
    assert.deepInclude(fresh(), {
      logStream: "fleet_default/main/0123456789abcdef0123456789abcdef",
      position: aPosition(),
      from: millis(-60)
    })
    assert.strictEqual(fresh().known.size, 0)
  })

  it("crash: the successor reads the last seconds again and knows their lines", () => {
    const published = [
      aLine("long ago", { time: at(9) }),
      aLine("just in", { time: at(10) }),
      aLine("newest", { time: at(50) }),
      aLine("of a sidecar", { time: at(50), container: "sidecar" })
    ]
    const [reading] = resume(started, [aPosition({ time: millis(50), lines: 3 })], published, LATE)
    assert(reading !== undefined)
    assert.strictEqual(reading.from, millis(10))
    assert.strictEqual(reading.position.lines, 3)
    assert.deepStrictEqual([...reading.known.keys()], [lineId("just in"), lineId("newest")])
  })

  it("lines that were left out are not read again, since nobody could know that they were counted", () => {
    const [reading] = resume(started, [aPosition({ time: millis(50), lines: 3, leftOut: 9 })], [], LATE)
    assert.strictEqual(reading?.from, millis(50) + 1)
  })

  it("positions of other attempts and containers are not its own", () => {
    const others = [
      aPosition({ attempt: 2, time: 1, lines: 1 }),
      aPosition({ container: "sidecar", time: 1, lines: 1 })
    ]
    assert.deepStrictEqual(resume(started, others, [], LATE)[0]?.position, aPosition())
  })

  it("names the stream as the awslogs driver does, of old and new ARNs (peers 105)", () => {
    const source = { container: "main", logGroup: "g", logStreamPrefix: "p/q", region: "r" }
    assert.strictEqual(logStreamOf(source, "arn:aws:ecs:r:1:task/c/abc"), "p/q/main/abc")
    assert.strictEqual(logStreamOf(source, "arn:aws:ecs:r:1:task/abc"), "p/q/main/abc")
  })

  it.each(["aws", "aws-cn", "aws-us-gov"])(
    "reads the task's id in partition %s too (peers 127, scenario 97)",
    (partition) => {
      const source = { container: "main", logGroup: "g", logStreamPrefix: "p", region: "r" }
      assert.strictEqual(logStreamOf(source, `arn:${partition}:ecs:r:1:task/c/abc`), "p/main/abc")
    }
  )
})

describe("take", () => {
  it("takes lines in CloudWatch's order, also within one millisecond (peers 107)", () => {
    const reading = fresh()
    const taken = read(reading, [anEvent("a", 5), anEvent("b", 5), anEvent("c", 7)], lookAt(1000))
    assert.deepStrictEqual(textsOf(taken), ["a", "b", "c"])
    assert.deepStrictEqual(linesOf(taken)[0], {
      time: "2026-03-01T09:00:00.005Z",
      container: "main",
      text: "a",
      id: lineId(anEvent("a", 5).eventId)
    })
    assert.deepInclude(reading.position, { time: millis(0) + 7, lines: 3 })
  })

  it("nothing is taken for good before it is accepted: a publish that failed is repeated", () => {
    const reading = fresh()
    assert.deepStrictEqual(textsOf(take(reading, [anEvent("a")], lookAt(0))), ["a"])
    assert.deepStrictEqual(textsOf(read(reading, [anEvent("a")], lookAt(1000))), ["a"])
    assert.deepStrictEqual(textsOf(read(reading, [anEvent("a")], lookAt(2000))), [])
  })

  it("twice: a line that was read before, or comes twice in one answer, is not taken again", () => {
    const reading = fresh()
    assert.deepStrictEqual(textsOf(read(reading, [anEvent("a", 1), anEvent("a", 1)], lookAt(1000))), ["a"])
    assert.deepStrictEqual(textsOf(read(reading, [anEvent("a", 1), anEvent("b", 2)], lookAt(2000))), ["b"])
    assert.strictEqual(reading.position.lines, 2)
  })

  it("two lines whose ids happen to have the same hash are two lines, if their times differ", () => {
    const [one, other] = [anEvent("one", 1), { ...anEvent("other", 2), eventId: anEvent("one", 1).eventId }]
    assert.deepStrictEqual(textsOf(read(fresh(), [one, other], lookAt(0))), ["one", "other"])
  })

  it("late: a line older than the newest is taken and says so; one of the same millisecond is not late", () => {
    const reading = fresh()
    read(reading, [anEvent("new", 500)], lookAt(1000))
    const lines = linesOf(read(reading, [anEvent("old", 499), anEvent("same", 500)], lookAt(2000)))
    assert.deepStrictEqual(
      lines.map(({ late, text }) => [text, late]),
      [
        ["old", true],
        ["same", undefined]
      ]
    )
    assert.strictEqual(reading.position.time, millis(0) + 500)
  })

  it("twice: lines before its own range, read for another stream of the call, are none of its business", () => {
    const reading = fresh()
    read(reading, [anEvent("old", 0)], lookAt(0))
    read(reading, [], lookAt(LATE + 1))
    assert.strictEqual(reading.from, millis(0) + 1)
    assert.strictEqual(reading.known.size, 0)
    assert.deepStrictEqual(textsOf(read(reading, [anEvent("old", 0), anEvent("edge", 1)], lookAt(LATE + 2))), ["edge"])
  })

  it("crash between the pieces of a long line: the successor goes on with the next piece", () => {
    const event = anEvent("x".repeat(3 * LINE_BYTES_MAX), 0)
    const all = take(fresh(), [event], lookAt(1000))
    const published = linesOf(all).slice(0, 2)
    const [successor] = resume(started, [aPosition({ time: millis(0), lines: 2 })], published, LATE)
    assert(successor !== undefined)
    const rest = linesOf(read(successor, [event], lookAt(2000)))
    assert.deepStrictEqual([...published, ...rest], linesOf(all))
    assert.strictEqual([...published, ...rest].map(({ text }) => text).join(""), event.message)
    assert.deepStrictEqual(textsOf(read(successor, [event], lookAt(3000))), [])
  })
})

describe("where looks begin", () => {
  it("most begin at the youngest line, deep ones as far back as lines may come late", () => {
    const reading = fresh()
    read(reading, [anEvent("a", 50_000)], lookAt(90_000))
    assert.deepStrictEqual([startOf(reading, false), startOf(reading, true)], [millis(60), millis(60)])
    read(reading, [anEvent("b", 88_000)], lookAt(91_000, { isDeep: false }))
    assert.deepStrictEqual([startOf(reading, false), startOf(reading, true)], [millis(88), millis(60)])
  })

  it("a look that was cut has read every stream to the last line that it saw of any", () => {
    const reading = fresh()
    read(reading, [anEvent("a", 10_000)], lookAt(90_000, { reached: millis(20) }))
    assert.deepStrictEqual([startOf(reading, false), startOf(reading, true)], [millis(20), millis(-60)])
  })

  it("a look that was cut somewhere among its streams has read each to its own youngest line", () => {
    const reading = fresh()
    read(reading, [anEvent("a", 10_000)], lookAt(90_000, { isCut: true }))
    assert.deepStrictEqual([startOf(reading, false), startOf(reading, true)], [millis(10), millis(-60)])
  })

  it("they never move back", () => {
    const reading = fresh()
    read(reading, [], lookAt(90_000))
    read(reading, [], lookAt(80_000))
    read(reading, [], lookAt(95_000, { isDeep: false, reached: millis(50) }))
    assert.deepStrictEqual([startOf(reading, false), startOf(reading, true)], [millis(60), millis(60)])
  })

  it("the ids that a deep look will see again are kept, and no others", () => {
    const reading = fresh()
    read(reading, [anEvent("a", 0), anEvent("b", 60_000)], lookAt(80_000))
    assert.deepStrictEqual([...reading.known.values()], [millis(60)])
  })

  it(`a deep one is due every ${DEEP_LOOK_SECONDS} s, and always once the task is over`, () => {
    const reading = fresh()
    assert.isTrue(isDeepDue(reading, false, millis(0)))
    read(reading, [], lookAt(0))
    assert.isFalse(isDeepDue(reading, false, millis(DEEP_LOOK_SECONDS) - 1))
    assert.isTrue(isDeepDue(reading, false, millis(DEEP_LOOK_SECONDS)))
    assert.isTrue(isDeepDue(reading, true, millis(1)))
  })

  it.each([
    { ids: 10, kept: 10, from: millis(-60) },
    { ids: 11, kept: 6, from: millis(0) + 5 }
  ])("$ids ids where 10 are remembered: $kept are kept", ({ from, ids, kept }) => {
    const reading = fresh()
    const events = Array.from({ length: ids }, (_, n) => anEvent(`line ${n}`, n))
    read(reading, events, lookAt(0, { reached: millis(1) }))
    bound(reading, 10)
    assert.deepStrictEqual([reading.known.size, reading.from], [kept, from])
    assert.isAbove(KNOWN_MAX, 10_000, "a page of AWS")
  })
})
