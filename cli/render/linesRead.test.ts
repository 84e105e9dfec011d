import { assert, describe, it } from "@effect/vitest"
import type { LogEnd } from "#ecs-core/LogLine.ts"
import { aPosition } from "#test/support/builders.ts"
import { at } from "#test/support/messages.ts"
import { type Asked, cutText, emptyText, LINES_CUT, type Read, readWarnings } from "./linesRead.ts"

const asked: Asked = { runId: "r-1", filters: [], isOver: true }
const nothing: Read = {
  read: 0,
  containers: [],
  ofContainers: 0,
  given: 0,
  partial: 0,
  unreadable: 0,
  tailCut: false
}
const some: Read = { ...nothing, read: 3, containers: ["main", "sidecar"], ofContainers: 2 }
const ofOthers: Read = { ...some, ofContainers: 0 }
const since = at(0)

describe("emptyText", () => {
  it.each([
    { what: "some are shown", asked, read: { ...some, given: 1 }, text: undefined },
    { what: "the run is over", asked, read: nothing, text: /^Run r-1 left no output, .*fleet describe r-1$/ },
    { what: "more can come", asked: { ...asked, isOver: false }, read: nothing, text: /yet\. .*fleet logs -f r-1$/ },
    {
      what: "none is young enough to be read",
      asked: { ...asked, filters: ["--since"], since },
      read: nothing,
      text: /^Run r-1 has no line since 2026-03-01T09:00:00\.000Z\. All there are: fleet logs r-1$/
    },
    {
      what: "none of those read is young enough",
      asked: { ...asked, filters: ["--since"], since },
      read: some,
      text: /^Run r-1 has no line since /
    },
    {
      what: "none matches",
      asked: { ...asked, filters: ["--grep"] },
      read: some,
      text: /^None of the 2 lines of run r-1 is as --grep asks for\. All there are: fleet logs r-1$/
    },
    {
      what: "the only one is old and does not match",
      asked: { ...asked, filters: ["--since", "--grep"], since },
      read: { ...some, ofContainers: 1 },
      text: /^The one line of run r-1 is not as --since and --grep asks for\./
    },
    {
      what: "only other containers wrote",
      asked,
      read: { ...ofOthers, containers: ["sidecar"] },
      text: /^The program of run r-1 wrote nothing; other containers did: sidecar\. .*fleet logs --all r-1$/
    },
    {
      what: "there is no such container",
      asked: { ...asked, container: "sidcar" },
      read: ofOthers,
      text: /no line of container "sidcar"\. Did you mean sidecar\? It has lines of main, sidecar\. .*--all r-1$/
    }
  ])("says what to do when $what", ({ asked, read, text }) => {
    const shown = emptyText(asked, read)
    if (text === undefined) assert.isUndefined(shown)
    else assert.match(shown ?? "", text)
  })
})

const end = (complete: boolean, ...containers: LogEnd["end"]["containers"]): LogEnd["end"] => ({
  lines: 1,
  complete,
  containers
})
const whole = aPosition({ drained: "complete" })
const cut = aPosition({ container: "sidecar", drained: "cut" })

describe("cutText", () => {
  it.each([
    { what: "all came", end: end(true, whole), text: undefined },
    { what: "the end says so alone", end: end(false, whole), text: LINES_CUT },
    {
      what: "one was cut",
      end: end(false, whole, cut),
      text: /^The last lines of container sidecar may be missing: its/
    },
    { what: "one was cut, whatever the sum says", end: end(true, cut), text: /container sidecar may/ },
    { what: "two were cut", end: end(false, cut, { ...whole, drained: "cut" }), text: /containers sidecar, main may/ },
    {
      what: "one of the second attempt was cut",
      end: end(false, whole, { ...cut, attempt: 2 }),
      text: /container sidecar \(attempt 2\) may/
    }
  ])("$what", ({ end, text }) => {
    const shown = cutText(end)
    if (text === undefined) assert.isUndefined(shown)
    else if (typeof text === "string") assert.strictEqual(shown, text)
    else assert.match(shown ?? "", text)
  })
})

describe("readWarnings", () => {
  it("has nothing to say of lines that all came", () => {
    assert.deepStrictEqual(readWarnings("r-1", { ...some, given: 2, end: end(true, whole) }), [])
    assert.deepStrictEqual(readWarnings("r-1", { ...some, given: 2 }), [])
  })

  it("says each thing that is not as it should be", () => {
    const warnings = readWarnings("r-1", { ...some, partial: 1, unreadable: 2, tailCut: true, end: end(false) })
    assert.lengthOf(warnings, 4)
    for (const part of [
      LINES_CUT,
      "1 line of run r-1 came in parts",
      "2 messages of run r-1 cannot be read",
      "--tail"
    ]) {
      assert.isTrue(
        warnings.some((warning) => warning.includes(part)),
        part
      )
    }
  })
})
