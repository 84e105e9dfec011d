import type { PlacementConstraint } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { giveBackRoom, makeInstance, makeInstances, needsOf, type Resources, takeRoom } from "./instances.ts"
import { type Placing, place } from "./placement.ts"

const instance = (name: string, total: Partial<Resources> = {}, launchType: "EC2" | "EXTERNAL" = "EC2") =>
  makeInstance({ cpu: 1024, memory: 2048, gpu: 0, ...total }, launchType, name, "us-east-1", 0)

const placing = (needs: Partial<Resources> = {}, more: Partial<Placing> = {}): Placing => ({
  launchType: "EC2",
  needs: { cpu: 0, memory: 0, gpu: 0, ...needs },
  group: "family:f",
  constraints: [],
  strategy: [],
  ...more
})

const reasons = (placed: ReturnType<typeof place>) =>
  Result.isFailure(placed) ? placed.failure : assert.fail("was placed")
const chosen = (placed: ReturnType<typeof place>) =>
  Result.isSuccess(placed) ? placed.success.arn : assert.fail("was not placed")

describe("place", () => {
  it.each([
    ["all of it", { cpu: 1024, memory: 2048 }, undefined],
    ["a CPU unit too much", { cpu: 1025, memory: 2048 }, "RESOURCE:CPU"],
    ["a MiB too much", { cpu: 1024, memory: 2049 }, "RESOURCE:MEMORY"],
    ["a GPU that is not there", { gpu: 1 }, "RESOURCE:GPU"]
  ])("%s", (_, needs, reason) => {
    const placed = place([instance("a")], placing(needs))
    assert.deepStrictEqual(
      Result.match(placed, { onSuccess: () => [], onFailure: (all) => all }),
      reason === undefined ? [] : [{ arn: "a", reason }]
    )
  })

  it("each instance gives its own reason; those of another launch type none", () => {
    const all = [instance("a", { cpu: 1 }), instance("b", { memory: 1 }), instance("c", {}, "EXTERNAL")]
    assert.deepStrictEqual(reasons(place(all, placing({ cpu: 1024, memory: 2048 }))), [
      { arn: "a", reason: "RESOURCE:CPU" },
      { arn: "b", reason: "RESOURCE:MEMORY" }
    ])
    assert.strictEqual(chosen(place(all, placing({ cpu: 1024 }, { launchType: "EXTERNAL" }))), "c")
  })

  it("spreads by default, and fills up with binpack", () => {
    const all = [instance("small"), instance("large", { memory: 4096, cpu: 512 })]
    assert.strictEqual(chosen(place(all, placing())), "large")
    assert.strictEqual(chosen(place(all, placing({}, { strategy: [{ type: "binpack", field: "memory" }] }))), "small")
    assert.strictEqual(chosen(place(all, placing({}, { strategy: [{ type: "binpack", field: "CPU" }] }))), "large")
  })

  it("distinctInstance: no two tasks of a group on one instance", () => {
    const only = instance("a")
    const distinct = placing({}, { constraints: [{ type: "distinctInstance" }] })
    takeRoom(only, distinct.needs, "family:f")
    const reason = "DistinctInstance placement constraint unsatisfied"
    assert.deepStrictEqual(reasons(place([only], distinct)), [{ arn: "a", reason }])
    assert.strictEqual(chosen(place([only], { ...distinct, group: "another" })), "a")
    giveBackRoom(only, distinct.needs, "family:f")
    assert.strictEqual(chosen(place([only], distinct)), "a")
  })

  it.each([
    ["attribute:ecs.os-type == linux", true],
    ["attribute:ecs.os-type == windows", false],
    ["attribute:ecs.os-type != linux", false],
    ["attribute:ecs.instance-type == p3.2xlarge", false],
    ["attribute:ecs.instance-type =~ g4.* and task:group == x", true]
  ])("memberOf %s: %s", (expression, holds) => {
    const constraints: Array<PlacementConstraint> = [{ type: "memberOf", expression }]
    const placed = place([instance("a")], placing({}, { constraints }))
    if (holds) assert.strictEqual(chosen(placed), "a")
    else assert.strictEqual(reasons(placed)[0]?.reason, "MemberOf placement constraint unsatisfied")
  })
})

describe("needsOf", () => {
  const main = { name: "main", cpu: 256, memory: 512 }
  const side = { name: "side", memory: 1024, memoryReservation: 128 }
  const gpu = [{ type: "GPU" as const, value: "2" }]

  it.each([
    ["containers", { containerDefinitions: [main, side] }, undefined, { cpu: 256, memory: 640, gpu: 0 }],
    [
      "the task's own sizes",
      { cpu: "1 vCPU", memory: "3 GB", containerDefinitions: [main] },
      undefined,
      { cpu: 1024, memory: 3072, gpu: 0 }
    ],
    [
      "overrides of the task",
      { cpu: "256", memory: "512" },
      { cpu: "512", memory: "1024" },
      { cpu: 512, memory: 1024, gpu: 0 }
    ],
    [
      "overrides of a container",
      { containerDefinitions: [main] },
      { containerOverrides: [{ name: "main", cpu: 1, memory: 2 }] },
      { cpu: 1, memory: 2, gpu: 0 }
    ],
    [
      "GPUs",
      { containerDefinitions: [{ ...main, resourceRequirements: gpu }] },
      undefined,
      { cpu: 256, memory: 512, gpu: 2 }
    ]
  ])("%s", (_, definition, overrides, needs) => {
    assert.deepStrictEqual(needsOf(definition, overrides), needs)
  })
})

describe("makeInstances", () => {
  it("those of the cluster, with ARNs that stay the same", () => {
    const group = { cluster: "jobs", launchType: "EC2" as const, count: 2, cpu: 1, memory: 2, gpu: 3 }
    const make = (cluster: string) => makeInstances([group], cluster, "us-east-1", (resource) => `arn:${resource}`)
    const arns = [...make("jobs").keys()]
    assert.strictEqual(arns.length, 2)
    assert.match(arns[0] ?? "", /^arn:container-instance\/jobs\/[0-9a-f]{32}$/)
    assert.deepStrictEqual([...make("jobs").keys()], arns)
    assert.deepStrictEqual(make("jobs").get(arns[0] ?? "")?.free, { cpu: 1, memory: 2, gpu: 3 })
    assert.strictEqual(make("default").size, 0)
  })
})
