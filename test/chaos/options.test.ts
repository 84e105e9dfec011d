import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readChaosOptions, readSoakOptions } from "./options.ts"

describe("options of chaos", () => {
  it("kills every 300 ms; on a cluster the servers are what dies", () => {
    const [single, clustered] = [[], ["--cluster", "--runs", "300"]].map((args) =>
      Result.getOrThrow(readChaosOptions(args))
    )
    assert.deepInclude(single, { runs: 1000, killEveryMillis: 300, isClustered: false })
    assert.deepInclude(clustered, { runs: 300, killEveryMillis: 0, isClustered: true })
  })

  it("kills one service alone while loud programs write, where asked to", () => {
    const options = Result.getOrThrow(readChaosOptions(["--only", "log-streamer", "--lines", "2000"]))
    assert.deepInclude(options, { only: "log-streamer", lines: 2000 })
  })

  it("fills the queue of a limited pool at once", () => {
    const options = Result.getOrThrow(readChaosOptions(["--limited", "10", "--runs", "500"]))
    assert.deepInclude(options, { limited: 10, atOnce: 500 })
    assert.deepInclude(Result.getOrThrow(readChaosOptions([])), { limited: undefined, atOnce: 50 })
  })

  it.each([
    ["no slot", ["--limited", "0"], /--limited must be 1 to 1000, not 0/],
    ["no runs", ["--runs", "0"], /--runs must be 1 to 100000, not 0/],
    ["no number", ["--kill-every", "often"], /--kill-every must be .*, not often/],
    ["an unknown service", ["--only", "streamer"], /--only must be one of .*log-streamer, not streamer/],
    ["no lines", ["--lines", "0"], /--lines must be 1 to 1000000, not 0/],
    ["an unknown flag", ["--run", "5"], /--run.*\nUsage: npm run chaos/s]
  ])("refuses %s", (_, args, message) => {
    assert.match(Result.getOrThrow(Result.flip(readChaosOptions(args))), message)
  })
})

describe("options of soak", () => {
  it("30 minutes at 10 a second, or what is asked for", () => {
    assert.deepStrictEqual(Result.getOrThrow(readSoakOptions([])), { minutes: 30, perSecond: 10 })
    const asked = readSoakOptions(["--minutes", "2", "--per-second", "0.5"])
    assert.deepStrictEqual(Result.getOrThrow(asked), { minutes: 2, perSecond: 0.5 })
    assert.match(Result.getOrThrow(Result.flip(readSoakOptions(["--minutes", "0"]))), /--minutes must be/)
  })
})
