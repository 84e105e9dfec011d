import { assert, describe, it } from "@effect/vitest"
import { afterCheck, newHealth } from "./healthChecks.ts"

const check = { command: [], intervalSeconds: 10, timeoutSeconds: 5, retries: 3, startPeriodSeconds: 20 }

/** Checks that passed (+) or failed (-), one each ten seconds. */
const health = (checks: string) =>
  [...checks].reduce((before, sign, index) => afterCheck(before, sign === "+", (index + 1) * 10, check), newHealth)

describe("health", () => {
  it.each([
    { checks: "", status: "UNKNOWN" },
    { checks: "+", status: "HEALTHY" },
    { checks: "+--", status: "HEALTHY" },
    { checks: "+---", status: "UNHEALTHY" },
    { checks: "+---+", status: "HEALTHY" },
    { checks: "---", status: "UNKNOWN" },
    { checks: "----", status: "UNHEALTHY" }
  ])("after '$checks': $status", ({ checks, status }) => {
    assert.strictEqual(health(checks).status, status)
  })
})
