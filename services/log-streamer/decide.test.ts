import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { BATCH_BYTES_MAX, BATCH_LINES_MAX, LINE_BYTES_MAX, lineId } from "#ecs-core/LogLine.ts"
import { aLine, anEvent, aPosition, aTaskStarted, millis } from "#test/support/builders.ts"
import { at } from "#test/support/messages.ts"
import { inBatches, logStreamOf, piecesOf, type Reading, resume, takeNew } from "./decide.ts"

const LATE = 30_000
const started = aTaskStarted()

const fresh = (): Reading => {
  const [reading] = resume(started, [], [], LATE)
  assert(reading !== undefined)
  return reading
}

/** A round that began so many milliseconds after nine. */
const round = (startedAt: number, complete = true) => ({ startedAt: millis(0) + startedAt, complete, lateMillis: LATE })

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
      aLine("newest", { time: at(40) }),
      aLine("of a sidecar", { time: at(40), container: "sidecar" })
    ]
    const [reading] = resume(started, [aPosition({ time: millis(40), lines: 3 })], published, LATE)
    assert(reading !== undefined)
    assert.strictEqual(reading.from, millis(10))
    assert.strictEqual(reading.position.lines, 3)
    assert.deepStrictEqual([...reading.known.keys()], [lineId("just in"), lineId("newest")])
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

describe("takeNew", () => {
  it("takes lines in CloudWatch's order, also within one millisecond (peers 107)", () => {
    const { lines, reading } = takeNew(fresh(), [anEvent("a", 5), anEvent("b", 5), anEvent("c", 7)], round(1000))
    assert.deepStrictEqual(
      lines.map(({ text }) => text),
      ["a", "b", "c"]
    )
    assert.deepStrictEqual(lines[0], {
      time: "2026-03-01T09:00:00.005Z",
      container: "main",
      text: "a",
      id: lineId(anEvent("a", 5).eventId)
    })
    assert.deepStrictEqual(reading.position, aPosition({ time: millis(0) + 7, lines: 3 }))
  })

  it("twice: a line that was read before, or comes twice in one round, is not taken again", () => {
    const first = takeNew(fresh(), [anEvent("a", 1), anEvent("a", 1)], round(1000))
    assert.strictEqual(first.lines.length, 1)
    const second = takeNew(first.reading, [anEvent("a", 1), anEvent("b", 2)], round(2000))
    assert.deepStrictEqual(
      second.lines.map(({ text }) => text),
      ["b"]
    )
    assert.strictEqual(second.reading.position.lines, 2)
  })

  it("late: a line older than the newest is taken and says so; one of the same millisecond is not late", () => {
    const first = takeNew(fresh(), [anEvent("new", 500)], round(1000))
    const { lines, reading } = takeNew(first.reading, [anEvent("old", 499), anEvent("same", 500)], round(2000))
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
    const first = takeNew(fresh(), [anEvent("old", 0)], round(0))
    const later = takeNew(first.reading, [], round(LATE + 1))
    assert.strictEqual(later.reading.from, millis(0) + 1)
    assert.strictEqual(later.reading.known.size, 0)
    assert.deepStrictEqual(
      takeNew(later.reading, [anEvent("old", 0), anEvent("edge", 1)], round(LATE + 2)).lines.length,
      1
    )
  })

  it("a complete round moves the range on, an incomplete one only as far as its lines", () => {
    const events = [anEvent("a", 50_000)]
    assert.strictEqual(takeNew(fresh(), events, round(90_000)).reading.from, millis(60))
    assert.strictEqual(takeNew(fresh(), events, round(90_000, false)).reading.from, millis(20))
    assert.strictEqual(takeNew(fresh(), [], round(90_000, false)).reading.from, millis(-60))
  })

  it("the range never moves back", () => {
    const ahead = takeNew(fresh(), [], round(90_000)).reading
    assert.strictEqual(takeNew(ahead, [], round(80_000)).reading.from, millis(60))
  })

  it("keeps the ids that the next round will see again, and no others", () => {
    const { reading } = takeNew(fresh(), [anEvent("a", 0), anEvent("b", 60_000)], round(80_000))
    assert.deepStrictEqual([...reading.known.values()], [millis(60)])
  })

  it("a long line comes in numbered pieces with one id", () => {
    const { lines, reading } = takeNew(fresh(), [anEvent("x".repeat(LINE_BYTES_MAX), 0)], round(1000))
    assert.deepStrictEqual(
      lines.map(({ id, last, part }) => [part, last, id === lines[0]?.id]),
      [
        [1, undefined, true],
        [2, true, true]
      ]
    )
    assert.strictEqual(reading.position.lines, 2)
  })

  it("crash between the pieces of a long line: the successor goes on with the next piece", () => {
    const event = anEvent("x".repeat(3 * LINE_BYTES_MAX), 0)
    const { lines } = takeNew(fresh(), [event], round(1000))
    const published = lines.slice(0, 2)
    const [successor] = resume(started, [aPosition({ time: millis(0), lines: 2 })], published, LATE)
    assert(successor !== undefined)
    const rest = takeNew(successor, [event], round(2000))
    const piecesOfAll = [...published, ...rest.lines].map(({ last, part, text }) => [part, last, text.length])
    assert.deepStrictEqual(
      piecesOfAll,
      lines.map(({ last, part, text }) => [part, last, text.length])
    )
    assert.strictEqual([...published, ...rest.lines].map(({ text }) => text).join(""), event.message)
    assert.strictEqual(rest.reading.position.lines, lines.length)
    assert.deepStrictEqual(takeNew(rest.reading, [event], round(3000)).lines, [])
  })
})

