import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { createGroup, createStream, type LogStreamRecord, makeLogStore } from "./LogStore.ts"
import { mergedPage, pageBefore } from "./logPages.ts"
import { compareEvents, type StoredEvent, StreamEvents, startOf } from "./StreamEvents.ts"

/** Counts how many events are looked at. */
class WatchedEvents extends StreamEvents {
  looked = 0

  override at(index: number): StoredEvent | undefined {
    this.looked += 1
    return super.at(index)
  }
}

const streamOf = (name: string, events: StreamEvents): LogStreamRecord => {
  const store = makeLogStore({ maxEvents: 1, maxCharacters: 1 })
  return { ...createStream(store, createGroup(store, "g", 0), name, 0), events }
}

const all = { start: undefined, end: undefined, isWanted: () => true }

const few = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const lines = Arbitrary.array(Arbitrary.schema(Schema.Struct({ stream: few(4), timestamp: few(9) })))

describe("mergedPage", () => {
  it.prop(
    "pages over many streams are all events in order, each once",
    { lines, limit: few(7) },
    ({ lines, limit }) => {
      const streams = Array.from({ length: 5 }, (_, index) => streamOf(String(index), new StreamEvents()))
      const events = lines.map(({ stream, timestamp }, sequence) => {
        const event = { timestamp, ingestionTime: 0, sequence, message: `m${sequence}` }
        streams[stream]?.events.add(event)
        return event
      })
      const found: Array<StoredEvent> = []
      let position = startOf(0)
      while (true) {
        const page = mergedPage(streams, position, limit + 1, all)
        found.push(...page.events.map(({ event }) => event))
        position = found.at(-1) ?? position
        assert.isAtMost(page.events.length, limit + 1)
        if (!page.hasMore) break
      }
      assert.deepStrictEqual(found, events.toSorted(compareEvents))
    }
  )

  const hundredThousand = () => {
    const events = new WatchedEvents()
    for (let at = 0; at < 100_000; at++) events.add({ timestamp: at, ingestionTime: at, sequence: at, message: "x" })
    return { events, stream: streamOf("s", events) }
  }

  it.each([0, 50_000, 99_990])("looks at no more events than it gives and the next: from %i of 100,000", (from) => {
    const { events, stream } = hundredThousand()
    assert.lengthOf(mergedPage([stream], startOf(from), 10, all).events, 10)
    assert.isAtMost(events.looked, 11)
  })

  it("looks at nothing behind the end of the range", () => {
    const { events, stream } = hundredThousand()
    assert.lengthOf(mergedPage([stream], startOf(5), 10_000, { ...all, end: 10 }).events, 5)
    assert.isAtMost(events.looked, 6)
  })

  it("backward too", () => {
    const { events, stream } = hundredThousand()
    const found = pageBefore(stream, startOf(50_000), 10, all).map(({ event }) => event.timestamp)
    assert.deepStrictEqual([found[0], found.at(-1)], [49_990, 49_999])
    assert.isAtMost(events.looked, 11)
  })
})
