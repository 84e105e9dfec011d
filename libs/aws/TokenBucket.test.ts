import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import {
  fullBucket,
  type Limit,
  lowestShare,
  recoverySeconds,
  refill,
  spend,
  throttle,
  throttleWindowMillis,
  waitMillis
} from "./TokenBucket.ts"

const limit: Limit = { perSecond: 19, burst: 20 }

const millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5000 }))
const moves = Arbitrary.array(
  Arbitrary.schema(Schema.Struct({ afterMillis: millis, move: Schema.Literals(["take", "throttle", "wait"]) }))
)

/** Plays moves from time 0; takes only what may be taken. Answers the times of the takes. */
const play = (steps: ReadonlyArray<{ readonly afterMillis: number; readonly move: string }>) => {
  let bucket = fullBucket(limit, 0)
  let now = 0
  const takes: Array<number> = []
  for (const { afterMillis, move } of steps) {
    now += afterMillis
    bucket = refill(bucket, limit, now)
    if (move === "throttle") bucket = throttle(bucket, limit, now)
    if (move === "take" && waitMillis(bucket, 0) === 0) {
      bucket = spend(bucket)
      takes.push(now)
    }
  }
  return { bucket, takes, now }
}

describe("TokenBucket", () => {
  it.prop("never gives more than burst + rate × time, in any window", { steps: moves }, ({ steps }) => {
    const { takes } = play(steps)
    takes.forEach((from, first) =>
      takes.slice(first).forEach((until, count) => {
        assert.isAtMost(count + 1, limit.burst + ((until - from) / 1000) * limit.perSecond + 1e-6)
      })
    )
  })

  it.prop("keeps tokens and rate within their bounds", { steps: moves }, ({ steps }) => {
    const { bucket } = play(steps)
    assert.isAtLeast(bucket.tokens, 0)
    assert.isAtMost(bucket.tokens, limit.burst)
    assert.isAtLeast(bucket.perSecond, limit.perSecond * lowestShare)
    assert.isAtMost(bucket.perSecond, limit.perSecond + 1e-9)
  })

  it.prop(
    "one refill equals two",
    { steps: moves, a: Arbitrary.schema(millis), b: Arbitrary.schema(millis) },
    ({ steps, a, b }) => {
      const { bucket, now } = play(steps)
      const once = refill(bucket, limit, now + a + b)
      const twice = refill(refill(bucket, limit, now + a), limit, now + a + b)
      assert.approximately(once.tokens, twice.tokens, 1e-6)
      assert.approximately(once.perSecond, twice.perSecond, 1e-6)
    }
  )

  it.prop(
    "after the wait there is a token",
    { steps: moves, reserve: Arbitrary.schema(millis) },
    ({ steps, reserve }) => {
      const { bucket, now } = play(steps)
      const kept = reserve % limit.burst
      const later = refill(bucket, limit, now + waitMillis(bucket, kept))
      assert.strictEqual(waitMillis(later, kept), 0)
    }
  )

  it("halves when throttled, once for calls that were under way together, and recovers in a straight line", () => {
    const halved = throttle(fullBucket(limit, 0), limit, 0)
    assert.deepStrictEqual([halved.perSecond, halved.tokens], [9.5, 0])
    assert.strictEqual(throttle(halved, limit, throttleWindowMillis - 1).perSecond, 9.5)
    assert.strictEqual(throttle(halved, limit, throttleWindowMillis).perSecond, 4.75)
    assert.approximately(refill(halved, limit, recoverySeconds * 500).perSecond, 14.25, 1e-9)
    assert.strictEqual(refill(halved, limit, recoverySeconds * 1000 + 1).perSecond, 19)
  })

  it("never: throttling for ever does not stop it", () => {
    let bucket = fullBucket(limit, 0)
    for (let call = 0; call < 100; call++) bucket = throttle(bucket, limit, call * throttleWindowMillis)
    assert.strictEqual(bucket.perSecond, limit.perSecond * lowestShare)
  })

  it("a clock set back gives nothing and takes nothing", () => {
    const bucket = spend(fullBucket(limit, 10_000))
    assert.strictEqual(refill(bucket, limit, 0).tokens, bucket.tokens)
  })
})
