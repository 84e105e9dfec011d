import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { aWorld, ok, refusal, region } from "#test/support/EcsWorld.ts"
import type { BatchFault, Fault } from "./Fault.ts"
import { batchBytesMax, batchEventsMax, eventOverheadBytes, secondTryMillis } from "./ingestion.ts"
import { openLog } from "./LogDriver.ts"
import { filterLogEvents, getLogEvents } from "./logReads.ts"
import { describeLogStreams, putLogEvents } from "./logs.ts"
import { type EcsModelOptions, regionOf } from "./World.ts"

const location = { region, group: "g", stream: "p/main/1", createGroup: true }

/** The log of a container of run `run-1`, in a world with the given faults. */
const aLog = (faults: ReadonlyArray<Fault>, options: Partial<EcsModelOptions> = {}) => {
  const world = aWorld(options)
  for (const fault of faults) world.faults.inject(fault, 0)
  const driver = Result.getOrThrow(openLog(world, location, "fleet/run-1/1", 0))
  const filter = (now: number) =>
    filterLogEvents(world, region, { logGroupName: "g", logStreamNames: [location.stream] }, now)
  const events = (now: number) => ok(filter(now)).events ?? []
  return {
    world,
    driver,
    filter,
    events,
    texts: (now: number) => events(now).map(({ message }) => message),
    /** From when on each line can be read. */
    readable: () => events(1e9).map(({ message, ingestionTime }) => [message, ingestionTime])
  }
}

const batch = (fault: BatchFault, more: Partial<Fault> = {}): Fault => ({
  action: "PutLogEvents",
  times: 0,
  batch: fault,
  ...more
})