const sizeOf = (text: string) => Buffer.byteLength(JSON.stringify(text))

describe("piecesOf", () => {
  it.each([
    { what: "as long as allowed", text: "x".repeat(10), bytesMax: 12, pieces: 1 },
    { what: "a byte too long", text: "x".repeat(11), bytesMax: 12, pieces: 2 },
    { what: "nothing", text: "", bytesMax: 12, pieces: 1 },
    { what: "control characters, six bytes each in JSON", text: "\u0001\u0001", bytesMax: 13, pieces: 2 },
    { what: "characters outside the basic plane", text: "😀😀😀", bytesMax: 10, pieces: 2 }
  ])("$what", ({ bytesMax, pieces, text }) => {
    assert.strictEqual(piecesOf(text, bytesMax).length, pieces)
  })

  const bytesMax = Schema.Int.check(Schema.isBetween({ minimum: 8, maximum: 40 }))
  it.prop(
    "joined they are the text, none is too long as JSON, none empty, no character is cut",
    [Schema.String, bytesMax],
    ([text, bytesMax]) => {
      const pieces = piecesOf(text, bytesMax)
      assert.strictEqual(pieces.join(""), text)
      assert.isTrue(pieces.every((piece) => sizeOf(piece) <= bytesMax))
      assert.isTrue(pieces.length === 1 || pieces.every((piece) => piece !== ""))
      assert.deepStrictEqual(
        pieces.flatMap((piece) => [...piece]),
        [...text]
      )
    }
  )
})

describe("inBatches", () => {
  const bytesOf = (lines: ReadonlyArray<unknown>) =>
    lines.reduce<number>((sum, line) => sum + Buffer.byteLength(JSON.stringify(line)) + 1, 0)
  /** A line that takes so many bytes of a batch. */
  const lineOf = (bytes: number) => aLine("x".repeat(bytes - bytesOf([aLine("")])), { id: lineId("") })

  it.each([
    { lines: 0, sizes: [] },
    { lines: 1, sizes: [1] },
    { lines: BATCH_LINES_MAX, sizes: [BATCH_LINES_MAX] },
    { lines: BATCH_LINES_MAX + 1, sizes: [BATCH_LINES_MAX, 1] }
  ])("$lines short lines in batches of $sizes", ({ lines, sizes }) => {
    const batches = inBatches(Array.from({ length: lines }, (_, n) => aLine(`line ${n}`)))
    assert.deepStrictEqual(
      batches.map(({ length }) => length),
      sizes
    )
  })

  it("a batch may be as large as allowed and not a byte larger", () => {
    const half = BATCH_BYTES_MAX / 2
    assert.strictEqual(bytesOf([lineOf(half), lineOf(half)]), BATCH_BYTES_MAX)
    assert.strictEqual(inBatches([lineOf(half), lineOf(half)]).length, 1)
    assert.strictEqual(inBatches([lineOf(half), lineOf(half + 1)]).length, 2)
  })

  it("the longest piece of a line fits", () => {
    assert.isBelow(bytesOf([{ ...aLine("x".repeat(LINE_BYTES_MAX - 2)), part: 1000, last: true }]), BATCH_BYTES_MAX)
  })

  const sizes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 200, maximum: 48_000 })))
  it.prop(
    "nothing is lost, the order stays, every batch is within its limits and none is empty",
    [sizes],
    ([sizes]) => {
      const lines = sizes.map((bytes, n) => ({ ...lineOf(bytes), part: n }))
      const batches = inBatches(lines)
      assert.deepStrictEqual(batches.flat(), lines)
      assert.isTrue(batches.every((batch) => batch.length > 0 && batch.length <= BATCH_LINES_MAX))
      assert.isTrue(batches.every((batch) => bytesOf(batch) <= BATCH_BYTES_MAX))
    }
  )
})
