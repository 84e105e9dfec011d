import { assert, describe, it } from "@effect/vitest"
import { Option, Result } from "effect"
import { millisOf } from "#ecs-core/Instant.ts"
import { aRun } from "#test/support/builders.ts"
import { at, ready, requested, started, stopped } from "#test/support/messages.ts"
import { fits, isFiltered, type PsFlags, psOptions } from "./psOptions.ts"

const NOW = millisOf(at(3600))

const read = (flags: Partial<PsFlags>) =>
  psOptions(
    { all: false, json: false, limit: 5, state: [], pool: Option.none(), label: [], since: Option.none(), ...flags },
    NOW
  )

describe("psOptions", () => {
  it("nothing given: everything that is not over", () => {
    const options = Result.getOrThrow(read({}))
    assert.deepStrictEqual(options, { all: false, json: false, limit: 5, filter: {} })
    assert.isFalse(isFiltered(options.filter))
  })

  it("everything given; an outcome asks for runs that are over as well", () => {
    const { all, filter } = Result.getOrThrow(
      read({ state: ["failed"], pool: Option.some("gpu"), label: ["team=data", "eq=a=b"], since: Option.some("10m") })
    )
    assert.isTrue(all)
    assert.deepStrictEqual(filter, {
      states: ["failed"],
      pool: "gpu",
      labels: [
        ["team", "data"],
        ["eq", "a=b"]
      ],
      sinceMillis: NOW - 600_000
    })
    assert.isFalse(Result.getOrThrow(read({ state: ["running"] })).all)
  })

  it.each([
    {
      what: "a misspelt state",
      flags: { state: ["runing"] },
      says: '--state "runing" is no state of a run. Did you mean running?'
    },
    { what: "no state at all", flags: { state: ["xyzzy"] }, says: "States are requested, queued, defining" },
    { what: "a label without a value", flags: { label: ["team"] }, says: "such as --label team=data" },
    { what: "no time", flags: { since: Option.some("soon") }, says: '--since "soon" is no time' }
  ])("$what: says what is allowed", ({ flags, says }) => {
    assert.include(Result.getOrThrow(Result.flip(read(flags))).message, says)
  })
})

describe("fits", () => {
  const run = {
    ...aRun(requested(0), ready(1), started(2), stopped(5)),
    pool: "gpu",
    request: { labels: { team: "data" } }
  }
  it.each([
    { filter: {}, expected: true },
    { filter: { states: [run.state] }, expected: true },
    { filter: { states: ["running" as const] }, expected: false },
    { filter: { pool: "gpu" }, expected: true },
    { filter: { pool: "default" }, expected: false },
    { filter: { labels: [["team", "data"] as const] }, expected: true },
    { filter: { labels: [["team", "data"] as const, ["stage", "prod"] as const] }, expected: false },
    { filter: { sinceMillis: millisOf(run.requestedAt) }, expected: true },
    { filter: { sinceMillis: millisOf(run.requestedAt) + 1 }, expected: false }
  ])("$filter: $expected", ({ expected, filter }) => {
    assert.strictEqual(fits(run, filter), expected)
  })

  it("a run without a readable request has no labels", () => {
    const { request: _none, ...bare } = run
    assert.isFalse(fits(bare, { labels: [["team", "data"]] }))
  })
})
