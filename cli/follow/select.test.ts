import { assert, describe, it } from "@effect/vitest"
import { aPosition, millis } from "#test/support/builders.ts"
import { at } from "#test/support/messages.ts"
import { type Containers, isCut, isOfContainers, isWanted, storedSince } from "./select.ts"

const own: Containers = { kind: "own" }
const all: Containers = { kind: "all" }
const one: Containers = { kind: "one", name: "sidecar" }

describe("isOfContainers", () => {
  it.each([
    { what: "the program's, by default", containers: own, container: "main", owner: "main", shown: true },
    { what: "the fleet's own, by default", containers: own, container: "fleet", owner: "main", shown: true },
    { what: "another's, by default", containers: own, container: "sidecar", owner: "main", shown: false },
    {
      what: "anybody's where the record is gone",
      containers: own,
      container: "sidecar",
      owner: undefined,
      shown: true
    },
    { what: "another's with --all", containers: all, container: "sidecar", owner: "main", shown: true },
    { what: "the one asked for", containers: one, container: "sidecar", owner: "main", shown: true },
    {
      what: "the program's when another is asked for",
      containers: one,
      container: "main",
      owner: "main",
      shown: false
    },
    { what: "the fleet's when another is asked for", containers: one, container: "fleet", owner: "main", shown: false }
  ])("$what: $shown", ({ containers, container, owner, shown }) => {
    assert.strictEqual(isOfContainers(containers, container, owner), shown)
  })
})

describe("isWanted", () => {
  it.each([
    { what: "without conditions", wanted: {}, shown: true },
    { what: "of exactly that time", wanted: { sinceMillis: millis(7) }, shown: true },
    { what: "a millisecond too old", wanted: { sinceMillis: millis(7) + 1 }, shown: false },
    { what: "that matches", wanted: { pattern: /err(or)?/u }, shown: true },
    { what: "that matches in its second line", wanted: { pattern: /second/u }, shown: true },
    { what: "with other capitals", wanted: { pattern: /ERROR/u }, shown: false },
    { what: "young, but not matching", wanted: { sinceMillis: millis(0), pattern: /warn/u }, shown: false },
    { what: "matching, but old", wanted: { sinceMillis: millis(8), pattern: /error/u }, shown: false }
  ])("a line $what: $shown", ({ wanted, shown }) => {
    assert.strictEqual(isWanted(wanted, { time: at(7), text: "an error\nsecond" }), shown)
  })
})

describe("storedSince", () => {
  it("goes back as far as a line may be dated ahead of its storing", () => {
    const aheadSeconds = 2 * 3600 + 300
    assert.strictEqual(storedSince(millis(0)), millis(-aheadSeconds))
    assert.strictEqual(storedSince(1000), 0)
  })
})

describe("isCut", () => {
  it.each([
    { complete: true, drained: "complete" as const, cut: false },
    { complete: true, drained: "cut" as const, cut: true },
    { complete: false, drained: "complete" as const, cut: true }
  ])("complete $complete, a container $drained: $cut", ({ complete, drained, cut }) => {
    assert.strictEqual(isCut({ complete, lines: 1, containers: [aPosition({ drained })] }), cut)
  })
})
