import { assert, describe, it } from "@effect/vitest"
import { millis } from "#test/support/builders.ts"
import { at } from "#test/support/messages.ts"
import { decideEntry, decideIdle, FORGET_SECONDS } from "./definitionEntry.ts"

const ready = { state: "ready", arn: "a", since: at(0) } as const
const flagged = { ...ready, autoDeregister: true }

describe("decideEntry", () => {
  it.each([
    { what: "nothing there", entry: undefined, now: 0, step: "create" },
    { what: "an ARN, however old", entry: ready, now: 1e6, step: "check" },
    { what: "an ARN that ECS called inactive", entry: ready, notArn: "a", now: 0, step: "create" },
    { what: "another ARN than that", entry: ready, notArn: "b", now: 0, step: "check" },
    { what: "somebody registers", entry: { state: "registering", since: at(0) }, now: 30, step: "wait" },
    { what: "somebody died", entry: { state: "registering", since: at(0) }, now: 30.001, step: "takeOver" },
    { what: "an answer was lost", entry: { state: "lost", since: at(0) }, now: 0, step: "takeOver" },
    {
      what: "it is being deregistered",
      entry: { state: "deregistering", arn: "a", since: at(0) },
      now: 0,
      step: "create"
    },
    { what: "it was refused or deregistered", entry: { state: "absent", since: at(0) }, now: 0, step: "create" }
  ] as const)("$what: $step", (row) => {
    assert.strictEqual(decideEntry(row.entry, millis(row.now), 30, "notArn" in row ? row.notArn : undefined), row.step)
  })
})

describe("decideIdle", () => {
  const limits = { idleSeconds: 3600, takeOverSeconds: 30 }
  it.each([
    { what: "never to be deregistered, however old", entry: ready, now: 1e9, step: "keep" },
    { what: "not yet idle", entry: flagged, now: 3599.999, step: "keep" },
    { what: "idle", entry: flagged, now: 3600, step: "deregister" },
    { what: "used since", entry: { ...flagged, usedAt: at(10) }, now: 3600, step: "keep" },
    {
      what: "left half done a moment ago",
      entry: { state: "deregistering", arn: "a", since: at(0) },
      now: 29,
      step: "keep"
    },
    { what: "left half done", entry: { state: "deregistering", arn: "a", since: at(0) }, now: 30, step: "complete" },
    { what: "gone", entry: { state: "absent", since: at(0) }, now: FORGET_SECONDS - 1, step: "keep" },
    { what: "long gone", entry: { state: "absent", since: at(0) }, now: FORGET_SECONDS, step: "forget" },
    { what: "being registered", entry: { state: "registering", since: at(0) }, now: 1e9, step: "keep" },
    { what: "with a lost answer", entry: { state: "lost", since: at(0) }, now: 1e9, step: "keep" }
  ] as const)("$what: $step", ({ entry, now, step }) => {
    assert.strictEqual(decideIdle(entry, millis(now), limits), step)
  })
})
