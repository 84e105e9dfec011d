import type { ContainerDefinition, TaskDefinition, TaskOverride } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { containerSpecs } from "./containers.ts"

const key = { region: "us-east-1", cluster: "default", id: "abc" }

const specOf = (container: ContainerDefinition, task: TaskDefinition = {}, overrides?: TaskOverride) => {
  const definition = { ...task, containerDefinitions: [{ name: "main", image: "busybox", ...container }] }
  return containerSpecs(definition, overrides, key, "arn:task/abc")[0]
}

describe("what a container may use", () => {
  const fargate = { cpu: "256", memory: "512" }

  it.each([
    { name: "nothing said", container: {}, task: {}, overrides: {}, limits: {} },
    {
      name: "the task's sizes",
      container: {},
      task: fargate,
      overrides: {},
      limits: { taskCpuUnits: 256, memoryMiB: 512 }
    },
    {
      name: "its own, below the task's",
      container: { cpu: 128, memory: 100, memoryReservation: 64 },
      task: { cpu: "1 vCPU", memory: "2 GB" },
      overrides: {},
      limits: { taskCpuUnits: 1024, cpuUnits: 128, memoryMiB: 100, memoryReservationMiB: 64 }
    },
    {
      name: "the overrides of RunTask",
      container: { cpu: 128, memory: 100 },
      task: fargate,
      overrides: { cpu: "512", memory: "1024", containerOverrides: [{ name: "main", cpu: 64, memory: 2048 }] },
      limits: { taskCpuUnits: 512, cpuUnits: 64, memoryMiB: 1024 }
    }
  ])("$name", ({ container, limits, overrides, task }) => {
    assert.deepStrictEqual<unknown>(specOf(container, task, overrides)?.limits, limits)
  })

  it("an entry point stands before the command of the overrides, and is told apart", () => {
    const override = { containerOverrides: [{ name: "main", command: ["b"] }] }
    const spec = specOf({ entryPoint: ["sh", "-c"], command: ["a"] }, {}, override)
    assert.deepInclude(spec, { entryPoint: ["sh", "-c"], command: ["sh", "-c", "b"] })
    assert.notProperty(specOf({ command: ["a"] }), "entryPoint")
  })
})
