import { assert, describe, it } from "@effect/vitest"
import { aMarker, aTaskDeferred } from "#test/support/builders.ts"
import { nextTry, tokenOf, untried } from "./evidence.ts"

describe("tokenOf", () => {
  it.each([
    { what: "nothing stored", evidence: {}, token: [1, false] },
    { what: "a deferral before any call", evidence: { deferred: aTaskDeferred({ try: 0 }) }, token: [1, false] },
    {
      what: "deferrals of a launcher without markers",
      evidence: { deferred: aTaskDeferred({ try: 4 }) },
      token: [5, false]
    },
    { what: "a call", evidence: { marker: aMarker(0, { try: 2 }) }, token: [2, true] },
    {
      what: "a call that launched nothing",
      evidence: { marker: aMarker(0, { try: 2 }), deferred: aTaskDeferred({ settles: 7 }) },
      token: [3, false]
    },
    {
      what: "a call after one that launched nothing",
      evidence: { marker: { ...aMarker(0, { try: 2 }), seq: 8 }, deferred: aTaskDeferred({ settles: 7 }) },
      token: [2, true]
    }
  ])("$what: try and certainty", ({ evidence, token }) => {
    const { try: tryNumber, uncertain } = tokenOf({ ...untried, ...evidence })
    assert.deepStrictEqual([tryNumber, uncertain !== undefined], token)
  })

  it("the next try is one more than the last that certainly launched nothing", () => {
    assert.deepStrictEqual([undefined, aTaskDeferred({ try: 0 }), aTaskDeferred({ try: 4 })].map(nextTry), [1, 1, 5])
  })
})
