import { assert, describe, it } from "@effect/vitest"
import { ok, refusal, region } from "#test/support/EcsWorld.ts"
import { aLogWorld, textsOf } from "#test/support/LogWorld.ts"
import type { PageFault } from "./Fault.ts"
import { filterLogEvents, getLogEvents, maxPageEvents } from "./logReads.ts"
import { putLogEvents } from "./logs.ts"

type LogWorld = ReturnType<typeof aLogWorld>

/** Reads to the end; a page may be spoilt. No more than a hundred calls. */
const pagesOf = ({ world }: LogWorld, more: object = {}, faultOf: (page: number) => PageFault = () => ({})) => {
  const pages = []
  let nextToken: string | undefined
  for (let page = 0; page < 100; page++) {
    const token = nextToken === undefined ? {} : { nextToken }
    const answer = ok(filterLogEvents(world, region, { logGroupName: "g", ...more, ...token }, 1e6, faultOf(page)))
    pages.push(answer)
    nextToken = answer.nextToken
    if (nextToken === undefined) return pages
  }
  return assert.fail("no end")
}

const idsOf = (pages: ReturnType<typeof pagesOf>) =>
  pages.flatMap(({ events = [] }) => events.map(({ eventId = "" }) => eventId))

describe("FilterLogEvents", () => {
  it("interleaves by time, pages by token, and knows no gap and no double", () => {
    const logWorld = aLogWorld()
    logWorld.put("a", 1, 3, 3, 5)
    logWorld.put("b", 2, 3, 4)
    const logStreamNames = ["a", "b"]
    assert.deepStrictEqual(logWorld.texts({ logStreamNames }), ["a1", "b2", "a3", "a3", "b3", "b4", "a5"])
    const pages = pagesOf(logWorld, { logStreamNames, limit: 2 })
    assert.deepStrictEqual(
      pages.map(({ events = [] }) => events.length),
      [2, 2, 2, 1]
    )
    assert.strictEqual(new Set(idsOf(pages)).size, 7)
    assert.deepStrictEqual(idsOf(pages), idsOf(pages).toSorted())
  })

  it("startTime and endTime are inclusive; prefix and pattern choose", () => {
    const { put, texts } = aLogWorld()
    put("a", 1, 2, 3, 4)
    assert.deepStrictEqual(texts({ startTime: 2, endTime: 3 }), ["a2", "a3"])
    assert.deepStrictEqual(texts({ logStreamNamePrefix: "b" }), [])
    assert.deepStrictEqual(texts({ filterPattern: "4" }), ["a4"])
  })

  it("late: a line that comes with an older time takes its place", () => {
    const { put, texts } = aLogWorld()
    put("a", 1, 5)
    put("a", 3)
    assert.deepStrictEqual(texts({}), ["a1", "a3", "a5"])
  })

  it("one missing stream fails the whole call; 100 names pass, 101 do not; a token of somebody else neither", () => {
    const { world } = aLogWorld()
    const call = (more: object) => filterLogEvents(world, region, { logGroupName: "g", ...more }, 0)
    const missing = refusal(call({ logStreamNames: ["a", "c"] }))
    assert.deepStrictEqual(
      [missing.__type, missing.message],
      ["ResourceNotFoundException", "The specified log stream does not exist."]
    )
    const names = (length: number) => ({ logStreamNames: Array.from({ length }, () => "a") })
    ok(call(names(100)))
    assert.strictEqual(refusal(call(names(101))).__type, "InvalidParameterException")
    assert.strictEqual(refusal(call({ nextToken: "mine" })).message, "The specified nextToken is invalid.")
    assert.strictEqual(refusal(call({ logGroupName: "h" })).message, "The specified log group does not exist.")
  })

  it("ends a page at a megabyte of UTF-8, and at 10,000 events", () => {
    const { world, filter, put } = aLogWorld()
    const logEvents = Array.from({ length: 4 }, (_, timestamp) => ({ timestamp, message: "é".repeat(125_000) }))
    for (let call = 0; call < 2; call++)
      ok(putLogEvents(world, region, { logGroupName: "g", logStreamName: "a", logEvents }, 0))
    const first = filter({})
    assert.strictEqual(first.events?.length, 4)
    assert.strictEqual(filter({ nextToken: first.nextToken }).events?.length, 4)
    for (let call = 0; call < 2; call++) put("b", ...Array.from({ length: 6000 }, (_, time) => time))
    assert.strictEqual(filter({ logStreamNames: ["b"] }).events?.length, maxPageEvents)
  })
})

