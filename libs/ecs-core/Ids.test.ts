import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Attempt, FleetId, PoolName, RunId, resolveRunId } from "#ecs-core/Ids.ts"

const long = "x".repeat(65)

describe("resolveRunId", () => {
  it.each([
    { what: "body before message id", offered: { body: "b", messageId: "m" }, runId: "b" },
    { what: "subject before message id", offered: { subject: "s", messageId: "m" }, runId: "s" },
    { what: "body and subject that agree", offered: { body: "s", subject: "s", messageId: "m" }, runId: "s" },
    { what: "message id alone", offered: { messageId: "m" }, runId: "m" },
    { what: "nothing: the stream's sequence", offered: {}, runId: "run-7" },
    { what: "a null body counts as none", offered: { body: null }, runId: "run-7" },
    { what: "a null body agrees with any subject", offered: { body: null, subject: "s" }, runId: "s" },
    { what: "64 characters fit", offered: { body: "x".repeat(64) }, runId: "x".repeat(64) }
  ])("$what", ({ offered, runId }) => {
    assert.deepStrictEqual(resolveRunId({ ...offered, sequence: 7 }), {
      runId: RunId.make(runId),
      skipped: [],
      disagrees: false
    })
  })

  it.each([
    { what: "a dot in the body", offered: { body: "a.b", messageId: "m" }, runId: "m", skipped: ["body"] },
    { what: "an empty body", offered: { body: "" }, runId: "run-7", skipped: ["body"] },
    { what: "a body of 65 characters", offered: { body: long }, runId: "run-7", skipped: ["body"] },
    { what: "a line break at the end", offered: { body: "a\n" }, runId: "run-7", skipped: ["body"] },
    { what: "a number in the body", offered: { body: 5 }, runId: "run-7", skipped: ["body"] },
    { what: "a reserved body", offered: { body: "run-12" }, runId: "run-7", skipped: ["body"] },
    { what: "a reserved subject", offered: { subject: "run-12", body: "b" }, runId: "b", skipped: ["subject"] },
    { what: "an unfit message id", offered: { messageId: "a b" }, runId: "run-7", skipped: ["Nats-Msg-Id"] },
    {
      what: "all three",
      offered: { body: "a b", subject: "run-1", messageId: "é" },
      runId: "run-7",
      skipped: ["body", "subject", "Nats-Msg-Id"]
    }
  ])("skips and reports $what", ({ offered, runId, skipped }) => {
    const resolved = resolveRunId({ ...offered, sequence: 7 })
    assert.strictEqual(resolved.runId, runId)
    assert.deepStrictEqual(
      resolved.skipped.map(({ source }) => source),
      skipped
    )
    assert.isFalse(resolved.disagrees)
  })

  it("says why a candidate was skipped and shows at most 80 characters of it", () => {
    const { skipped } = resolveRunId({ body: "y".repeat(200), subject: "run-3", messageId: "a/b", sequence: 7 })
    assert.deepStrictEqual(skipped, [
      { source: "body", value: "y".repeat(80), why: "must be 1 to 64 of the characters A-Z a-z 0-9 _ -" },
      { source: "subject", value: "run-3", why: "run-<number> is reserved for ids given by the stream" },
      { source: "Nats-Msg-Id", value: "a/b", why: "must be 1 to 64 of the characters A-Z a-z 0-9 _ -" }
    ])
  })

  it.each([
    { what: "another id", body: "other" },
    { what: "an id that does not fit", body: "not an id" },
    { what: "a value that is no string", body: 5 }
  ])("takes the subject's id when the body names $what, and says that they disagree", ({ body }) => {
    const resolved = resolveRunId({ body, subject: "mine", messageId: "m", sequence: 7 })
    assert.strictEqual(resolved.runId, "mine")
    assert.isTrue(resolved.disagrees)
  })

  it("lets run-<something else than a number> pass", () => {
    assert.strictEqual(resolveRunId({ body: "run-a1", sequence: 7 }).runId, "run-a1")
  })

  it.prop("always gives an id that fits, whatever was offered", [Schema.Json, Schema.String], ([body, subject]) => {
    const { runId } = resolveRunId({ body, subject, messageId: subject, sequence: 7 })
    assert.isTrue(Schema.is(RunId)(runId))
  })
})

describe("ids", () => {
  it.each([
    { schema: RunId, good: ["a", "A_b-9", "x".repeat(64)], bad: ["", long, "a.b", "a b", "a*", "ü", 5, null] },
    { schema: Attempt, good: [1, 2, 1000], bad: [0, -1, 1.5, "1"] },
    { schema: FleetId, good: ["0a1b2c3d"], bad: ["0A1B2C3D", "0a1b2c3", "0a1b2c3d4", "ghijklmn"] },
    { schema: PoolName, good: ["default", "gpu-large_2"], bad: ["", "a.b", ">", long] }
  ])("accept and refuse", ({ schema, good, bad }) => {
    const fits = Schema.is(schema as Schema.Schema<unknown>)
    for (const value of good) assert.isTrue(fits(value), `${value} fits`)
    for (const value of bad) assert.isFalse(fits(value), `${value} does not fit`)
  })
})
