import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { DueQueue } from "./DueQueue.ts"

const times = Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }))))

const popAll = (queue: DueQueue<number>, now: number) => {
  const popped: Array<readonly [number, number]> = []
  for (let due = queue.pop(now); due !== undefined; due = queue.pop(now)) popped.push([due.at, due.value])
  return popped
}

describe("DueQueue", () => {
  it.prop("gives what is due by time, then by the order of coming; the rest stays", { at: times }, ({ at }) => {
    const queue = new DueQueue<number>()
    at.forEach((time, index) => queue.push(time, index))
    const sorted = at.map((time, index) => [time, index] as const).toSorted(([a, i], [b, j]) => a - b || i - j)
    const due = popAll(queue, 10)
    assert.deepStrictEqual(
      due,
      sorted.filter(([time]) => time <= 10)
    )
    assert.strictEqual(queue.size, at.length - due.length)
    assert.strictEqual(queue.nextAt, sorted[due.length]?.[0])
    assert.deepStrictEqual(popAll(queue, 20), sorted.slice(due.length))
  })
})
