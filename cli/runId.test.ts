import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { RunId } from "#ecs-core/Ids.ts"
import { matchRun, newRunId, noMatchText, RUN_ID_BYTES } from "./runId.ts"

const random = (first: number) => Uint8Array.from({ length: RUN_ID_BYTES }, (_, at) => first + at * 37)

describe("newRunId", () => {
  it.each([
    { name: undefined, begins: /^r-[0-9a-z]{10}$/ },
    { name: "nightly", begins: /^nightly-[0-9a-z]{10}$/ },
    { name: "Bericht für März!", begins: /^Bericht-f-r-M-rz-[0-9a-z]{10}$/ },
    { name: "🚀", begins: /^fleet-[0-9a-z]{10}$/ },
    { name: "x".repeat(100), begins: /^x{53}-[0-9a-z]{10}$/ }
  ])("of the name $name", ({ name, begins }) => {
    const runId = newRunId(name, random(3))
    assert.match(runId, begins)
    assert.isTrue(Schema.is(RunId)(runId))
  })

  it("differs with chance alone, and never takes the form reserved for the stream's ids", () => {
    assert.notStrictEqual(newRunId("run", random(1)), newRunId("run", random(2)))
    assert.notMatch(newRunId("run", new Uint8Array(RUN_ID_BYTES).fill(31)), /^run-\d+$/)
  })
})

const ids = ["r-4j8x0m2kqz", "r-4j8xaaaaaa", "nightly-4j8x0m2kqz", "run-17"]

describe("matchRun", () => {
  it.each([
    { given: "run-17", found: "run-17", why: "the whole id" },
    { given: "r-4j8x0", found: "r-4j8x0m2kqz", why: "a beginning that only one has" },
    { given: "nightl", found: "nightly-4j8x0m2kqz", why: "six characters" }
  ])("$why", ({ given, found }) => {
    assert.deepStrictEqual(matchRun(given, ids), { kind: "found", runId: found })
  })

  it.each([
    { given: "r-4j8x", says: '2 runs begin with "r-4j8x": r-4j8x0m2kqz, r-4j8xaaaaaa. Give more of the id.' },
    { given: "night", says: "Did you mean nightly-4j8x0m2kqz?" },
    { given: "r-4j8x0m2kqy", says: "Did you mean r-4j8x0m2kqz?" },
    { given: "nigthly-4j8", says: "Did you mean nightly-4j8x0m2kqz?" },
    { given: "zzz", says: "needs 6 characters" },
    { given: "zzzzzzzzzzzz", says: "fleet ps --all" }
  ])("$given is answered with: $says", ({ given, says }) => {
    const match = matchRun(given, ids)
    assert.notStrictEqual(match.kind, "found")
    if (match.kind !== "found") assert.include(noMatchText(given, match), says)
  })

  it("lists at most five of many", () => {
    const many = Array.from({ length: 9 }, (_, at) => `report-${at}`)
    const match = matchRun("report-", many)
    assert.deepInclude(match, { kind: "ambiguous", count: 9, some: many.slice(0, 5) })
    if (match.kind === "ambiguous") assert.include(noMatchText("report-", match), "report-4 …")
  })
})
