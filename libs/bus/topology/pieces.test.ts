import { assert, describe, it } from "@effect/vitest"
import type { WireStream } from "#bus/wire/Wire.ts"
import { consumerDiffers, isOlder, piecesOf, streamDiffers, unsupportedReason } from "./pieces.ts"
import type { TopologySpec } from "./TopologySpec.ts"

const spec: TopologySpec = {
  revision: 3,
  replicas: 3,
  metaBucket: "meta",
  streams: [
    { name: "S", subjects: ["a.*", "b"], maxAgeSeconds: 60, maxBytes: -1, discard: "new", maxMessageBytes: 100 }
  ],
  buckets: [{ name: "runs", maxAgeSeconds: 3_600 }],
  consumers: [{ stream: "S", name: "c", filterSubject: "a.*", ackWaitSeconds: 60, maxAckPending: 5 }]
}

const stream: WireStream = {
  name: "S",
  subjects: ["a.*", "b"],
  maxAgeSeconds: 60,
  maxBytes: -1,
  discard: "new",
  maxMessageBytes: 100,
  maxMessagesPerSubject: -1,
  duplicateWindowSeconds: 60,
  replicas: 3
}

describe("pieces of a topology", () => {
  it("are the meta bucket, buckets, streams, then consumers", () => {
    assert.deepStrictEqual(
      piecesOf(spec).map(({ what }) => what),
      ["bucket meta", "bucket runs", "stream S", "consumer S/c"]
    )
  })

  it("have the meta bucket once, as it is listed", () => {
    const pieces = piecesOf({ ...spec, buckets: [{ name: "runs" }, { name: "meta", maxAgeSeconds: 9 }] })
    assert.deepStrictEqual(
      pieces.slice(0, 2).map(({ what }) => what),
      ["bucket runs", "bucket meta"]
    )
  })

  it("have all that a stream, a bucket and a consumer are created with", () => {
    const [meta, runs, s, c] = piecesOf(spec).map(({ config }) => config)
    const bucket = { maxBytes: -1, discard: "new", maxMessageBytes: -1, maxMessagesPerSubject: 1, replicas: 3 } as const
    const window = { duplicateWindowSeconds: 120 }
    assert.deepStrictEqual(meta, { name: "KV_meta", subjects: ["$KV.meta.>"], maxAgeSeconds: 0, ...bucket, ...window })
    assert.deepStrictEqual(runs, {
      name: "KV_runs",
      subjects: ["$KV.runs.>"],
      maxAgeSeconds: 3_600,
      ...bucket,
      ...window
    })
    assert.deepStrictEqual(s, stream)
    const limits = { ackWaitSeconds: 60, maxAckPending: 5, filterSubject: "a.*" }
    assert.deepStrictEqual(c, { name: "c", durable: true, ack: "explicit", ...limits })
  })
})

describe("a stream differs", () => {
  it.each<readonly [string, Partial<WireStream>, boolean]>([
    ["not at all", {}, false],
    ["not in the order of its subjects", { subjects: ["b", "a.*"] }, false],
    ["in its subjects", { subjects: ["a.*"] }, true],
    ["in its age", { maxAgeSeconds: 61 }, true],
    ["in its bytes", { maxBytes: 10 }, true],
    ["in what it discards", { discard: "old" }, true],
    ["in its message size", { maxMessageBytes: -1 }, true],
    ["in its duplicate window", { duplicateWindowSeconds: 1 }, true],
    ["in its replicas", { replicas: 1 }, true]
  ])("%s", (_, change, expected) => {
    assert.strictEqual(streamDiffers(stream, { ...stream, ...change }), expected)
  })
})

describe("a consumer differs", () => {
  const wanted = { name: "c", durable: true, ack: "explicit", ackWaitSeconds: 60, maxAckPending: 5 } as const
  it.each([
    ["not at all", {}, false],
    ["not by an empty filter", { filterSubject: "" }, false],
    ["in its filter", { filterSubject: "a" }, true],
    ["in its ack wait", { ackWaitSeconds: 61 }, true],
    ["in its max ack pending", { maxAckPending: 6 }, true]
  ])("%s", (_, change, expected) => {
    assert.strictEqual(consumerDiffers(wanted, { ...wanted, ...change }), expected)
  })
})

describe("server versions", () => {
  it.each([
    ["2.9.10", "2.9.10", false],
    ["2.9.9", "2.9.10", true],
    ["2.9.20", "2.9.21", true],
    ["2.10.0", "2.9.21", false],
    ["1.99.99", "2.0.0", true],
    ["2.9.10-beta.1", "2.9.10", false],
    ["2.15.1", "2.9.21", false]
  ])("%s is older than %s: %s", (version, than, expected) => {
    assert.strictEqual(isOlder(version, than), expected)
  })

  it.each<readonly [string, number, RegExp | undefined]>([
    ["2.9.9", 1, /2\.9\.10 or newer/],
    ["2.9.10", 1, undefined],
    ["2.9.20", 3, /4319.*2\.9\.21 or newer, or replicas 1/],
    ["2.9.21", 3, undefined],
    ["2.15.1", 3, undefined]
  ])("%s with %i replicas", (version, replicas, expected) => {
    const reason = unsupportedReason(version, replicas)
    if (expected === undefined) assert.isUndefined(reason)
    else assert.match(reason ?? "", expected)
  })
})
