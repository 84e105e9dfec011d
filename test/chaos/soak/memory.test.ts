import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { growthOf, residentBytes, type Sample } from "./memory.ts"

const megabyte = 1024 * 1024

/** A sample every ten seconds for half an hour. */
const samples = (bytesAt: (seconds: number) => number): ReadonlyArray<Sample> =>
  Array.from({ length: 181 }, (_, at) => ({ atSeconds: at * 10, bytes: bytesAt(at * 10) }))

describe("memory", () => {
  it.each([
    ["as much as before", 0, true],
    ["30 MB more", 30, true],
    ["31 MB more", 31, false]
  ])("%s in the last third: is that flat?", (_, grownMegabytes, isFlat) => {
    const growth = growthOf(
      samples((seconds) => (100 + (seconds >= 1740 ? grownMegabytes : 0)) * megabyte),
      300
    )
    assert.strictEqual(growth.isFlat, isFlat)
    assert.strictEqual(growth.warmBytes, 100 * megabyte)
  })

  it("what the garbage collector gives back in between counts for nothing", () => {
    const sawtooth = growthOf(
      samples((seconds) => (150 + (seconds % 400) / 4) * megabyte),
      300
    )
    assert.isTrue(sawtooth.isFlat)
  })

  it("a fifth of a large process is no growth; what came before the warm-up does not count", () => {
    const large = (megabytes: number) =>
      growthOf(
        samples((seconds) => (seconds < 300 ? 1 : seconds >= 1740 ? megabytes : 1000) * megabyte),
        300
      ).isFlat
    assert.deepStrictEqual([large(1200), large(1201)], [true, false])
  })

  it.effect("is read of processes that run", () =>
    Effect.map(residentBytes([process.pid, process.ppid]), (resident) => {
      assert.isAbove(resident.get(process.pid) ?? 0, 10 * megabyte)
    })
  )
})