describe("pages of FilterLogEvents that are spoilt", () => {
  const seven = () => {
    const logWorld = aLogWorld()
    logWorld.put("a", 1, 2, 3, 4, 5, 6, 7)
    return logWorld
  }
  const texts = (pages: ReturnType<typeof pagesOf>) => pages.map(textsOf)

  it("small: of so many events at most, and of no more than the caller wants", () => {
    const pages = pagesOf(seven(), {}, () => ({ events: 3 }))
    assert.deepStrictEqual(texts(pages), [["a1", "a2", "a3"], ["a4", "a5", "a6"], ["a7"]])
    assert.lengthOf(
      pagesOf(seven(), { limit: 2 }, () => ({ events: 3 })),
      4
    )
  })

  it("empty: with a token that goes on from the same place, at the start, in the middle and at the end", () => {
    const pages = pagesOf(seven(), { limit: 4, startTime: 2 }, (page) => (page % 2 === 0 ? { events: 0 } : {}))
    assert.deepStrictEqual(texts(pages), [[], ["a2", "a3", "a4", "a5"], [], ["a6", "a7"]])
    const none = pagesOf(seven(), { startTime: 8 }, (page) => (page === 0 ? { events: 0 } : {}))
    assert.deepStrictEqual(texts(none), [[], []])
  })

  it("twice: the next page begins with the last events of this one, with the same ids, and it comes to its end", () => {
    const pages = pagesOf(seven(), { limit: 3 }, () => ({ repeat: 2 }))
    assert.deepStrictEqual(texts(pages).slice(0, 2), [
      ["a1", "a2", "a3"],
      ["a2", "a3", "a4"]
    ])
    assert.strictEqual(new Set(idsOf(pages)).size, 7)
    assert.isAbove(idsOf(pages).length, 7)
  })

  it("twice: a page of one event is not repeated, or nobody would get on", () => {
    assert.lengthOf(
      pagesOf(seven(), { limit: 1 }, () => ({ repeat: 1 })),
      7
    )
  })

  it("shuffled: events of one time in another order, the same seed the same one; times stay in order", () => {
    const times = Array.from({ length: 50 }, (_, index) => Math.floor(index / 10))
    const shuffled = (faultSeed: number) => {
      const logWorld = aLogWorld({ faultSeed })
      logWorld.put("a", ...times)
      const [page = {}] = pagesOf(logWorld, {}, () => ({ shuffle: true }))
      assert.deepStrictEqual(
        page.events?.map(({ timestamp }) => timestamp),
        times
      )
      return idsOf([page])
    }
    const ids = shuffled(1)
    assert.notDeepEqual(ids, ids.toSorted())
    assert.strictEqual(new Set(ids).size, 50)
    assert.deepStrictEqual(shuffled(1), ids)
    assert.notDeepEqual(shuffled(2), ids)
  })

  it("end: nothing and no token, though there is more", () => {
    const [page, ...others] = pagesOf(seven(), {}, () => ({ end: true }))
    assert.deepStrictEqual([page?.events, page?.nextToken, others], [[], undefined, []])
  })
})

