import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { type Run, runFinished } from "#ecs-core/Run.ts"
import { aPosition, aRun, millis } from "#test/support/builders.ts"
import {
  admitted,
  at,
  changed,
  deferred,
  ready,
  requested,
  runId,
  started,
  stopped,
  taskArn
} from "#test/support/messages.ts"
import { describeText, type EndShown } from "./describe.ts"
import { plain } from "./style.ts"
import { between } from "./time.ts"

const secret = "hunter2"

const failedEnd = {
  outcome: "failed",
  exitCode: 3,
  problem: { code: "ProgramFailed", message: "It failed.", advice: "See `fleet logs <runId>`." }
} as const

const failed = aRun(
  requested(0, { request: { command: ["report"], env: { PASSWORD: secret } } }),
  ready(1),
  started(2),
  stopped(10, failedEnd)
)

const times = {
  createdAt: at(30),
  connectivityAt: at(34),
  pullStartedAt: at(41),
  pullStoppedAt: at(66),
  startedAt: at(68),
  executionStoppedAt: at(128),
  stoppingAt: at(129)
}

/** A run with a launch that was deferred, a slow pull, and a program that failed. */
const whole = aRun(
  requested(0, {
    name: "nightly-report",
    notices: ["`launchType` is ignored: `capacityProviderStrategy` is given, and it decides."],
    request: { image: "alpine", command: ["report"], env: { PASSWORD: secret } }
  }),
  ready(0.4, { definition: "registered" }),
  deferred(1, { nextTryAt: at(29) }),
  started(30, { try: 2 }),
  changed(42, "PENDING", 2, { times: { createdAt: times.createdAt } }),
  changed(69, "RUNNING", 3, { times }),
  stopped(130, { ...failedEnd, times })
)

/** Its timeline is told here, as this is about how it looks. */
const told = {
  ...whole,
  timeline: [
    { at: at(0), what: "requested" },
    { at: at(0.4), what: "registered definition fleet_default:7" },
    { at: at(1), what: "launch deferred: ECS has no capacity.", count: 3 },
    { at: at(30), what: `task created: ${taskArn}` },
    { at: at(42), what: "task is PENDING" },
    { at: at(69), what: "task is RUNNING" },
    { at: at(130), what: "failed with exit code 3" }
  ]
}

const end: EndShown = {
  lines: 2,
  containers: [aPosition({ lines: 2, drained: "cut" })],
  complete: false,
  tail: [
    { time: at(127), container: "main", text: "Traceback (most recent call last):" },
    { time: at(127.5), container: "main", text: "KeyError: 'rows'" }
  ]
}

describe("describeText", () => {
  const text = describeText(plain, failed, millis(70), 80)

  it.each([
    { what: "the outcome", part: "✗ failed · exit code 3" },
    { what: "the age", part: "(1m ago)" },
    { what: "the problem and its advice", part: `Problems\n  It failed.\n  → See \`fleet logs ${runId}\`.` },
    { what: "the task", part: `     task             ${taskArn}` },
    { what: "the attempt's end", part: "  1  failed · exit code 3" },
    { what: "the timeline, seen from the request", part: "09:00:02        +2.0 s  task created" },
    { what: "names of variables", part: '"PASSWORD": "***"' }
  ])("shows $what", ({ part }) => {
    assert.include(text, part)
  })

  it("shows no value of a variable", () => {
    assert.notInclude(text, secret)
  })

  it("leaves out what is not known yet", () => {
    const young = describeText(plain, aRun(requested(0)), millis(1), 80)
    for (const title of ["Problems", "Attempts", "Finished", "Notices", "Cancel", "Lines", "Last lines"])
      assert.notInclude(young, title)
    assert.include(young, "State      defining")
  })

  it("is the golden text for a run with all there is: describe.golden.txt", () => {
    const golden = readFileSync(new URL("./describe.golden.txt", import.meta.url), "utf8")
    assert.strictEqual(describeText(plain, told, millis(140), 100, { end }), golden)
  })

  it("shows nothing of lines that all came, without last lines", () => {
    const whole = { lines: 2, containers: [aPosition({ drained: "complete" })], complete: true }
    assert.strictEqual(
      describeText(plain, failed, millis(70), 80, { end: whole }),
      describeText(plain, failed, millis(70), 80)
    )
  })

  it("tells the ARN of the task that was created, while it runs and afterwards (scenario 7)", () => {
    const running = aRun(requested(0), ready(1), started(2))
    for (const run of [running, failed]) {
      const text = describeText(plain, run, millis(70), 80)
      assert.include(text, `task created: ${taskArn}`)
      assert.include(text, `     task             ${taskArn}`)
    }
    assert.strictEqual(runFinished(failed)?.taskArn, taskArn)
  })

  it("says why there is no definition yet, until there is one", () => {
    const problem = { code: "Throttled", message: "RegisterTaskDefinition is throttled.", advice: "Wait." } as const
    const delayed = { at: at(1), problem }
    const shown = (run: Run) => describeText(plain, { ...run, delayed }, millis(9), 80)
    assert.include(shown(aRun(requested(0))), "Delayed    RegisterTaskDefinition is throttled. (8s ago)\n")
    assert.notInclude(shown(aRun(requested(0), ready(2))), "Delayed")
    assert.notInclude(shown(failed), "Delayed")
  })

  it("shows every attempt", () => {
    const again = aRun(requested(0), ready(1))
    const [first] = again.attempts
    assert.isDefined(first)
    const text = describeText(
      plain,
      {
        ...again,
        attempts: [
          { ...first, over: true },
          { ...first, attempt: 2 }
        ]
      },
      0,
      80
    )
    assert.match(text, /^Attempts\n {2}1 {2}not launched yet\n[^]*\n\n {2}2 {2}not launched yet\n/m)
  })

  it("counts repeats in the timeline", () => {
    const repeated = { ...failed, timeline: [{ at: failed.requestedAt, what: "launch deferred", count: 4 }] }
    assert.include(describeText(plain, repeated, millis(70), 80), "launch deferred (4 times)")
  })

  it("tells where a run stands in the queue, and afterwards when its turn came", () => {
    const waiting = aRun(requested(0, { queued: true }))
    const place = { pool: "gpu", position: 3, of: 12, paused: { reason: "deployment" } }
    assert.include(
      describeText(plain, waiting, millis(70), 80, { place }),
      "Queue      position 3 of 12 in pool gpu; the pool is paused: deployment\n"
    )
    const launched = aRun(requested(0, { queued: true }), admitted(75))
    assert.include(
      describeText(plain, launched, millis(80), 80),
      `Queue      its turn came at ${at(75)}, after ${between(at(0), at(75))}\n`
    )
  })
})
