import { assert, describe, it } from "@effect/vitest"
import { aRun, millis } from "#test/support/builders.ts"
import { ready, requested, runId, started, taskArn } from "#test/support/messages.ts"
import { nothingToList, psJson, psTable } from "./ps.ts"
import { plain } from "./style.ts"

describe("psTable", () => {
  it("has a row for each run, in columns", () => {
    const launched = aRun(requested(0), ready(1), started(2))
    const named = { ...aRun(requested(0)), runId: "nightly-1" as typeof runId, name: "nachts 夜", pool: "gpu" }
    const taskId = taskArn.split("/").at(-1) ?? ""
    const [header, first, second, ...rest] = psTable(plain, [launched, named], millis(75)).split("\n")
    assert.deepStrictEqual(rest, [""])
    assert.deepStrictEqual(header?.split(/ {2,}/), ["RUN", "STATE", "NAME", "POOL", "AGE", "TASK"])
    assert.deepStrictEqual(first?.split(/ {2,}/), [runId, launched.state, "-", launched.pool ?? "-", "1m", taskId])
    assert.deepStrictEqual(second?.split(/ {2,}/), ["nightly-1", "defining", "nachts 夜", "gpu", "1m", "-"])
  })

  it("keeps columns apart whatever a name holds", () => {
    const odd = { ...aRun(), name: "a\nb\u001B[2J" }
    assert.lengthOf(psTable(plain, [odd], millis(1)).trimEnd().split("\n"), 2)
    assert.include(psTable(plain, [odd], millis(1)), "a·b·[2J")
  })
})

describe("psJson", () => {
  it("names what programs look for and nothing of the request", () => {
    const json = psJson(aRun(requested(0), ready(1), started(2)))
    assert.deepInclude(json, { runId, attempts: 1, taskArn })
    assert.notProperty(json, "request")
  })
})

describe("nothingToList", () => {
  it.each([
    { all: false, next: "fleet ps --all" },
    { all: true, next: "fleet run -- echo hello" }
  ])("says the next command (all: $all)", ({ all, next }) => {
    assert.include(nothingToList(all, false), next)
  })
})