describe("GetLogEvents", () => {
  it("forward from the head: the same token back is the end, and goes on with later lines", () => {
    const { put, get } = aLogWorld()
    put("a", 1, 2, 3)
    const first = get({ startFromHead: true, limit: 2 })
    const second = get({ startFromHead: true, limit: 2, nextToken: first.nextForwardToken })
    const end = get({ startFromHead: true, limit: 2, nextToken: second.nextForwardToken })
    assert.deepStrictEqual([first, second, end].map(textsOf), [["a1", "a2"], ["a3"], []])
    assert.strictEqual(end.nextForwardToken, second.nextForwardToken)
    put("a", 4)
    assert.deepStrictEqual(textsOf(get({ startFromHead: true, nextToken: end.nextForwardToken })), ["a4"])
  })

  it("an empty stream: its token goes on with the first line", () => {
    const { put, get } = aLogWorld()
    const { nextForwardToken } = get()
    assert.strictEqual(get({ nextToken: nextForwardToken }).nextForwardToken, nextForwardToken)
    put("a", 1)
    assert.deepStrictEqual(textsOf(get({ nextToken: nextForwardToken })), ["a1"])
  })

  it("without startFromHead: the last lines, and backward, and forward again", () => {
    const { put, get } = aLogWorld()
    put("a", 1, 2, 3, 4, 5)
    const last = get({ limit: 2 })
    assert.deepStrictEqual(textsOf(last), ["a4", "a5"])
    const earlier = get({ limit: 2, nextToken: last.nextBackwardToken })
    assert.deepStrictEqual(textsOf(earlier), ["a2", "a3"])
    assert.deepStrictEqual(textsOf(get({ nextToken: earlier.nextForwardToken })), ["a4", "a5"])
    const start = get({ nextToken: get({ nextToken: earlier.nextBackwardToken }).nextBackwardToken })
    assert.deepStrictEqual(textsOf(start), [])
    assert.deepStrictEqual(textsOf(get({ nextToken: start.nextForwardToken })), ["a1", "a2", "a3", "a4", "a5"])
  })

  it("startTime is included, endTime is not", () => {
    const { put, get } = aLogWorld()
    put("a", 1, 2, 3, 4)
    assert.deepStrictEqual(textsOf(get({ startFromHead: true, startTime: 2, endTime: 4 })), ["a2", "a3"])
    assert.deepStrictEqual(textsOf(get({ startTime: 2, endTime: 4 })), ["a2", "a3"])
  })

  it("refuses a token that is none", () => {
    const { world } = aLogWorld()
    const input = { logGroupName: "g", logStreamName: "a", nextToken: "f/x" }
    assert.strictEqual(refusal(getLogEvents(world, region, input, 0)).message, "The specified nextToken is invalid.")
  })
})

describe("pages of GetLogEvents that are spoilt", () => {
  const spoilt = ({ world }: LogWorld, fault: PageFault, nextToken?: string) => {
    const token = nextToken === undefined ? {} : { nextToken }
    const input = { logGroupName: "g", logStreamName: "a", startFromHead: true, ...token }
    return ok(getLogEvents(world, region, input, 1e6, fault))
  }

  it("small and empty: an empty page in the middle has another token, and goes on", () => {
    const logWorld = aLogWorld()
    logWorld.put("a", 1, 2, 3)
    const first = spoilt(logWorld, { events: 2 })
    const empty = spoilt(logWorld, { events: 0 }, first.nextForwardToken)
    const again = spoilt(logWorld, { events: 0 }, empty.nextForwardToken)
    const last = spoilt(logWorld, {}, again.nextForwardToken)
    assert.deepStrictEqual([first, empty, again, last].map(textsOf), [["a1", "a2"], [], [], ["a3"]])
    const tokens = [first, empty, again, last].map(({ nextForwardToken }) => nextForwardToken)
    assert.strictEqual(new Set(tokens).size, 4)
  })

  it("end: the same token, as if there were nothing more", () => {
    const logWorld = aLogWorld()
    logWorld.put("a", 1, 2)
    const first = spoilt(logWorld, { events: 1 })
    const end = spoilt(logWorld, { end: true }, first.nextForwardToken)
    assert.deepStrictEqual([textsOf(end), end.nextForwardToken], [[], first.nextForwardToken])
    assert.deepStrictEqual(textsOf(spoilt(logWorld, {}, end.nextForwardToken)), ["a2"])
  })

  it("twice: the next page begins with the last line again", () => {
    const logWorld = aLogWorld()
    logWorld.put("a", 1, 2, 3)
    const first = spoilt(logWorld, { events: 2, repeat: 1 })
    assert.deepStrictEqual([first, spoilt(logWorld, {}, first.nextForwardToken)].map(textsOf), [
      ["a1", "a2"],
      ["a2", "a3"]
    ])
  })
})
