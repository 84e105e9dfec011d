import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { type Fault, readFault } from "./Fault.ts"
import { FaultBook, maxFaults } from "./FaultBook.ts"

const actions = ["RunTask", "DescribeTasks", "DescribeVpcs"]
const problems = (body: unknown) =>
  Result.match(readFault(body, actions), { onSuccess: () => [], onFailure: (all) => all })

describe("readFault", () => {
  it.each<Fault>([
    { action: "DescribeVpcs", times: 0, error: { name: "RequestLimitExceeded", message: "slow", status: 503 } },
    { action: "RunTask", cluster: "jobs", failures: [{ reason: "RESOURCE:CPU", detail: "none" }] },
    { action: "RunTask", reset: "after" },
    { action: "RunTask", stop: { stopCode: "SpotInterruption", stoppedReason: "Your Spot Task was interrupted." } },
    { action: "RunTask", hold: "PROVISIONING" }
  ])("reads %j", (fault) => {
    assert.deepStrictEqual(readFault(fault, actions), Result.succeed(fault))
  })

  it("tells every problem at once, with what was meant", () => {
    const found = problems({ acton: "RunTask", times: -1, stop: { stopcode: "Spot" }, hold: "PENDING", error: {} })
    for (const part of [
      /^acton: there is no such member\. Did you mean action\?$/,
      /^action: /,
      /^times: /,
      /^stop\.stopcode: .* Did you mean stop\.stopCode\?$/,
      /^stop\.stoppedReason: /,
      /^hold: .*"PROVISIONING"/,
      /^error\.name: /,
      /^Give exactly one of error, failures, reset, stop, hold, not error and stop and hold\.$/
    ]) {
      assert.isTrue(
        found.some((problem) => part.test(problem)),
        `${part} in ${found.join("\n")}`
      )
    }
  })

  it.each([
    [
      "an action that is not served",
      { action: "RunTasks", reset: "after" },
      /RunTasks is not served\. Did you mean RunTask\?/
    ],
    ["no effect", { action: "RunTask" }, /exactly one of .*, not none/],
    ["two effects", { action: "RunTask", reset: "after", hold: "PROVISIONING" }, /not reset and hold/],
    [
      "a launch's effect elsewhere",
      { action: "DescribeVpcs", hold: "PROVISIONING" },
      /^hold: only RunTask can have it/
    ],
    ["a list", [], /JSON object/],
    ["a number", 5, /A fault is a JSON object with an action, not 5\./],
    ["no failures", { action: "RunTask", failures: [] }, /^failures/],
    [
      "an exit code of 256",
      { action: "RunTask", stop: { stopCode: "UserInitiated", stoppedReason: "", exitCode: 256 } },
      /exitCode/
    ]
  ])("refuses %s", (_, body, text) => {
    assert.isTrue(
      problems(body).some((problem) => text.test(problem)),
      problems(body).join("\n")
    )
  })
})

describe("FaultBook", () => {
  const any = () => true
  const reset: Fault = { action: "RunTask", reset: "before" }

  it("a fault meets `times` calls, 0 = all; those that are used up stay to be looked at", () => {
    const book = new FaultBook()
    book.inject({ ...reset, times: 2 })
    book.inject({ ...reset, times: 0, cluster: "c" })
    const met = Array.from({ length: 4 }, () => book.take(any)?.cluster)
    assert.deepStrictEqual(met, [undefined, undefined, "c", "c"])
    assert.deepStrictEqual(
      book.list().map(({ fired, left }) => [fired, left]),
      [
        [2, 0],
        [2, undefined]
      ]
    )
    book.clear()
    assert.isUndefined(book.take(any))
  })

  it("holds 1000 faults, and not one more", () => {
    const book = new FaultBook()
    const taken = Array.from({ length: maxFaults + 1 }, () => book.inject(reset))
    assert.deepStrictEqual([taken.filter(Boolean).length, taken.at(-1)], [1000, false])
  })
})
