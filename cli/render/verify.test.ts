import { assert, it } from "@effect/vitest"
import { plain } from "./style.ts"
import { verifyTable } from "./verify.ts"

it("a table of findings, what to do below it, and the sum", () => {
  const text = verifyTable(plain, [
    { check: "nats", subject: "nats://a:1", verdict: "OK", says: "nats-server 2.12.0" },
    { check: "cluster", subject: "jobs", verdict: "NG", says: "is not there\u001b[2J", fix: "Make it" },
    { check: "fleet id", verdict: "SKIP", says: "needs NATS" }
  ])
  assert.strictEqual(
    text,
    `      WHAT      WHICH       FOUND
OK    nats      nats://a:1  nats-server 2.12.0
NG    cluster   jobs        is not there·[2J
SKIP  fleet id              needs NATS

NG cluster jobs: is not there·[2J
   Make it
✗ 1 thing to put right, 1 could not be looked at
`
  )
})

it("nothing to put right", () => {
  const text = verifyTable(plain, [{ check: "nats", verdict: "OK", says: "well" }])
  assert.isTrue(text.endsWith("well\n\n✓ nothing is wrong\n"))
})
