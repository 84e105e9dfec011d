import { assert, describe, it } from "@effect/vitest"
import { busText } from "./connected.ts"

const url = "nats://127.0.0.1:4222"

describe("busText", () => {
  it.each([
    {
      reason: "NoAnswer" as const,
      says: `Nothing answers at ${url}. Start everything with \`fleet up\`, or set NATS_URL.`
    },
    { reason: "Missing" as const, says: "`fleet init`" },
    { reason: "Full" as const, says: "FLEET_INBOX_BYTES_MAX" },
    { reason: "Denied" as const, says: "as the bus says" }
  ])("$reason: $says", ({ reason, says }) => {
    assert.include(busText({ reason, message: "as the bus says" }, url), says)
  })
})
