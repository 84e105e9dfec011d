import { assert, describe, it } from "@effect/vitest"
import { deadCopy, reasonLine } from "./deadLetter.ts"

const options = { durable: "w", deadStream: "DEAD", deadSubject: () => "dead.w.r1" }

describe("dead letters", () => {
  it("leave the server's headers behind: the original's fence must not be checked for the copy", () => {
    const headers = {
      Color: "red",
      "Nats-Expected-Last-Subject-Sequence": "0",
      "Nats-Msg-Id": "x",
      "Bus-Publish-Id": "p1",
      traceparent: "00-a-b-01"
    }
    const d = { stream: "S", subject: "a", seq: 5, time: 0, data: new Uint8Array([1]), deliveries: 2, headers }
    assert.deepStrictEqual(deadCopy(options, d, "why"), {
      stream: "DEAD",
      subject: "dead.w.r1",
      data: d.data,
      headers: {
        Color: "red",
        traceparent: "00-a-b-01",
        "Fleet-Dead-Reason": "why",
        "Fleet-Dead-Subject": "a",
        "Fleet-Dead-Stream": "S",
        "Fleet-Dead-Sequence": "5",
        "Fleet-Dead-Deliveries": "2"
      }
    })
  })

  it("give the reason as one line of at most a thousand characters", () => {
    assert.strictEqual(reasonLine(" a\r\n\tb  c\n"), "a b c")
    assert.strictEqual(reasonLine("x".repeat(1_000)).length, 1_000)
    assert.strictEqual(reasonLine("x".repeat(1_001)).length, 1_000)
  })
})
