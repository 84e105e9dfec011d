import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { compareEvents, type StoredEvent, StreamEvents, startOf } from "./StreamEvents.ts"

const few = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 }))
const coming = Arbitrary.array(Arbitrary.schema(Schema.Struct({ timestamp: few, ingestionTime: few })))

const numbered = (events: ReadonlyArray<{ readonly timestamp: number; readonly ingestionTime: number }>) =>
  events.map((event, sequence): StoredEvent => ({ ...event, sequence, message: `m${sequence}` }))

const filled = (events: ReadonlyArray<StoredEvent>) => {
  const stream = new StreamEvents()
  for (const event of events) stream.add(event)
  return stream
}

const all = (stream: StreamEvents) => Array.from({ length: stream.length }, (_, index) => stream.at(index))

describe("StreamEvents", () => {
  it.prop("late: whatever order events come in, they are kept in the order of reading", { coming }, ({ coming }) => {
    const events = numbered(coming)
    assert.deepStrictEqual(all(filled(events)), events.toSorted(compareEvents))
  })

  it.prop("a position is found by halves as by looking at each", { coming, at: few }, ({ coming, at }) => {
    const events = numbered(coming)
    const stream = filled(events)
    for (const position of [startOf(at), ...events]) {
      const upTo = events.filter((event) => compareEvents(event, position) <= 0).length
      assert.strictEqual(stream.indexAfter(position), upTo)
    }
  })

  it.each([
    { events: 2, characters: 0, gone: { events: 2, characters: 4 } },
    { events: 1, characters: 5, gone: { events: 3, characters: 6 } },
    { events: 0, characters: 0, gone: { events: 0, characters: 0 } },
    { events: 9, characters: 0, gone: { events: 4, characters: 8 } }
  ])("forgets the first $events events and $characters characters at least", ({ events, characters, gone }) => {
    const stream = filled(numbered([1, 2, 3, 4].map((time) => ({ timestamp: time, ingestionTime: time }))))
    assert.deepStrictEqual(stream.dropFirst(events, characters), gone)
    assert.deepStrictEqual(
      all(stream).map((event) => event?.timestamp),
      [1, 2, 3, 4].slice(gone.events)
    )
  })
})