describe("the log driver", () => {
  it("without a fault and a delay, a line can be read at once", () => {
    const { driver, readable } = aLog([])
    driver.write("one", 5)
    driver.write("two", 5)
    driver.write("three", 9)
    assert.deepStrictEqual(readable(), [
      ["one", 5],
      ["two", 5],
      ["three", 9]
    ])
  })

  it("late: a batch is what is written within five seconds, and is readable so long after its first line", () => {
    const { driver, texts, readable } = aLog([batch({ delaySeconds: 20 })])
    for (const at of [1000, 6000, 6001]) driver.write(`at ${at}`, at)
    assert.deepStrictEqual(readable(), [
      ["at 1000", 21_000],
      ["at 6000", 21_000],
      ["at 6001", 26_001]
    ])
    assert.deepStrictEqual([texts(20_999), texts(21_000)], [[], ["at 1000", "at 6000"]])
  })

  it("late: with a delay under five seconds no line of a batch waits longer than it", () => {
    const { driver, readable } = aLog([], { logDelaySeconds: 2 })
    for (const at of [0, 2000, 2001]) driver.write(`at ${at}`, at)
    assert.deepStrictEqual(readable(), [
      ["at 0", 2000],
      ["at 2000", 2000],
      ["at 2001", 4001]
    ])
  })

  it.each([
    { what: "10,000 lines", line: "x", count: batchEventsMax },
    { what: "a mebibyte", line: "x".repeat(batchBytesMax / 4 - eventOverheadBytes), count: 4 }
  ])("a batch has at most $what; the next line begins another", ({ count, line }) => {
    const { driver, world } = aLog([batch({ twice: true }, { times: 1 })])
    for (let written = 0; written <= count; written++) driver.write(line, 0)
    assert.strictEqual(regionOf(world, region).logs.events, 2 * count + 1)
  })

  it("late: delays by chance keep to their bounds, and no batch can be read before an earlier one", () => {
    const { driver, readable } = aLog([batch({ delaySeconds: 1, delaySecondsMax: 8 })])
    for (let at = 0; at < 100; at++) driver.write(`${at}`, at * 10_000)
    const delays = readable().map(([, at], index) => Number(at) - index * 10_000)
    assert.isTrue(delays.every((delay) => delay >= 1000 && delay <= 8000))
    assert.isAbove(new Set(delays).size, 90)
    const { driver: quick, readable: ofQuick } = aLog([batch({ delaySecondsMax: 60 })])
    for (let at = 0; at < 100; at++) quick.write(`${at}`.padStart(3, "0"), at * 6000)
    const times = ofQuick().map(([, at]) => Number(at))
    assert.deepStrictEqual(
      times,
      times.toSorted((a, b) => a - b)
    )
  })

  it("twice: every line again, with the same time and another id, a moment later", () => {
    const { driver, events } = aLog([batch({ twice: true }, { times: 1 })])
    driver.write("one", 5)
    driver.write("two", 5)
    driver.write("three", 6)
    const found = events(1e9)
    assert.deepStrictEqual(
      found.map(({ message, timestamp, ingestionTime }) => [message, timestamp, ingestionTime]),
      [
        ["one", 5, 5],
        ["two", 5, 5],
        ["one", 5, 5 + secondTryMillis],
        ["two", 5, 5 + secondTryMillis],
        ["three", 6, 6]
      ]
    )
    assert.strictEqual(new Set(found.map(({ eventId }) => eventId)).size, 5)
  })

  it("late: a batch is overtaken by the next, and takes its place by its time", () => {
    const { driver, texts } = aLog([batch({ lateSeconds: 3 }, { times: 1 })])
    driver.write("one", 1000)
    assert.deepStrictEqual(texts(1e9), [])
    driver.write("two", 2000)
    assert.deepStrictEqual(texts(4999), ["two"])
    assert.deepStrictEqual(texts(5000), ["one", "two"])
  })

  it("late: the container's end overtakes too", () => {
    const { driver, readable } = aLog([batch({ lateSeconds: 3, twice: true, delaySeconds: 10 })])
    driver.write("one", 1000)
    driver.close(2000)
    driver.close(2001)
    assert.deepStrictEqual(readable(), [
      ["one", 14_000],
      ["one", 14_100]
    ])
  })

  it.each([
    { what: "another run", more: { startedBy: "run-2" } },
    { what: "another group", more: { logGroup: "h" } },
    { what: "another call", more: { action: "FilterLogEvents" } }
  ])("a fault of $what does not touch it", ({ more }) => {
    const { driver, readable } = aLog([batch({ delaySeconds: 60 }, more)])
    driver.write("one", 5)
    assert.deepStrictEqual(readable(), [["one", 5]])
  })

  it.each([{ startedBy: "run-1" }, { startedBy: "fleet/run-1/" }, { logGroup: "g" }])(
    "a fault of its run or group does: %j",
    (more) => {
      const { driver, readable } = aLog([batch({ delaySeconds: 60 }, more)])
      driver.write("one", 5)
      assert.deepStrictEqual(readable(), [["one", 60_005]])
    }
  )

  it("a call of PutLogEvents is a batch too", () => {
    const { world, events } = aLog([batch({ twice: true, delaySeconds: 2 })])
    const logEvents = [{ timestamp: 1, message: "x" }]
    const input = { logGroupName: "g", logStreamName: location.stream, logEvents }
    ok(putLogEvents(world, region, input, 1000))
    assert.deepStrictEqual(
      events(1e9).map(({ ingestionTime }) => ingestionTime),
      [3000, 3100]
    )
  })

  it("a stream is hidden from readers for a time, and what is written meanwhile is there", () => {
    const hide: Fault = { action: "CreateLogStream", startedBy: "run-1", missingSeconds: 5 }
    const { driver, filter, texts, world } = aLog([hide])
    driver.write("one", 1)
    const get = (now: number) => getLogEvents(world, region, { logGroupName: "g", logStreamName: location.stream }, now)
    for (const answer of [filter(4999), get(4999)]) {
      assert.strictEqual(refusal(answer).message, "The specified log stream does not exist.")
    }
    const listed = (now: number) => ok(describeLogStreams(world, region, { logGroupName: "g" }, now)).logStreams
    assert.deepStrictEqual([listed(4999)?.length, listed(5000)?.length], [0, 1])
    assert.deepStrictEqual(ok(filterLogEvents(world, region, { logGroupName: "g" }, 4999)).events, [])
    assert.deepStrictEqual([texts(5000), ok(get(5000)).events?.length], [["one"], 1])
  })

  it("a group that nobody made is told as Fargate tells it, unless it may be made", () => {
    const world = aWorld()
    const opened = openLog(world, { ...location, createGroup: false }, undefined, 0)
    assert.match(
      Result.isFailure(opened) ? opened.failure : "",
      /^ResourceInitializationError: .*log group does not exist/
    )
    assert.isTrue(Result.isSuccess(openLog(world, location, undefined, 0)))
  })

  it("no log configuration: lines go nowhere", () => {
    const world = aWorld()
    Result.getOrThrow(openLog(world, undefined, undefined, 0)).write("one", 0)
    assert.strictEqual(world.regions.size, 0)
  })
})
