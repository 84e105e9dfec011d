import { assert, describe, it } from "@effect/vitest"
import { peaksOf } from "./peaks.ts"

const task = (family: string, createdAt: number, endedAt?: number) => ({
  taskDefinitionArn: `arn:aws:ecs:us-east-1:000000000000:task-definition/${family}:3`,
  createdAt,
  ...(endedAt === undefined ? {} : { endedAt })
})

describe("peaks", () => {
  it("tells the most tasks of a family at a time, whenever that was", () => {
    const tasks = [task("a", 0, 10), task("a", 5, 20), task("a", 9, 30), task("a", 25), task("b", 7, 8)]
    assert.deepStrictEqual(peaksOf(tasks), [
      { family: "a", launched: 4, running: 1, most: 3, mostAt: 9 },
      { family: "b", launched: 1, running: 0, most: 1, mostAt: 7 }
    ])
  })

  it("a task that is created in the millisecond in which another one ends is not beside it", () => {
    assert.strictEqual(peaksOf([task("a", 0, 10), task("a", 10, 20)])[0]?.most, 1)
    assert.strictEqual(peaksOf([task("a", 0, 11), task("a", 10, 20)])[0]?.most, 2)
  })

  it("without tasks there is no family", () => {
    assert.deepStrictEqual(peaksOf([]), [])
  })
})
