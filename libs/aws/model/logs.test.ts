import { assert, describe, it } from "@effect/vitest"
import { aWorld, ok, refusal, region } from "#test/support/EcsWorld.ts"
import { aLogWorld, textsOf } from "#test/support/LogWorld.ts"
import { batchBytesMax, batchEventsMax, eventOverheadBytes } from "./ingestion.ts"
import * as logs from "./logs.ts"

describe("groups and streams", () => {
  it("are listed by prefix, and made once", () => {
    const { world } = aLogWorld()
    const again = logs.createLogGroup(world, region, { logGroupName: "g" }, 0)
    assert.strictEqual(refusal(again).__type, "ResourceAlreadyExistsException")
    const twice = logs.createLogStream(world, region, { logGroupName: "g", logStreamName: "a" }, 0)
    assert.strictEqual(refusal(twice).__type, "ResourceAlreadyExistsException")
    const { logStreams } = ok(
      logs.describeLogStreams(world, region, { logGroupName: "g", logStreamNamePrefix: "b" }, 0)
    )
    assert.deepStrictEqual(
      logStreams?.map(({ logStreamName }) => logStreamName),
      ["b"]
    )
    const { logGroups } = ok(logs.describeLogGroups(world, region, { logGroupNamePrefix: "g" }))
    assert.strictEqual(logGroups?.[0]?.logGroupName, "g")
  })

  it("no stream without its group, no lines without their stream", () => {
    const world = aWorld()
    const stream = logs.createLogStream(world, region, { logGroupName: "g", logStreamName: "a" }, 0)
    assert.strictEqual(refusal(stream).message, "The specified log group does not exist.")
    ok(logs.createLogGroup(world, region, { logGroupName: "g" }, 0))
    const lines = logs.putLogEvents(world, region, { logGroupName: "g", logStreamName: "a", logEvents: [] }, 0)
    assert.strictEqual(refusal(lines).message, "The specified log stream does not exist.")
  })
})

describe("PutLogEvents", () => {
  const putting = (messages: ReadonlyArray<string>) => {
    const { world, get } = aLogWorld()
    const logEvents = messages.map((message) => ({ timestamp: 0, message }))
    return { get, answer: logs.putLogEvents(world, region, { logGroupName: "g", logStreamName: "a", logEvents }, 0) }
  }

  it.each([
    { what: "10,000 events", messages: Array.from({ length: batchEventsMax }, () => "x") },
    { what: "a mebibyte, with 26 bytes for each event", messages: ["x".repeat(batchBytesMax - eventOverheadBytes)] }
  ])("takes $what at most, all of it", ({ messages }) => {
    const { answer, get } = putting(messages)
    ok(answer)
    assert.deepStrictEqual(textsOf(get({ startFromHead: true })), messages)
  })

  it.each([
    [Array.from({ length: batchEventsMax + 1 }, () => "x"), /must not contain more than 10,000 events/],
    [["é".repeat((batchBytesMax - eventOverheadBytes) / 2 + 1)], /^Upload too large: 1048578 bytes exceeds limit of/]
  ])("refuses more: case %#", (messages, text) => {
    const failure = refusal(putting(messages).answer)
    assert.strictEqual(failure.__type, "InvalidParameterException")
    assert.match(failure.message, text)
  })
})
