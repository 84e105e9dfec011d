import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import { type Arrivals, arrive } from "./arrivals.ts"

const few = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
/** Requests with their pool, and how long each is read for. */
const requests = Arbitrary.array(
  Arbitrary.schema(Schema.Struct({ pool: Schema.Literals(["a", "b"]), reading: few, hasToQueue: Schema.Boolean }))
)

describe("arrivals", () => {
  it.effect.prop(
    "places in a queue are taken in the order of the requests, however long each is read; then nothing is kept of them",
    { requests },
    ({ requests }) =>
      Effect.gen(function* () {
        const arrivals: Arrivals = new Map()
        const places: Array<number> = []
        const one = ({ hasToQueue, pool, reading }: (typeof requests)[number], at: number) =>
          Effect.suspend(() => {
            const arrival = arrive(arrivals, pool)
            const read = Effect.repeat(Effect.yieldNow, { times: reading })
            const place = Effect.andThen(
              arrival.first,
              Effect.sync(() => places.push(at))
            )
            return Effect.ensuring(Effect.andThen(read, hasToQueue ? place : Effect.void), arrival.leave)
          })
        yield* Effect.forEach(requests.map(one), (each) => each, { concurrency: "unbounded" })
        const inOrder = (pool: string) =>
          requests.flatMap((each, at) => (each.pool === pool && each.hasToQueue ? [at] : []))
        for (const pool of ["a", "b"]) {
          assert.deepStrictEqual(
            places.filter((at) => requests[at]?.pool === pool),
            inOrder(pool)
          )
        }
        assert.strictEqual(arrivals.size, 0)
      })
  )
})
