import { assert, describe, it } from "@effect/vitest"
import { formatAckSubject, parseAckSubject } from "./ackSubject.ts"

const plain = {
  stream: "FLEET",
  consumer: "watcher",
  deliveries: 2,
  seq: 41,
  deliverySeq: 7,
  time: 1_795_234_203_763,
  pending: 9
}

describe("ack subject", () => {
  it.each([
    ["as nats-server 2.9 to 2.15 send it", "$JS.ACK.FLEET.watcher.2.41.7.1795234203763925294.9"],
    ["with domain and account", "$JS.ACK.hub.ACCHASH.FLEET.watcher.2.41.7.1795234203763925294.9"],
    ["with a random token behind", "$JS.ACK._.ACCHASH.FLEET.watcher.2.41.7.1795234203763925294.9.x7"]
  ])("is read %s", (_, reply) => {
    assert.deepStrictEqual(parseAckSubject(reply), plain)
  })

  it("keeps the millisecond, which a double of nanoseconds would not", () => {
    const reply = "$JS.ACK.S.C.1.1.1.1700000000123000000.0"
    assert.strictEqual(parseAckSubject(reply)?.time, 1_700_000_000_123)
  })

  it("is written so that it can be read", () => {
    for (const time of [0, 1, 60_000, plain.time]) {
      const ack = { ...plain, time }
      assert.deepStrictEqual(parseAckSubject(formatAckSubject(ack)), ack)
    }
  })

  it.each([
    "",
    "_INBOX.x.1",
    "$JS.ACK.S.C.1.1.1.1",
    "$JS.ACK.h.S.C.1.1.1.1.0",
    "$JS.ACK.S.C.x.1.1.1.0",
    "$JS.API.A.B.1.1.1.1.0"
  ])("is not %s", (reply) => {
    assert.isUndefined(parseAckSubject(reply))
  })
})
