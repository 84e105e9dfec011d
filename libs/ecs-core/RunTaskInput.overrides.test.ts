import { assert, describe, it } from "@effect/vitest"
import { RunId } from "#ecs-core/Ids.ts"
import type { Json } from "#ecs-core/Json.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"
import { runTaskInput } from "#ecs-core/RunTaskInput.ts"
import { aJob } from "#test/support/builders.ts"

/** How overrides of the free run request and the fields of a request become one. */
const overridesOf = (request: RunRequest) => {
  const job = aJob(request)
  const prepared = prepareTaskDefinition(job, "eu-central-1")
  return runTaskInput(job, { runId: RunId.make("nightly"), attempt: 1, taskDefinitionArn: "f:1", ...prepared })
    .overrides
}
const free = (...containerOverrides: ReadonlyArray<Json>): RunRequest => ({
  taskRunRequest: { overrides: { containerOverrides } }
})
const environment = [
  { name: "FLEET_RUN_ID", value: "nightly" },
  { name: "FLEET_ATTEMPT", value: "1" }
]

describe("container overrides", () => {
  it("the first without a name is the orchestration container's (peers 65)", () => {
    const { containerOverrides } = overridesOf({
      containerName: "app",
      ...free({ cpu: 5 }, { name: "sidecar", cpu: 6 })
    })
    assert.deepStrictEqual<unknown>(containerOverrides, [
      { name: "app", cpu: 5, environment },
      { name: "sidecar", cpu: 6 }
    ])
  })

  it("the command of the run replaces that of its own container only (peers 67)", () => {
    const request = free({ name: "sidecar", command: ["s"] }, { name: "main", command: ["m"], cpu: 5 })
    assert.deepStrictEqual<unknown>(overridesOf({ ...request, command: ["own"] }).containerOverrides, [
      { name: "main", command: ["own"], cpu: 5, environment },
      { name: "sidecar", command: ["s"] }
    ])
    assert.deepStrictEqual<unknown>(overridesOf(request).containerOverrides[0]?.["command"], ["m"])
  })

  it("kept variables come first, then the run's; nulls, unset ones and names of secrets are left out (peers 68)", () => {
    const names = ["A", "B", "NULL", "GONE", "SECRET"]
    const list = names.map((name) => ({ name, value: name === "NULL" ? null : "free" }))
    const request = free({ environment: list }, { name: "sidecar", environment: list })
    const { containerOverrides } = overridesOf({
      ...request,
      executionRoleArn: "arn",
      env: { B: "run", C: "", GONE: null },
      secrets: { SECRET: "arn" }
    })
    assert.deepStrictEqual<unknown>(containerOverrides[0]?.["environment"], [
      { name: "A", value: "free" },
      { name: "B", value: "run" },
      { name: "C", value: "" },
      ...environment
    ])
    assert.deepStrictEqual<unknown>(containerOverrides[1]?.["environment"], [
      { name: "A", value: "free" },
      { name: "B", value: "free" },
      { name: "GONE", value: "free" },
      { name: "SECRET", value: "free" }
    ])
  })

  it("sizes are integers at a container and text at the task, however they are written (peers 71)", () => {
    const request: RunRequest = {
      taskRunRequest: {
        overrides: {
          cpu: 512,
          memory: "1 GB",
          containerOverrides: [{ cpu: "256", memory: "512", memoryReservation: 128 }]
        }
      }
    }
    const { containerOverrides, ...task } = overridesOf(request)
    assert.deepStrictEqual<object>(task, { cpu: "512", memory: "1 GB" })
    assert.deepStrictEqual<unknown>(containerOverrides, [
      { name: "main", cpu: 256, memory: 512, memoryReservation: 128, environment }
    ])
  })

  it("those of other containers are removed where nothing is left in them (peers 72)", () => {
    const request = free(
      { name: "a", command: [], environment: [{ name: "A", value: null }] },
      {},
      { name: "b" },
      { name: "c", cpu: 1 }
    )
    assert.deepStrictEqual(
      overridesOf(request).containerOverrides.map(({ name }) => name),
      ["main", "c"]
    )
  })

  it("a prepared definition has its sizes in itself; only the task role is an override", () => {
    const { containerOverrides, ...task } = overridesOf({
      cpu: 2048,
      memory: 4096,
      executionRoleArn: "arn",
      taskRoleArn: "role"
    })
    assert.deepStrictEqual<object>(task, { taskRoleArn: "role" })
    assert.deepStrictEqual<unknown>(containerOverrides, [{ name: "main", environment }])
  })

  it("other members of the overrides stay, and beat the fields beside them", () => {
    const own = { taskRoleArn: "free", ephemeralStorage: { sizeInGiB: 50 } }
    assert.deepInclude(overridesOf({ taskRoleArn: "named", taskRunRequest: { overrides: own } }), own)
  })
})
