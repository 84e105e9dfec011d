import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import {
  currentTrace,
  formatTraceparent,
  inTrace,
  parseTraceparent,
  withCurrentTrace,
  withMessageSpan
} from "./Trace.ts"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"
const header = `00-${traceId}-${spanId}-01`

describe("traceparent", () => {
  it("is read and written", () => {
    const span = Option.getOrThrow(parseTraceparent(header))
    assert.deepStrictEqual([span.traceId, span.spanId, span.sampled], [traceId, spanId, true])
    assert.strictEqual(formatTraceparent(span), header)
    assert.isFalse(Option.getOrThrow(parseTraceparent(`00-${traceId}-${spanId}-00`)).sampled)
  })

  it.each([
    undefined,
    "",
    "garbage",
    header.toUpperCase(),
    `01-${traceId}-${spanId}-01`,
    `00-${"0".repeat(32)}-${spanId}-01`
  ])("is not %s", (text) => {
    assert.isTrue(Option.isNone(parseTraceparent(text)))
  })

  it.effect("of the current span is added, a given one is kept, without a span there is none", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* withCurrentTrace({ a: "1" }), { a: "1" })
      const span = yield* Effect.makeSpan("x")
      const headers = yield* withCurrentTrace({ a: "1" }).pipe(Effect.withParentSpan(span))
      assert.deepStrictEqual(headers, { a: "1", traceparent: formatTraceparent(span) })
      const kept = yield* withCurrentTrace({ traceparent: header }).pipe(Effect.withParentSpan(span))
      assert.strictEqual(kept["traceparent"], header)
    })
  )

  it.effect("of a span that is over goes on where its trace was kept", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* currentTrace)
      const span = yield* Effect.makeSpan("x")
      const kept = yield* currentTrace.pipe(Effect.withParentSpan(span))
      const headers = yield* withCurrentTrace().pipe(inTrace(kept))
      assert.deepStrictEqual(headers, { traceparent: formatTraceparent(span) })
      assert.deepStrictEqual(yield* withCurrentTrace().pipe(inTrace(undefined)), {})
    })
  )

  it.effect("without it the message's span is a root, whatever span is current", () =>
    Effect.gen(function* () {
      const m = { stream: "S", subject: "a", seq: 1, time: 0, data: new Uint8Array(), headers: {} }
      const span = yield* Effect.currentSpan.pipe(withMessageSpan("handle", m), Effect.withSpan("loop"))
      assert.isTrue(Option.isNone(span.parent))
      assert.strictEqual(span.attributes.get("messaging.message.id"), "S:1")
    })
  )
})
