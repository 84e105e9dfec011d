import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Answer } from "./AwsException.ts"
import { append, createGroup, createStream, makeLogStore, maxLineLength } from "./LogStore.ts"
import * as logs from "./logs.ts"
import { defaultOptions, makeWorld } from "./World.ts"

const region = "us-east-1"
const ok = <A>(answer: Answer<A>): A =>
  Result.isSuccess(answer) ? answer.success : assert.fail(answer.failure.message)
const error = <A>(answer: Answer<A>) => (Result.isFailure(answer) ? answer.failure : assert.fail("succeeded"))

/** A group with streams `a` and `b`. */
const withStreams = (logDelaySeconds = 0) => {
  const world = makeWorld({ ...defaultOptions, newId: () => "0", logDelaySeconds })
  ok(logs.createLogGroup(world, region, { logGroupName: "g" }, 0))
  for (const logStreamName of ["a", "b"])
    ok(logs.createLogStream(world, region, { logGroupName: "g", logStreamName }, 0))
  const put = (logStreamName: string, ...timestamps: ReadonlyArray<number>) => {
    const logEvents = timestamps.map((timestamp) => ({ timestamp, message: `${logStreamName}${timestamp}` }))
    return ok(logs.putLogEvents(world, region, { logGroupName: "g", logStreamName, logEvents }, 0))
  }
  const filter = (more: object, now = 1e6) =>
    ok(logs.filterLogEvents(world, region, { logGroupName: "g", ...more }, now))
  const texts = (more: object, now?: number) => filter(more, now).events?.map(({ message }) => message)
  const get = (more: object) =>
    ok(logs.getLogEvents(world, region, { logGroupName: "g", logStreamName: "a", ...more }, 1e6))
  return { world, put, filter, texts, get }
}

describe("FilterLogEvents", () => {
  it("interleaves by time, pages by token, and knows no gap and no double", () => {
    const { put, filter, texts } = withStreams()
    put("a", 1, 3, 3, 5)
    put("b", 2, 3, 4)
    assert.deepStrictEqual(texts({ logStreamNames: ["a", "b"] }), ["a1", "b2", "a3", "a3", "b3", "b4", "a5"])
    const found: Array<string | undefined> = []
    let nextToken: string | undefined
    do {
      const page = filter({ logStreamNames: ["a", "b"], limit: 2, ...(nextToken === undefined ? {} : { nextToken }) })
      found.push(...(page.events ?? []).map(({ eventId }) => eventId))
      nextToken = page.nextToken
    } while (nextToken !== undefined)
    assert.strictEqual(new Set(found).size, 7)
    assert.deepStrictEqual(found, found.toSorted())
  })

  it("startTime and endTime are inclusive; prefix and pattern choose", () => {
    const { put, texts } = withStreams()
    put("a", 1, 2, 3, 4)
    assert.deepStrictEqual(texts({ startTime: 2, endTime: 3 }), ["a2", "a3"])
    assert.deepStrictEqual(texts({ logStreamNamePrefix: "b" }), [])
    assert.deepStrictEqual(texts({ filterPattern: "4" }), ["a4"])
  })

  it("late: a line that comes with an older time takes its place", () => {
    const { put, texts } = withStreams()
    put("a", 1, 5)
    put("a", 3)
    assert.deepStrictEqual(texts({}), ["a1", "a3", "a5"])
  })

  it("late: with a delay, lines are read only after it", () => {
    const { put, texts } = withStreams(2)
    put("a", 1)
    assert.deepStrictEqual(texts({}, 1999), [])
    assert.deepStrictEqual(texts({}, 2000), ["a1"])
  })

  it("one missing stream fails the whole call; 100 names pass, 101 do not", () => {
    const { world } = withStreams()
    const call = (logStreamNames: Array<string>) =>
      logs.filterLogEvents(world, region, { logGroupName: "g", logStreamNames }, 0)
    const missing = error(call(["a", "c"]))
    assert.deepStrictEqual(
      [missing.__type, missing.message],
      ["ResourceNotFoundException", "The specified log stream does not exist."]
    )
    ok(call(Array.from({ length: 100 }, () => "a")))
    assert.strictEqual(error(call(Array.from({ length: 101 }, () => "a"))).__type, "InvalidParameterException")
    const group = error(logs.filterLogEvents(world, region, { logGroupName: "h" }, 0))
    assert.strictEqual(group.message, "The specified log group does not exist.")
  })

  it("ends a page at a megabyte", () => {
    const { world, filter } = withStreams()
    const message = "x".repeat(300_000 - 50_000)
    const logEvents = Array.from({ length: 5 }, (_, timestamp) => ({ timestamp, message }))
    ok(logs.putLogEvents(world, region, { logGroupName: "g", logStreamName: "a", logEvents }, 0))
    const first = filter({})
    assert.strictEqual(first.events?.length, 4)
    assert.strictEqual(filter({ nextToken: first.nextToken }).events?.length, 1)
  })
})

