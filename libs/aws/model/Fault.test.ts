import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { type Fault, readFault } from "./Fault.ts"
import { FaultBook, maxFaults } from "./FaultBook.ts"

const logActions = ["CreateLogStream", "PutLogEvents", "FilterLogEvents", "GetLogEvents"]
const actions = ["RunTask", "DescribeTasks", "DescribeVpcs", ...logActions]
const problems = (body: unknown) =>
  Result.match(readFault(body, actions), { onSuccess: () => [], onFailure: (all) => all })

describe("readFault", () => {
  it.each<Fault>([
    { action: "DescribeVpcs", times: 0, error: { name: "RequestLimitExceeded", message: "slow", status: 503 } },
    { action: "RunTask", cluster: "jobs", failures: [{ reason: "RESOURCE:CPU", detail: "none" }] },
    { action: "RunTask", reset: "after" },
    { action: "RunTask", stop: { stopCode: "SpotInterruption", stoppedReason: "Your Spot Task was interrupted." } },
    { action: "RunTask", hold: "PROVISIONING" },
    { action: "*", probability: 0.05, startedBy: "fleet/", reset: "after" },
    { action: "*", lifetimeSeconds: 60, error: { name: "ExpiredTokenException", message: "expired" } },
    { action: "RunTask", failures: [{ reason: "RESOURCE:CPU" }], launched: 3 },
    { action: "DescribeVpcs", delaySeconds: 20 },
    { action: "DescribeTasks", staleVersions: 8 },
    { action: "RunTask", missingSeconds: 5 },
    { action: "RunTask", vanishAfterSeconds: 0 },
    { action: "CreateLogStream", startedBy: "run-7", missingSeconds: 5 },
    { action: "PutLogEvents", logGroup: "/jobs", batch: { delaySeconds: 0, delaySecondsMax: 8, twice: true } },
    { action: "PutLogEvents", probability: 0.1, batch: { lateSeconds: 3 } },
    { action: "FilterLogEvents", times: 0, page: { events: 0, repeat: 1, shuffle: true } },
    { action: "GetLogEvents", page: { end: true } }
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
      /^Give exactly one of error, reset, .*, batch, page, not error and stop and hold\.$/
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
    ["a launch's effect of every call", { action: "*", hold: "PROVISIONING" }, /^hold: only RunTask can have it/],
    ["an old state of no task", { action: "RunTask", staleVersions: 1 }, /^staleVersions: only DescribeTasks can/],
    ["nine versions", { action: "DescribeTasks", staleVersions: 9 }, /^staleVersions: /],
    ["a chance above 1", { action: "RunTask", reset: "after", probability: 1.1 }, /^probability: must be 0 to 1/],
    ["no lifetime", { action: "RunTask", reset: "after", lifetimeSeconds: 0 }, /^lifetimeSeconds: must be 0.001 to/],
    ["an answer after two days", { action: "RunTask", delaySeconds: 172_800 }, /^delaySeconds: must be .* to 86400/],
    ["a part of no failure", { action: "RunTask", reset: "after", launched: 1 }, /^launched: it goes with failures/],
    ["a hidden stream elsewhere", { action: "FilterLogEvents", missingSeconds: 1 }, /only RunTask and CreateLogStream/],
    ["a batch elsewhere", { action: "RunTask", batch: { twice: true } }, /^batch: only PutLogEvents can have it/],
    ["a page of every call", { action: "*", page: { end: true } }, /^page: only FilterLogEvents and GetLogEvents can/],
    ["an empty batch", { action: "PutLogEvents", batch: {} }, /^batch: must say delaySeconds, .* or lateSeconds/],
    ["an empty page", { action: "GetLogEvents", page: {} }, /^page: must say events, .* or end/],
    ["a misspelt member", { action: "PutLogEvents", batch: { twise: true } }, /Did you mean batch\.twice\?/],
    ["a misspelt group", { action: "GetLogEvents", logGrop: "g", page: { end: true } }, /Did you mean logGroup\?/],
    [
      "a delay over a day",
      { action: "PutLogEvents", batch: { delaySeconds: 86_401 } },
      /^batch\.delaySeconds: must be/
    ],
    [
      "a delay from much to little",
      { action: "PutLogEvents", batch: { delaySeconds: 5, delaySecondsMax: 2 } },
      /^batch\.delaySecondsMax: 2 is less than batch\.delaySeconds, 5\./
    ],
    ["a page above AWS's", { action: "GetLogEvents", page: { events: 10_001 } }, /^page\.events: .*10000/],
    ["no repetition", { action: "GetLogEvents", page: { repeat: 0 } }, /^page\.repeat: /],
    [
      "an end with more",
      { action: "GetLogEvents", page: { end: true, events: 5, shuffle: true } },
      /^page\.end: it goes alone, not with events and shuffle/
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
    const book = new FaultBook(1)
    book.inject({ ...reset, times: 2 }, 0)
    book.inject({ ...reset, times: 0, cluster: "c" }, 0)
    const met = Array.from({ length: 4 }, () => book.take(0, any)?.cluster)
    assert.deepStrictEqual(met, [undefined, undefined, "c", "c"])
    assert.deepStrictEqual(
      book.list(0).map(({ fired, left }) => [fired, left]),
      [
        [2, 0],
        [2, undefined]
      ]
    )
    book.clear()
    assert.isUndefined(book.take(0, any))
  })

  const met = (seed: number, fault: Fault, calls: number) => {
    const book = new FaultBook(seed)
    book.inject(fault, 0)
    return Array.from({ length: calls }, () => book.take(0, any) !== undefined)
  }

  it("a chance of 5 % meets about 5 % of the calls, the same ones with the same seed; 0 none, 1 all", () => {
    const fault = { ...reset, probability: 0.05 }
    const hits = met(7, fault, 10_000)
    const count = hits.filter(Boolean).length
    assert.isTrue(count > 400 && count < 600, String(count))
    assert.deepStrictEqual(met(7, fault, 10_000), hits)
    assert.notDeepEqual(met(8, fault, 10_000), hits)
    assert.deepStrictEqual(met(7, { ...reset, probability: 0 }, 2), [false, false])
    assert.deepStrictEqual(met(7, { ...reset, probability: 1 }, 2), [true, true])
  })

  it("with a chance it may still meet no more than `times` calls", () => {
    const hits = met(7, { ...reset, probability: 0.5, times: 3 }, 100)
    assert.strictEqual(hits.filter(Boolean).length, 3)
  })

  it("is over at the end of its lifetime, however often it met a call", () => {
    const book = new FaultBook(1)
    book.inject({ ...reset, lifetimeSeconds: 60 }, 1000)
    const before = Array.from({ length: 3 }, () => book.take(60_999, any))
    assert.lengthOf(
      before.filter((fault) => fault !== undefined),
      3
    )
    assert.isUndefined(book.take(61_000, any))
    assert.deepStrictEqual(
      [60_999, 61_000].map((now) => book.list(now)[0]?.left),
      [undefined, 0]
    )
  })

  it("holds 1000 faults, and not one more", () => {
    const book = new FaultBook(1)
    const taken = Array.from({ length: maxFaults + 1 }, () => book.inject(reset, 0))
    assert.deepStrictEqual([taken.filter(Boolean).length, taken.at(-1)], [1000, false])
  })
})
