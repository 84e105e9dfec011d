import type { Container } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { nextStarts, nextStops } from "./dependencies.ts"
import type { ContainerSpec, Dependency } from "./Runtime.ts"
import type { TaskRecord } from "./World.ts"

const spec = (containerName: string, more: Partial<ContainerSpec> = {}): ContainerSpec => ({
  taskArn: "arn:aws:ecs:r:0:task/c/1",
  containerName,
  image: "busybox",
  command: [],
  environment: {},
  essential: true,
  stopTimeoutSeconds: 30,
  ...more
})

const record = (
  specs: ReadonlyArray<ContainerSpec>,
  states: Readonly<Record<string, Partial<Container>>>,
  more: Partial<TaskRecord> = {}
): TaskRecord => ({
  key: { region: "r", cluster: "c", id: "1" },
  task: {
    containers: specs.map(({ containerName: name, image }) => ({
      name,
      image,
      lastStatus: "PENDING",
      ...states[name]
    }))
  },
  containers: specs,
  sequence: 0,
  token: undefined,
  dueAt: undefined,
  asked: Object.keys(states),
  ...more
})

const needs = (condition: Dependency["condition"], containerName = "side") => ({
  dependsOn: [{ containerName, condition }]
})

/** What becomes of a container that waits for `side`, which is so. */
const waiting = (condition: Dependency["condition"], side: Partial<Container>) => {
  const { ready, impossible } = nextStarts(record([spec("main", needs(condition)), spec("side")], { side }), 0)
  return impossible === undefined ? (ready.includes("main") ? "starts" : "waits") : "never"
}

describe("what starts next", () => {
  const running = { lastStatus: "RUNNING" }
  const succeeded = { lastStatus: "STOPPED", exitCode: 0 }
  const failed = { lastStatus: "STOPPED", exitCode: 1 }
  const refused = { lastStatus: "STOPPED" }

  it.each([
    { condition: "START", side: {}, becomes: "waits" },
    { condition: "START", side: running, becomes: "starts" },
    { condition: "START", side: failed, becomes: "starts" },
    { condition: "START", side: refused, becomes: "starts" },
    { condition: "COMPLETE", side: running, becomes: "waits" },
    { condition: "COMPLETE", side: failed, becomes: "starts" },
    { condition: "SUCCESS", side: running, becomes: "waits" },
    { condition: "SUCCESS", side: succeeded, becomes: "starts" },
    { condition: "SUCCESS", side: failed, becomes: "never" },
    { condition: "SUCCESS", side: refused, becomes: "never" },
    { condition: "HEALTHY", side: running, becomes: "waits" },
    { condition: "HEALTHY", side: { ...running, healthStatus: "UNHEALTHY" }, becomes: "waits" },
    { condition: "HEALTHY", side: { ...running, healthStatus: "HEALTHY" }, becomes: "starts" },
    { condition: "HEALTHY", side: { ...succeeded, healthStatus: "HEALTHY" }, becomes: "never" }
  ] as const)("after $condition of one that is $side: $becomes", ({ condition, side, becomes }) => {
    assert.strictEqual(waiting(condition, side), becomes)
  })

  it("without dependencies all at once, and each only once", () => {
    const specs = [spec("main"), spec("side")]
    assert.deepStrictEqual(nextStarts(record(specs, {}), 0).ready, ["main", "side"])
    assert.deepStrictEqual(nextStarts(record(specs, { main: {} }), 0).ready, ["side"])
  })

  it("only when every dependency holds", () => {
    const dependsOn = [...needs("START", "a").dependsOn, ...needs("COMPLETE", "b").dependsOn]
    const specs = [spec("main", { dependsOn }), spec("a"), spec("b")]
    assert.deepStrictEqual(nextStarts(record(specs, { a: running, b: running }), 0).ready, [])
    assert.deepStrictEqual(nextStarts(record(specs, { a: running, b: succeeded }), 0).ready, ["main"])
  })

  it("why it never starts is told in the agent's words", () => {
    const specs = [spec("main", needs("SUCCESS")), spec("side")]
    assert.deepStrictEqual(nextStarts(record(specs, { side: failed }), 0).impossible, {
      name: "main",
      reason:
        "CannotStartContainerError: dependency graph: failed to resolve container ordering dependency " +
        "[side(busybox) (STOPPED->RUNNING) - Exit: 1] for target [main(busybox) (NONE->RUNNING)] " +
        "as dependency did not exit successfully."
    })
  })

  it.each(["COMPLETE", "SUCCESS", "HEALTHY"] as const)(
    "late: %s waits no longer than the start time-out",
    (condition) => {
      const specs = [spec("main", needs(condition)), spec("side", { startTimeoutSeconds: 2 })]
      const waits = record(specs, { side: running }, { begunAt: { side: 1000 } })
      const before = nextStarts(waits, 2999)
      assert.deepStrictEqual([before.impossible, before.nextTimeoutAt], [undefined, 3000])
      assert.match(nextStarts(waits, 3000).impossible?.reason ?? "", /dependency \[side.*\] has timed out\.$/)
    }
  )

  it("never: one that has not begun, or has no time-out, is waited for without end", () => {
    const specs = [spec("main", needs("COMPLETE")), spec("side", { startTimeoutSeconds: 2 })]
    const found = nextStarts(record(specs, { side: {} }), 1e9)
    assert.deepStrictEqual([found.impossible, found.nextTimeoutAt], [undefined, undefined])
  })
})

describe("what stops next", () => {
  const specs = [spec("main", needs("START", "proxy")), spec("proxy", needs("START", "log")), spec("log")]
  const running = { lastStatus: "RUNNING" }
  const over = { lastStatus: "STOPPED" }

  it.each([
    { states: { main: running, proxy: running, log: running }, stops: ["main"] },
    { states: { main: over, proxy: running, log: running }, stops: ["proxy"] },
    { states: { main: over, proxy: over, log: running }, stops: ["log"] },
    { states: { main: running, proxy: over, log: running }, stops: ["main", "log"] },
    { states: { main: over, proxy: over, log: over }, stops: [] }
  ])("of $states: $stops", ({ states, stops }) => {
    assert.deepStrictEqual(nextStops(record(specs, states)), stops)
  })
})
