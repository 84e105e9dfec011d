import { assert, describe, it } from "@effect/vitest"
import type { RunMessage } from "#ecs-core/Evolve.ts"
import { currentAttempt } from "#ecs-core/Run.ts"
import { aRun, millis } from "#test/support/builders.ts"
import {
  at,
  changed,
  clusterArn,
  deferred,
  ready,
  requested,
  started,
  stopped,
  taskArn,
  taskDefinitionArn
} from "#test/support/messages.ts"
import { attemptLines } from "./attempt.ts"
import { plain } from "./style.ts"

const linesAt = (seconds: number, ...events: ReadonlyArray<RunMessage>): ReadonlyArray<string> => {
  const attempt = currentAttempt(aRun(requested(0), ...events))
  assert.isDefined(attempt)
  return attemptLines(plain, attempt, millis(seconds), 80)
}

describe("attemptLines", () => {
  it("of one that waits: why, and when the next try comes", () => {
    assert.deepStrictEqual(linesAt(5, ready(1), deferred(2, { try: 2, nextTryAt: at(12) })), [
      "  1  not launched yet",
      "     waiting          ECS has no capacity.",
      "     next try         number 3 at 09:00:12 UTC, in 7.0 s",
      `     task definition  ${taskDefinitionArn}`,
      "     container        main",
      "     region           eu-central-1"
    ])
  })

  it("of one whose next try is due", () => {
    const [, , next] = linesAt(13, ready(1), deferred(2, { nextTryAt: at(12) }))
    assert.strictEqual(next, "     next try         number 2 at 09:00:12 UTC, which is due")
  })

  it("of one that has a task: nothing of the waiting before, but where everything is", () => {
    assert.deepStrictEqual(linesAt(13, ready(1), deferred(2), started(12)), [
      "  1  PROVISIONING",
      `     task             ${taskArn}`,
      `     task definition  ${taskDefinitionArn}`,
      "     container        main",
      `     cluster          ${clusterArn}`,
      "     log stream       fleet fleet_default/main/0123456789abcdef0123456789abcdef (eu-central-1)"
    ])
  })

  it("of one with several containers that log: where each of them does, in the order of the record", () => {
    const source = { logGroup: "fleet", logStreamPrefix: "p", region: "eu-central-1" }
    const sources = ["main", "a-proxy"].map((container) => ({ ...source, container }))
    const lines = linesAt(13, ready(1), started(12, { logs: { sources } }))
    assert.deepStrictEqual(
      lines.filter((line) => line.includes("log stream")),
      [
        "     log stream       fleet p/main/0123456789abcdef0123456789abcdef (eu-central-1)",
        "     log stream       fleet p/a-proxy/0123456789abcdef0123456789abcdef (eu-central-1)"
      ]
    )
  })

  it.each([
    { definition: "registered", words: "registered for it" },
    { definition: "reused", words: "an equal one that was there" },
    { definition: "linked", words: "linked, used as it is" }
  ] as const)("says where the definition comes from: $definition", ({ definition, words }) => {
    assert.include(linesAt(5, ready(1, { definition })), `     task definition  ${taskDefinitionArn} (${words})`)
  })

  it("of one after which the run went on: why it ended", () => {
    const [first] = aRun(requested(0), ready(1)).attempts
    assert.isDefined(first)
    const problem = { code: "TaskDefinitionInactive", message: "The definition is inactive.", advice: "Wait." } as const
    const lines = attemptLines(plain, { ...first, over: true, outcome: "rejected", problem }, millis(5), 80)
    assert.deepStrictEqual(lines.slice(0, 2), ["  1  rejected", "     ended with       The definition is inactive."])
  })

  it("of one that starts: the waterfall until now", () => {
    const times = { createdAt: at(2), connectivityAt: at(6), pullStartedAt: at(10) }
    const lines = linesAt(40, ready(1), started(2), changed(11, "PENDING", 2, { times }))
    assert.deepStrictEqual(
      lines.slice(lines.indexOf("")).map((line) => line.replaceAll(/ *█+/gu, " █")),
      [
        "",
        "     network  4.0 s █",
        "     host     4.0 s █",
        "     pull      30 s █ now",
        "     Longest part of the start-up: pull (30 s of 38 s), the download of the images: a smaller image helps, or one in the same region, or a SOCI index on Fargate."
      ]
    )
  })

  it("of one that is over: its end, and no phase that goes on", () => {
    const times = { createdAt: at(2), startedAt: at(12), executionStoppedAt: at(20) }
    const lines = linesAt(90, ready(1), started(2), stopped(21, { outcome: "failed", exitCode: 3, times }))
    assert.strictEqual(lines[0], "  1  failed · exit code 3")
    assert.notInclude(lines.join("\n"), " now")
    assert.match(lines.join("\n"), /^ {5}run +8\.0 s/m)
  })
})
