import { assert, describe, it } from "@effect/vitest"
import { describeMax } from "./phase.ts"

describe("describeMax", () => {
  const minute = 60_000
  const sweeps = 240

  it.each([
    { name: "nothing runs: a sweep may ask once for the cluster", taskMillis: 0, watchers: 1, most: sweeps },
    { name: "two replicas ask side by side", taskMillis: 0, watchers: 2, most: 2 * sweeps },
    { name: "a thousand tasks all the time", taskMillis: 1000 * minute, watchers: 1, most: 11 * sweeps },
    { name: "a hundred tasks for half of the time", taskMillis: 50 * minute, watchers: 1, most: 1.5 * sweeps }
  ])("$name", ({ most, taskMillis, watchers }) => {
    assert.strictEqual(describeMax(taskMillis, minute, watchers), most)
  })
})
