import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { type Job, resolveJob } from "#ecs-core/Job.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"
import { definitionKey, equalDefinitions, logOptions, prepareTaskDefinition } from "#ecs-core/TaskDefinition.ts"

const region = "eu-central-1"
const role = "arn:aws:iam::123456789012:role/jobs-execution"
const request: RunRequest = {
  image: "alpine:3.20",
  executionRoleArn: role,
  secrets: { DB: "arn:secret:db", API: "arn:secret:api" }
}

const jobOf = (change: RunRequest = {}): Job =>
  Result.getOrThrow(resolveJob({ ...request, ...change }, undefined, 86_400))
const definitionOf = (change: RunRequest = {}) => prepareTaskDefinition(jobOf(change), region)

describe("prepareTaskDefinition", () => {
  it("statements 29, 31: one Fargate container with logs, sizes as text at the task", () => {
    assert.deepStrictEqual(definitionOf(), {
      family: "fleet_default",
      networkMode: "awsvpc",
      requiresCompatibilities: ["FARGATE"],
      cpu: "1024",
      memory: "2048",
      executionRoleArn: role,
      containerDefinitions: [
        {
          name: "main",
          image: "alpine:3.20",
          essential: true,
          secrets: [
            { name: "DB", valueFrom: "arn:secret:db" },
            { name: "API", valueFrom: "arn:secret:api" }
          ],
          logConfiguration: {
            logDriver: "awslogs",
            options: {
              "awslogs-create-group": "true",
              "awslogs-group": "fleet",
              "awslogs-region": region,
              "awslogs-stream-prefix": "fleet_default",
              mode: "blocking"
            }
          }
        }
      ]
    })
  })

  it("leaves out what is not asked for", () => {
    const bare = prepareTaskDefinition(Result.getOrThrow(resolveJob({ image: "alpine" }, undefined, 86_400)), region)
    assert.deepStrictEqual(bare.containerDefinitions, [{ name: "main", image: "alpine", essential: true }])
    assert.notProperty(bare, "executionRoleArn")
    assert.notProperty(bare, "ephemeralStorage")
    assert.notProperty(bare, "runtimePlatform")
  })

  it("passes storage and platform on", () => {
    const definition = definitionOf({ ephemeralStorageGiB: 40, runtimePlatform: { cpuArchitecture: "ARM64" } })
    assert.deepStrictEqual(definition.ephemeralStorage, { sizeInGiB: 40 })
    assert.deepStrictEqual(definition.runtimePlatform, { cpuArchitecture: "ARM64" })
  })

  it("statements 29, 30: the user's log options win, key by key, over the prefix too", () => {
    const options = { "awslogs-stream-prefix": "mine", "awslogs-group": "jobs", "max-buffer-size": "25m" }
    assert.deepStrictEqual(logOptions(jobOf({ cloudwatchLogsPrefix: "p", cloudwatchLogsOptions: options }), region), {
      "awslogs-create-group": "true",
      "awslogs-group": "jobs",
      "awslogs-region": region,
      "awslogs-stream-prefix": "mine",
      mode: "blocking",
      "max-buffer-size": "25m"
    })
  })

  it.each<{ what: string; change: RunRequest }>([
    { what: "command", change: { command: ["other"] } },
    { what: "env", change: { env: { A: "1" } } },
    { what: "labels", change: { labels: { team: "data" } } },
    { what: "tags", change: { tags: { team: "data" } } },
    { what: "cluster", change: { cluster: "other" } },
    { what: "task role", change: { taskRoleArn: "arn:other" } },
    { what: "launch type", change: { launchType: "FARGATE_SPOT" } },
    { what: "time-outs", change: { runTimeoutSeconds: 5, taskStartTimeoutSeconds: 5 } },
    { what: "run id", change: { runId: "other" } }
  ])("statement 27: another $what registers nothing new", ({ change }) => {
    assert.strictEqual(definitionKey(definitionOf(change), region), definitionKey(definitionOf(), region))
    assert.deepStrictEqual(definitionOf(change), definitionOf())
  })

  it.each<{ what: string; change: RunRequest }>([
    { what: "image", change: { image: "alpine:3.21" } },
    { what: "logs off", change: { configureCloudwatchLogs: false } },
    { what: "family", change: { family: "other" } },
    { what: "name", change: { name: "other" } },
    { what: "cpu", change: { cpu: 2048 } },
    { what: "memory", change: { memory: 4096 } },
    { what: "secrets", change: { secrets: { DB: "arn:secret:other" } } },
    { what: "platform", change: { runtimePlatform: { cpuArchitecture: "ARM64" } } }
  ])("statement 28: another $what is another revision", ({ change }) => {
    assert.notStrictEqual(definitionKey(definitionOf(change), region), definitionKey(definitionOf(), region))
    assert.isFalse(equalDefinitions(definitionOf(change), definitionOf()))
  })
})