describe("GetLogEvents", () => {
  it("forward from the head: the same token back is the end, and goes on with later lines", () => {
    const { put, get } = withStreams()
    put("a", 1, 2, 3)
    const first = get({ startFromHead: true, limit: 2 })
    const second = get({ startFromHead: true, limit: 2, nextToken: first.nextForwardToken })
    const end = get({ startFromHead: true, limit: 2, nextToken: second.nextForwardToken })
    assert.deepStrictEqual(
      [first, second, end].map(({ events }) => events?.map(({ message }) => message)),
      [["a1", "a2"], ["a3"], []]
    )
    assert.strictEqual(end.nextForwardToken, second.nextForwardToken)
    put("a", 4)
    assert.deepStrictEqual(
      get({ startFromHead: true, nextToken: end.nextForwardToken }).events?.map(({ message }) => message),
      ["a4"]
    )
  })

  it("without startFromHead: the last lines, and backward", () => {
    const { put, get } = withStreams()
    put("a", 1, 2, 3, 4, 5)
    const last = get({ limit: 2 })
    assert.deepStrictEqual(
      last.events?.map(({ message }) => message),
      ["a4", "a5"]
    )
    assert.deepStrictEqual(
      get({ limit: 2, nextToken: last.nextBackwardToken }).events?.map(({ message }) => message),
      ["a2", "a3"]
    )
  })
})

describe("groups and streams", () => {
  it("are listed by prefix, and made once", () => {
    const { world } = withStreams()
    assert.strictEqual(
      error(logs.createLogGroup(world, region, { logGroupName: "g" }, 0)).__type,
      "ResourceAlreadyExistsException"
    )
    const again = logs.createLogStream(world, region, { logGroupName: "g", logStreamName: "a" }, 0)
    assert.strictEqual(error(again).__type, "ResourceAlreadyExistsException")
    const streams = ok(
      logs.describeLogStreams(world, region, { logGroupName: "g", logStreamNamePrefix: "b" })
    ).logStreams
    assert.deepStrictEqual(
      streams?.map(({ logStreamName }) => logStreamName),
      ["b"]
    )
    assert.strictEqual(
      ok(logs.describeLogGroups(world, region, { logGroupNamePrefix: "g" })).logGroups?.[0]?.logGroupName,
      "g"
    )
  })

  it("a full store forgets the oldest streams first, and positions stay true", () => {
    const store = makeLogStore(100)
    const group = createGroup(store, "g", 0)
    const [old, young] = [createStream(store, group, "old", 0), createStream(store, group, "young", 0)]
    const write = (stream: typeof old, count: number) => {
      for (let line = 0; line < count; line++)
        append(store, stream, { timestamp: line, ingestionTime: line, message: "x" })
    }
    write(old, 60)
    write(young, 40)
    assert.strictEqual(store.events, 100)
    write(young, 1)
    assert.deepStrictEqual([store.events, old.events.length, old.dropped, young.events.length], [90, 49, 11, 41])
  })

  it(`splits a line above ${maxLineLength} characters`, () => {
    const store = makeLogStore(10)
    const stream = createStream(store, createGroup(store, "g", 0), "s", 0)
    append(store, stream, { timestamp: 0, ingestionTime: 0, message: "x".repeat(maxLineLength + 1) })
    append(store, stream, { timestamp: 0, ingestionTime: 0, message: "" })
    assert.deepStrictEqual(
      stream.events.map(({ message }) => message.length),
      [maxLineLength, 1, 0]
    )
  })
})
