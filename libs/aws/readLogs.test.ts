import type { FilterLogEventsRequest } from "@aws-sdk/client-cloudwatch-logs"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { LogsCalls } from "./ContainerLogs.ts"
import { decodeToken, encodeToken, maxCallsPerRead, maxRememberedStreams, readLogs, split } from "./readLogs.ts"
import { makeStreamMemory, missingStreamSeconds } from "./StreamMemory.ts"

/** CloudWatch as far as one group goes: fails as a whole if one stream is missing; `pages` pages a stream set. */
const cloudWatch = (existing: ReadonlySet<string>, pages = 1) => {
  const calls: Array<FilterLogEventsRequest> = []
  const over: LogsCalls = {
    region: () => "eu-west-1",
    beforeExtraCall: () => Effect.void,
    filterLogEvents: (_, input) => {
      calls.push(input)
      const names = input.logStreamNames ?? []
      if (names.some((name) => !existing.has(name))) {
        return Effect.fail({ __type: "ResourceNotFoundException", message: "The specified log stream does not exist." })
      }
      const page = Number(input.nextToken ?? 0)
      const events = names.map((logStreamName) => ({
        logStreamName,
        timestamp: 1,
        message: "x",
        eventId: `${logStreamName}${page}`
      }))
      return Effect.succeed({ events, ...(page + 1 < pages ? { nextToken: String(page + 1) } : {}) })
    }
  }
  return { over, calls, memory: makeStreamMemory() }
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`)

const read = ({ over, memory }: ReturnType<typeof cloudWatch>, logStreams: ReadonlyArray<string>, nextToken?: string) =>
  readLogs(over, memory, {}, { logGroup: "g", logStreams, ...(nextToken === undefined ? {} : { nextToken }) })

const readAll = Effect.fnUntraced(function* (aws: ReturnType<typeof cloudWatch>, logStreams: ReadonlyArray<string>) {
  const found: Array<string> = []
  const missing = new Set<string>()
  let nextToken: string | undefined
  do {
    const page = yield* read(aws, logStreams, nextToken)
    found.push(...page.events.map(({ logStream }) => logStream))
    for (const stream of page.missing) missing.add(stream)
    nextToken = page.nextToken
  } while (nextToken !== undefined)
  return { found: found.toSorted(), missing: [...missing].toSorted() }
})

describe("readLogs", () => {
  it.effect("is one call when all streams exist", () =>
    Effect.gen(function* () {
      const aws = cloudWatch(new Set(names(100)))
      const page = yield* read(aws, names(100))
      assert.deepStrictEqual(
        [page.events.length, page.missing, page.nextToken, aws.calls.length],
        [100, [], undefined, 1]
      )
    })
  )

  it.effect("finds what exists among what does not, wherever it stands", () =>
    Effect.gen(function* () {
      for (const wanted of [[0], [99], [0, 50, 99], [3, 4, 5, 6], names(99).map((_, index) => index + 1)]) {
        const existing = new Set(wanted.map((index) => `s${index}`))
        const { found, missing } = yield* readAll(cloudWatch(existing), names(100))
        assert.deepStrictEqual(found, [...existing].toSorted())
        assert.deepStrictEqual(
          missing,
          names(100)
            .filter((name) => !existing.has(name))
            .toSorted()
        )
      }
    })
  )

  it.effect("remembers: the next read is one call for the existing ones, and none for the missing", () =>
    Effect.gen(function* () {
      const aws = cloudWatch(new Set(["s0", "s1"]))
      yield* readAll(aws, names(4))
      aws.calls.length = 0
      const page = yield* read(aws, names(4))
      assert.deepStrictEqual(
        aws.calls.map(({ logStreamNames }) => logStreamNames),
        [["s0", "s1"]]
      )
      assert.deepStrictEqual(page.missing, ["s2", "s3"])
    })
  )

  it.effect("late: a stream that appears is read after the pause", () =>
    Effect.gen(function* () {
      const existing = new Set(["s0"])
      const aws = cloudWatch(existing)
      yield* readAll(aws, names(2))
      existing.add("s1")
      assert.deepStrictEqual((yield* readAll(aws, names(2))).found, ["s0"])
      yield* TestClock.adjust(`${missingStreamSeconds} seconds`)
      assert.deepStrictEqual((yield* readAll(aws, names(2))).found, ["s0", "s1"])
    })
  )

  it.effect("never: none exists is LogStreamNotFound, and for a moment nothing is asked and nothing known", () =>
    Effect.gen(function* () {
      const aws = cloudWatch(new Set())
      const failure = yield* Effect.flip(readAll(aws, names(2)))
      assert.deepStrictEqual([failure.code, failure.retry], ["LogStreamNotFound", "never"])
      aws.calls.length = 0
      assert.deepStrictEqual(yield* read(aws, names(2)), { events: [], missing: names(2), unasked: names(2) })
      assert.strictEqual(aws.calls.length, 0)
    })
  )

  it.effect("follows AWS's pages, one a read", () =>
    Effect.gen(function* () {
      const aws = cloudWatch(new Set(names(3)), 4)
      assert.strictEqual((yield* read(aws, names(3))).events.length, 3)
      aws.calls.length = 0
      assert.strictEqual((yield* readAll(aws, names(3))).found.length, 12)
      assert.strictEqual(aws.calls.length, 4)
    })
  )

  it.effect("says how far all streams were read where there are more pages, if all of them are on the page", () =>
    Effect.gen(function* () {
      const whole = cloudWatch(new Set(names(3)), 2)
      const first = yield* read(whole, names(3))
      assert.strictEqual(first.reached, 1)
      assert.isUndefined((yield* read(whole, names(3), first.nextToken)).reached)
      const inParts = yield* read(cloudWatch(new Set(names(2)), 2), names(3))
      assert.isDefined(inParts.nextToken)
      assert.isUndefined(inParts.reached)
    })
  )

  it.effect("an empty page is not the end, only a page without a token is (peers 108)", () =>
    Effect.gen(function* () {
      const aws = cloudWatch(new Set(names(1)), 4)
      const filterLogEvents: LogsCalls["filterLogEvents"] = (region, input) =>
        Effect.map(aws.over.filterLogEvents(region, input), (page) =>
          page.nextToken === undefined ? page : { ...page, events: [] }
        )
      const { found } = yield* readAll({ ...aws, over: { ...aws.over, filterLogEvents } }, names(1))
      assert.deepStrictEqual([found, aws.calls.length], [["s0"], 4])
    })
  )

  it.effect(`makes at most ${maxCallsPerRead} calls a read, and goes on behind the token`, () =>
    Effect.gen(function* () {
      const aws = cloudWatch(new Set(["s63"]))
      const page = yield* read(aws, names(64))
      assert.strictEqual(aws.calls.length, maxCallsPerRead)
      assert.isDefined(page.nextToken)
    })
  )

  it.effect("does not split for a failure of another kind, or for a missing group", () =>
    Effect.gen(function* () {
      for (const error of [
        { __type: "ThrottlingException", message: "Rate exceeded" },
        { __type: "ResourceNotFoundException", message: "The specified log group does not exist." }
      ]) {
        let calls = 0
        const filterLogEvents = () => Effect.suspend(() => Effect.fail((calls++, error)))
        const over: LogsCalls = { ...cloudWatch(new Set()).over, filterLogEvents }
        yield* Effect.flip(readLogs(over, makeStreamMemory(), {}, { logGroup: "g", logStreams: names(8) }))
        assert.strictEqual(calls, 1)
      }
    })
  )

  it.effect("refuses a token that is not its own", () =>
    Effect.gen(function* () {
      for (const token of ["f/123", "{}", '[{"streams":1}]', "null"]) {
        const failure = yield* Effect.flip(read(cloudWatch(new Set()), names(1), token))
        assert.strictEqual(failure.code, "InvalidParameter")
      }
    })
  )

  it.effect(`remembers at most ${maxRememberedStreams} streams of each kind`, () =>
    Effect.gen(function* () {
      const streams = Array.from({ length: 100 }, (_, index) => `s${index}`)
      const aws = cloudWatch(new Set(streams))
      for (let group = 0; group * 100 <= maxRememberedStreams; group++) {
        yield* readLogs(aws.over, aws.memory, {}, { logGroup: String(group), logStreams: streams })
      }
      assert.strictEqual(aws.memory.existing.size, maxRememberedStreams)
      assert.isFalse([...aws.memory.existing].some((key) => key.includes("|0|")))
    })
  )

  it("splits off what is known, then halves", () => {
    const streams = names(3)
    assert.deepStrictEqual(
      split({ streams }, (name) => name === "s1"),
      [{ streams: ["s1"] }, { streams: ["s0", "s2"] }]
    )
    assert.deepStrictEqual(
      split({ streams }, () => false),
      [{ streams: ["s0", "s1"] }, { streams: ["s2"] }]
    )
    const parts = [{ streams, token: "t" }]
    assert.deepStrictEqual(decodeToken(encodeToken(parts)), parts)
  })
})
