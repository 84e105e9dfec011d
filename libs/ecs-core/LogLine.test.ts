import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import {
  BATCH_BYTES_MAX,
  batchJson,
  isEnd,
  LINE_BYTES_MAX,
  LogBatch,
  LogCodecs,
  LogEnd,
  lineId
} from "#ecs-core/LogLine.ts"

/** What JSON leaves of a value: -0 becomes 0. */
const onTheWire = (value: object): never => JSON.parse(JSON.stringify({ v: 1, ...value })) as never

describe("logs.<runId>", () => {
  it.prop("a batch comes back as it was written", [LogBatch], ([batch]) => {
    assert.deepStrictEqual(LogCodecs.batch.decode(LogCodecs.batch.encode(batch)), Result.succeed(onTheWire(batch)))
  })

  it.prop("an end comes back as it was written", [LogEnd], ([end]) => {
    assert.deepStrictEqual(LogCodecs.end.decode(LogCodecs.end.encode(end)), Result.succeed(onTheWire(end)))
  })

  it.prop("a reader of both tells batch from end", [LogBatch, LogEnd], ([batch, end]) => {
    assert.deepStrictEqual(
      LogCodecs.message.decode(LogCodecs.batch.encode(batch)).pipe(Result.map(isEnd)),
      Result.succeed(false)
    )
    assert.deepStrictEqual(
      LogCodecs.message.decode(LogCodecs.end.encode(end)).pipe(Result.map(isEnd)),
      Result.succeed(true)
    )
  })

  it("what a later sender adds is dropped", () => {
    const decoded = LogCodecs.message.decode('{"v":1,"attempt":1,"lines":[],"positions":[],"addedLater":1}')
    assert.deepStrictEqual(decoded, Result.succeed({ v: 1, attempt: 1, lines: [], positions: [] }))
  })

  it("a later version is refused, saying which one is known", () => {
    const decoded = LogCodecs.message.decode('{"v":2,"attempt":1,"lines":[],"positions":[]}')
    assert.include(
      Result.match(decoded, { onFailure: ({ message }) => message, onSuccess: () => "it decoded" }),
      "must be 1, the only version known here"
    )
  })

  it("the longest line fits into a batch", () => {
    assert.isBelow(LINE_BYTES_MAX, BATCH_BYTES_MAX)
  })
})

describe("batchJson", () => {
  it.prop("is a batch, whatever its lines hold", [LogBatch], ([batch]) => {
    const json = batchJson(
      2,
      batch.lines.map((line) => JSON.stringify(line)),
      batch.positions
    )
    assert.deepStrictEqual(LogCodecs.message.decode(json), Result.succeed(onTheWire({ ...batch, attempt: 2 })))
    assert.deepStrictEqual(Result.isSuccess(LogCodecs.batch.decode(batchJson(1, [], []))), true)
  })
})

describe("lineId", () => {
  it.prop("is short and always the same for an event", [Schema.String], ([eventId]) => {
    assert.match(lineId(eventId), /^[0-9a-z]{1,11}$/)
    assert.strictEqual(lineId(eventId), lineId(eventId))
  })

  it("tells 100,000 events of a minute apart", () => {
    const ids = new Set(Array.from({ length: 100_000 }, (_, n) => lineId(`3791${String(n).padStart(52, "0")}`)))
    assert.strictEqual(ids.size, 100_000)
  })
})
