import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { codec, parseJson, type Undecodable, Version } from "#ecs-core/Codec.ts"
import { Codecs, RunCancel, RunFinished, TaskStopped } from "#ecs-core/Messages.ts"
import { cancel, changed, finished, runId, stopped } from "#test/support/messages.ts"

/** What JSON leaves of a value: -0 becomes 0. */
const onTheWire = (value: object): never => JSON.parse(JSON.stringify({ v: 1, ...value })) as never

const messageOf = (result: Result.Result<unknown, { readonly message: string }>): string =>
  Result.match(result, { onFailure: ({ message }) => message, onSuccess: () => "it decoded" })

describe("codec", () => {
  it.prop("reads back what it wrote: run.cancel", [RunCancel], ([message]) => {
    assert.deepStrictEqual(
      Codecs.runCancel.decode(Codecs.runCancel.encode(message)),
      Result.succeed(onTheWire(message))
    )
  })

  it.prop("reads back what it wrote: run.finished", [RunFinished], ([message]) => {
    const json = Codecs.runFinished.encode(message)
    assert.deepStrictEqual(Codecs.runFinished.decode(json), Result.succeed(onTheWire(message)))
  })

  it.prop("reads back what it wrote: task.stopped", [TaskStopped], ([message]) => {
    const json = Codecs.taskStopped.encode(message)
    assert.deepStrictEqual(Codecs.taskStopped.decode(json), Result.succeed(onTheWire(message)))
  })

  it("writes v: 1 first", () => {
    assert.strictEqual(Codecs.runCancel.encode({ reason: "over" }), '{"v":1,"reason":"over"}')
  })

  it("takes a message without v for version 1", () => {
    assert.deepStrictEqual(Codecs.runCancel.decode('{"reason":"over"}'), Result.succeed({ reason: "over" }))
  })

  it.each(["2", "0", '"1"', "null"])("refuses v %s and says which version it knows", (v) => {
    assert.strictEqual(
      messageOf(Codecs.runCancel.decode(`{"v":${v}}`)),
      'must be 1, the only version known here\n  at ["v"]'
    )
  })

  it.each([
    {
      kind: "task.changed",
      json: Codecs.taskChanged.encode(changed(1, "RUNNING", 3).message),
      codec: Codecs.taskChanged
    },
    { kind: "task.stopped", json: Codecs.taskStopped.encode(stopped(1).message), codec: Codecs.taskStopped },
    { kind: "run.finished", json: Codecs.runFinished.encode(finished(1).message), codec: Codecs.runFinished },
    { kind: "run.cancel", json: Codecs.runCancel.encode(cancel(1).message), codec: Codecs.runCancel }
  ])("drops what a later sender adds to $kind", ({ json, codec }) => {
    const decode = (text: string): Result.Result<unknown, Undecodable> => codec.decode(text)
    const grown = JSON.stringify({ ...(JSON.parse(json) as object), addedLater: { deep: [1] } })
    assert.deepStrictEqual(decode(grown), decode(json))
    assert.isTrue(Result.isSuccess(decode(grown)))
  })

  it("names the path of what does not fit, never the value", () => {
    const json = JSON.stringify({ ...changed(1, "RUNNING", 3).message, version: "canary" })
    const message = messageOf(Codecs.taskChanged.decode(json))
    assert.include(message, 'at ["version"]')
    assert.notInclude(message, "canary")
  })

  it("is built from any schema of an object", () => {
    const { decode, encode } = codec(Schema.Struct({ v: Schema.optionalKey(Version), runId: Schema.String }))
    assert.deepStrictEqual(decode(encode({ runId })), Result.succeed({ v: 1, runId }))
  })
})

describe("parseJson", () => {
  it.each([
    { json: "canary", message: "Not valid JSON" },
    { json: '{"env":{"TOKEN":canary}}', message: "Not valid JSON" },
    { json: '{"env":{"TOKEN":"canary"', message: "Not valid JSON at position 24 (line 1 column 25)" },
    { json: '["canary",]', message: "Not valid JSON" },
    { json: "", message: "Not valid JSON: it ends too early" }
  ])("says where $json broke without quoting it", ({ json, message }) => {
    assert.strictEqual(messageOf(parseJson(json)), message)
  })

  it.prop("gives back every JSON value", [Schema.Json], ([value]) => {
    const text = JSON.stringify(value)
    assert.deepStrictEqual(parseJson(text), Result.succeed(JSON.parse(text) as unknown))
  })
})
