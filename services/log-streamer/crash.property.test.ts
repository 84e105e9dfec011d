import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { chanceFrom } from "#aws/model/chance.ts"
import { LINE_BYTES_MAX, type LogLine, lineId } from "#ecs-core/LogLine.ts"
import { aPosition, aTaskStarted, millis } from "#test/support/builders.ts"
import { inBatches } from "./batches.ts"
import { positionAfter } from "./decide.ts"
import { accept, isDeepDue, type LogEvent, resume, settle, startOf, take } from "./reading.ts"

const LATE = 30_000

type Random = () => number

/** An event and when CloudWatch begins to show it, never later than the time that readers look back. */
interface Written extends LogEvent {
  readonly visibleAt: number
}

const writeLines = (random: Random): ReadonlyArray<Written> => {
  let timestamp = millis(0)
  return Array.from({ length: 1 + Math.floor(random() * 25) }, (_, n) => {
    if (random() < 0.6) timestamp += Math.floor(random() * 8000)
    const isLong = random() < 0.1
    const message = `line ${n} ${isLong ? "x".repeat(LINE_BYTES_MAX * (1 + Math.floor(random() * 3))) : ""}`
    const delay = random() < 0.3 ? Math.floor(random() * LATE) : 0
    return { timestamp, message, eventId: `event-${n}`, visibleAt: timestamp + delay }
  })
}

/** What one call brings: perhaps from too early on, perhaps cut off, perhaps an event twice. */
const readPage = (written: ReadonlyArray<Written>, startTime: number, now: number, random: Random) => {
  const from = startTime - (random() < 0.3 ? 60_000 : 0)
  const visible = written
    .filter((event) => event.visibleAt <= now && event.timestamp >= from)
    .toSorted((a, b) => a.timestamp - b.timestamp)
  const isCut = visible.length > 0 && random() < 0.3
  const page = isCut ? visible.slice(0, 1 + Math.floor(random() * visible.length)) : visible
  const again = page.filter(() => random() < 0.1)
  const events = [...page, ...again].toSorted((a, b) => a.timestamp - b.timestamp)
  return { events, cutAt: isCut ? page.at(-1)?.timestamp : undefined }
}

interface History {
  readonly written: ReadonlyArray<Written>
  readonly published: ReadonlyArray<LogLine>
}

/** Reads to the end; the reader dies between any two batches, and another one goes on from what is published. */
const readWithCrashes = (seed: number): History => {
  const random = chanceFrom(seed)
  const written = writeLines(random)
  const end = Math.max(...written.map(({ visibleAt }) => visibleAt)) + LATE
  const published: Array<LogLine> = []
  const successor = () => {
    const time = Math.max(0, ...published.map((line) => Date.parse(line.time)))
    const positions = published.length === 0 ? [] : [aPosition({ time, lines: published.length })]
    const [reading] = resume(aTaskStarted(), positions, published, LATE)
    assert(reading !== undefined)
    return reading
  }
  let reading = successor()
  const look = (now: number, random: Random, isOver: boolean) => {
    const isDeep = isDeepDue(reading, isOver, now)
    const { cutAt, events } = readPage(written, startOf(reading, isDeep), now, random)
    return take(reading, events, { startedAt: now, isDeep, isCut: cutAt !== undefined, reached: cutAt })
  }
  for (let now = millis(0); now <= end; now += Math.floor(random() * 6000)) {
    const taken = look(now, random, false)
    const batches = inBatches(taken.pieces)
    const dies = random() < 0.2
    const told = dies ? batches.slice(0, Math.floor(random() * (batches.length + 1))) : batches
    published.push(...told.flat().map(({ json }) => JSON.parse(json)))
    if (dies) reading = successor()
    else {
      accept(reading, taken, positionAfter(reading.position, taken.pieces, { time: taken.time, leftOut: 0 }))
      if (taken.look.isDeep && !taken.look.isCut) settle(reading, taken.look, LATE)
    }
  }
  published.push(...look(end, () => 0.5, true).pieces.map(({ json }) => JSON.parse(json)))
  return { written, published }
}

const seeds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 }))

describe("crash: readers that die between any two batches, cut pages, lines that come late or twice", () => {
  it.prop(
    "every line once, its pieces in order (peers 107, scenario 93)",
    [seeds],
    ([seed]) => {
      const { published, written } = readWithCrashes(seed)
      for (const { eventId, message } of written) {
        const pieces = published.filter(({ id }) => id === lineId(eventId))
        assert.strictEqual(pieces.map(({ text }) => text).join(""), message)
        assert.isTrue(pieces.length === 1 || pieces.every(({ part }, n) => part === n + 1))
      }
      assert.strictEqual(new Set(published.map(({ id }) => id)).size, written.length)
    },
    { arbitrary: { runs: 100 } }
  )

  it.prop(
    "in the order of time, but for lines that say that they are late (peers 107, scenario 93)",
    [seeds],
    ([seed]) => {
      let newest = ""
      for (const { late, time } of readWithCrashes(seed).published) {
        assert.strictEqual(late === true, time < newest)
        newest = time > newest ? time : newest
      }
    },
    { arbitrary: { runs: 100 } }
  )
})
