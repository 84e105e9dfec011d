import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { inOrder } from "./inOrder.ts"

interface Item {
  readonly from: number
  readonly at: number
}

/** Each stream as arrays of times, as they come at once. */
const streamOf = (from: number, arrays: ReadonlyArray<ReadonlyArray<number>>) =>
  Stream.fromIterable(arrays).pipe(Stream.flatMap((times) => Stream.fromArray(times.map((at): Item => ({ from, at })))))

const ordered = (streams: ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>>) =>
  Stream.runCollect(
    inOrder(
      streams.map((arrays, from) => streamOf(from, arrays)),
      ({ at }) => at
    )
  )

describe("inOrder", () => {
  it.effect.each([
    { what: "no stream", streams: [], times: [] },
    { what: "one stream", streams: [[[1, 2], [3]]], times: [1, 2, 3] },
    { what: "two streams", streams: [[[1, 4], [5]], [[2, 3, 6]]], times: [1, 2, 3, 4, 5, 6] },
    { what: "an empty one among others", streams: [[[1]], [], [[0]]], times: [0, 1] },
    {
      what: "late items, which keep their place in their own stream",
      streams: [[[5, 1, 6]], [[2, 7]]],
      times: [2, 5, 1, 6, 7]
    }
  ])("gives $what in the order of time", ({ streams, times }) =>
    Effect.map(ordered(streams), (items) =>
      assert.deepStrictEqual(
        items.map(({ at }) => at),
        times
      )
    )
  )

  const arrays = Schema.Array(Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))))

  it.effect.prop("loses nothing, and keeps the order of each stream", [Schema.Array(arrays)], ([streams]) =>
    Effect.map(ordered(streams), (items) => {
      for (const [from, own] of streams.entries()) {
        const given = items.filter((item) => item.from === from).map(({ at }) => at)
        assert.deepStrictEqual(given, own.flat())
      }
      assert.lengthOf(items, streams.flat(2).length)
    })
  )

  it.effect.prop("is sorted where each stream is", [Schema.Array(arrays)], ([streams]) => {
    const sorted = streams.map((own) => {
      const times = own.flat().toSorted((a, b) => a - b)
      return [times.slice(0, 2), times.slice(2)]
    })
    return Effect.map(ordered(sorted), (items) => {
      const times = items.map(({ at }) => at)
      assert.deepStrictEqual(
        times,
        times.toSorted((a, b) => a - b)
      )
    })
  })

  it.effect("fails when one of the streams does", () =>
    Effect.gen(function* () {
      const broken = Stream.concat(streamOf(0, [[1]]), Stream.fail("broken"))
      const error = yield* Effect.flip(Stream.runDrain(inOrder([broken, streamOf(1, [[2]])], ({ at }) => at)))
      assert.strictEqual(error, "broken")
    })
  )
})
