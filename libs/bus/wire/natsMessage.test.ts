import { assert, describe, it } from "@effect/vitest"
import { ackPayload, headersOf, pullStatusOf } from "./natsMessage.ts"
import { type AckKind, type PullEnd, WireError } from "./Wire.ts"

describe("status of a pull request", () => {
  it.each<readonly [number, string, PullEnd | "alive"]>([
    [100, "Idle Heartbeat", "alive"],
    [404, "No Messages", "expired"],
    [408, "Request Timeout", "expired"],
    [409, "Batch Completed", "expired"],
    [409, "Server Shutdown", "broken"],
    [409, "Leadership Change", "broken"],
    [409, "Consumer Deleted", "broken"],
    [409, "Exceeded MaxWaiting", "broken"],
    [503, "", "broken"],
    [0, "", "alive"]
  ])("%i %s: %s", (code, description, expected) => {
    assert.strictEqual(pullStatusOf(code, description), expected)
  })

  it("400 is our mistake and ends the consumer", () => {
    const status = pullStatusOf(400, "Bad Request")
    assert.isTrue(status instanceof WireError && status.fault === "refused")
  })
})

describe("acknowledgements", () => {
  it.each<readonly [AckKind, string]>([
    ["ack", "+ACK"],
    ["working", "+WPI"],
    ["term", "+TERM"],
    [{ nakDelayMillis: 0 }, "-NAK"],
    [{ nakDelayMillis: 0.4 }, "-NAK"],
    [{ nakDelayMillis: 1_500 }, '-NAK {"delay":1500000000}']
  ])("%o is sent as %s", (kind, payload) => {
    assert.strictEqual(ackPayload(kind), payload)
  })
})

describe("headers", () => {
  it("keep their names as given", () => {
    const headers = headersOf({ traceparent: "00-a-b-01", "Fleet-Dead-Reason": "no" })
    assert.deepStrictEqual(headers.keys(), ["traceparent", "Fleet-Dead-Reason"])
  })
})
