import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { definitionProblems } from "#ecs-core/DefinitionProblems.ts"
import type { Json } from "#ecs-core/Json.ts"
import { linkDefinition } from "#ecs-core/LinkedDefinition.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"

const role = "arn:aws:iam::123456789012:role/jobs"

const prepared = (request: RunRequest) => {
  const job = Result.getOrThrow(resolveJob(request, { image: "i" }, 86_400))
  const { definition, containerName } = prepareTaskDefinition(job, "eu-central-1")
  return definitionProblems(job, definition, containerName)
}
const main = { name: "main", image: "i" }
const linked = (readBack: Json, request: RunRequest = {}) => {
  const job = Result.getOrThrow(resolveJob({ taskDefinitionArn: "linked:1", ...request }, undefined, 86_400))
  return linkDefinition(job, { containerDefinitions: [main], ...readBack }).problems
}
const withContainers = (...containerDefinitions: ReadonlyArray<Json>): RunRequest => ({
  taskDefinition: { containerDefinitions }
})
const fields = (problems: ReturnType<typeof prepared>) => problems.map(({ field }) => field)
const messages = (problems: ReturnType<typeof prepared>) => problems.map(({ message }) => message)

describe("launch types", () => {
  it.each([
    { launchType: "FARGATE", lacks: "FARGATE", requiresCompatibilities: ["EC2"] },
    { launchType: "FARGATE_SPOT", lacks: "FARGATE", requiresCompatibilities: ["EC2", "EXTERNAL"] },
    { launchType: "EXTERNAL", lacks: "EXTERNAL", requiresCompatibilities: ["EC2", "FARGATE"] }
  ] as const)(
    "$launchType needs $lacks among $requiresCompatibilities (peers 14)",
    ({ launchType, lacks, requiresCompatibilities }) => {
      const [problem, ...more] = linked({ requiresCompatibilities: [...requiresCompatibilities] }, { launchType })
      assert.deepStrictEqual(more, [])
      assert.strictEqual(
        problem?.message,
        `Task definition does not have '${lacks}' in 'requiresCompatibilities' and cannot be used with launch type '${launchType}'.`
      )
      assert.strictEqual(problem?.field, "taskDefinitionArn")
      assert.include(problem?.advice ?? "", requiresCompatibilities.join(", "))
    }
  )

  it.each(["bridge", "host", "none"])("EXTERNAL takes %s and no ENI (peers 14)", (networkMode) => {
    const external = { requiresCompatibilities: ["EXTERNAL"] }
    assert.deepStrictEqual(linked({ ...external, networkMode }, { launchType: "EXTERNAL" }), [])
    assert.deepStrictEqual(prepared({ launchType: "EXTERNAL", taskDefinition: { networkMode } }), [])
    const eni = linked({ ...external, networkMode: "awsvpc" }, { launchType: "EXTERNAL" })
    assert.include(
      messages(eni).join(),
      "Found network mode 'awsvpc' which is not compatible with launch type 'EXTERNAL'."
    )
  })

  it.each(["FARGATE", "FARGATE_SPOT"] as const)(
    "%s refuses another network mode than awsvpc (peers 15)",
    (launchType) => {
      const [problem, ...more] = prepared({ launchType, taskDefinition: { networkMode: "bridge" } })
      assert.deepStrictEqual(more, [])
      assert.deepStrictEqual(problem, {
        code: "InvalidRequest",
        field: "taskDefinition.networkMode",
        message: `Found network mode 'bridge' which is not compatible with launch type '${launchType}'.`,
        advice: "Use either the 'EC2' launch type or the 'awsvpc' network mode."
      })
      const readBack = { networkMode: "bridge", requiresCompatibilities: ["FARGATE"] }
      assert.deepStrictEqual(fields(linked(readBack, { launchType })), ["taskDefinitionArn"])
    }
  )

  it("with a capacity strategy both are left to ECS, except for FARGATE_SPOT (peers 16)", () => {
    const capacityProviderStrategy = [{ capacityProvider: "mine", weight: 1 }]
    const readBack = { networkMode: "bridge", requiresCompatibilities: ["EC2"] }
    for (const launchType of ["FARGATE", "EC2", null] as const) {
      const request = { capacityProviderStrategy, launchType }
      assert.deepStrictEqual(linked(readBack, request), [])
      assert.deepStrictEqual(prepared({ ...request, taskDefinition: readBack }), [])
    }
    const spot = linked(readBack, { capacityProviderStrategy, launchType: "FARGATE_SPOT" })
    assert.deepStrictEqual(fields(spot), ["taskDefinitionArn", "taskDefinitionArn"])
  })

  it("a definition that says nothing can run on Fargate, unless ECS found otherwise (peers 18)", () => {
    assert.deepStrictEqual(linked({}), [])
    assert.deepStrictEqual(linked({ networkMode: "awsvpc", compatibilities: ["EC2", "FARGATE"] }), [])
    assert.deepStrictEqual(linked({ requiresCompatibilities: [] }), [])
    assert.deepStrictEqual(fields(linked({ compatibilities: ["EC2", "EXTERNAL"] })), ["taskDefinitionArn"])
  })
})

describe("containers", () => {
  it("refuses a configured name that the definition lacks; main is added to a prepared one (peers 19)", () => {
    const other = withContainers({ name: "other", image: "i" })
    const [problem] = prepared({ ...other, containerName: "app" })
    assert.deepStrictEqual(problem, {
      code: "InvalidRequest",
      field: "containerName",
      message: "Container 'app' not found in task definition.",
      advice: "Set containerName to one that it has: other."
    })
    assert.deepStrictEqual(prepared({ ...other, containerName: "main" }), [])
    assert.strictEqual(linked({}, { containerName: "app" })[0]?.message, problem?.message)
  })

  it.each([
    {
      essential: [false, false],
      problems: ["At least one container in the task definition must be marked as essential."]
    },
    { essential: [false, true], problems: [] },
    { essential: [true, false], problems: [] },
    { essential: [undefined, false], problems: [] }
  ])("essential $essential (peers 13) (scenario 32)", ({ essential, problems }) => {
    const containers = essential.map((each, index) => ({
      name: `c${index}`,
      image: "i",
      ...(each === undefined ? {} : { essential: each })
    }))
    assert.deepStrictEqual(messages(prepared(withContainers(...containers))), problems)
    assert.deepStrictEqual(messages(linked({ containerDefinitions: containers })), problems)
  })

  it.each<{ what: string; request: RunRequest; field: string }>([
    {
      what: "no image",
      request: withContainers(main, { name: "s" }),
      field: "taskDefinition.containerDefinitions.1.image"
    },
    {
      what: "no name",
      request: withContainers(main, { image: "i" }),
      field: "taskDefinition.containerDefinitions.1.name"
    },
    {
      what: "a bad name",
      request: withContainers(main, { name: "a b", image: "i" }),
      field: "taskDefinition.containerDefinitions.1.name"
    },
    {
      what: "a long name",
      request: withContainers(main, { name: "x".repeat(256), image: "i" }),
      field: "taskDefinition.containerDefinitions.1.name"
    },
    { what: "a name twice", request: withContainers(main, main), field: "taskDefinition.containerDefinitions.1.name" },
    {
      what: "more than 10",
      request: withContainers(main, ...Array.from({ length: 10 }, (_, n) => ({ name: `s${n}`, image: "i" }))),
      field: "taskDefinition.containerDefinitions"
    },
    {
      what: "no memory",
      request: { ...withContainers(main, { name: "s", image: "i" }), launchType: "EC2" },
      field: "taskDefinition.containerDefinitions.1.memory"
    },
    {
      what: "an override of another",
      request: { taskRunRequest: { overrides: { containerOverrides: [{ name: "x", cpu: 1 }] } } },
      field: "taskRunRequest.overrides.containerOverrides.0.name"
    },
    {
      what: "a second override without a name",
      request: { taskRunRequest: { overrides: { containerOverrides: [{ cpu: 1 }, { cpu: 2 }] } } },
      field: "taskRunRequest.overrides.containerOverrides.1.name"
    },
    {
      what: "more cpu than the task",
      request: { ...withContainers({ ...main, cpu: 2048 }), cpu: 1024, memory: 4096 },
      field: "cpu"
    },
    {
      what: "no log group",
      request: { ...withContainers({ ...main, logConfiguration: { logDriver: "awslogs" } }), launchType: "EC2" },
      field: "taskDefinition.containerDefinitions.0.logConfiguration.options"
    },
    { what: "secrets without a role", request: { secrets: { A: "arn" } }, field: "executionRoleArn" },
    {
      what: "an unknown network mode",
      request: { launchType: "EC2", taskDefinition: { networkMode: "vpc" } },
      field: "taskDefinition.networkMode"
    },
    {
      what: "an unknown compatibility",
      request: { taskDefinition: { requiresCompatibilities: ["LAMBDA"] } },
      field: "taskDefinition.requiresCompatibilities"
    }
  ])("$what is refused at $field, and says what to do", ({ request, field }) => {
    const problems = prepared(request)
    assert.deepStrictEqual(fields(problems), [field])
    for (const { advice } of problems) assert.match(advice, /^[A-Z].+\.$/)
  })

  it("without any image, the run's own field is named (peers 1)", () => {
    const job = Result.getOrThrow(resolveJob({ taskDefinition: { cpu: "256", memory: "512" } }, undefined, 86_400))
    const { definition, containerName } = prepareTaskDefinition(job, "eu-central-1")
    assert.deepStrictEqual(fields(definitionProblems(job, definition, containerName)), ["image"])
  })

  it("takes a definition of 64 KiB and refuses one byte more", () => {
    const sized = (length: number) => prepared(withContainers({ ...main, dockerLabels: { pad: "x".repeat(length) } }))
    const { definition } = prepareTaskDefinition(
      Result.getOrThrow(resolveJob(withContainers({ ...main, dockerLabels: { pad: "" } }), undefined, 86_400)),
      "eu-central-1"
    )
    const most = 65_536 - JSON.stringify(definition).length
    assert.deepStrictEqual(sized(most), [])
    assert.match(messages(sized(most + 1)).join(), /65537 bytes of JSON; ECS takes at most 65536/)
  })
})

describe("logs", () => {
  it("asked for, need a role on the definition itself, linked or registered (peers 9)", () => {
    const field = "executionRoleArn"
    const request = { configureCloudwatchLogs: true }
    assert.deepStrictEqual(fields(linked({}, request)), [field])
    assert.deepStrictEqual(linked({ executionRoleArn: role }, request), [])
    assert.deepStrictEqual(linked({}, { ...request, executionRoleArn: role }), [])
    assert.deepStrictEqual(prepared({ ...request, executionRoleArn: role }), [])
    const atLaunch = {
      ...request,
      launchType: "EC2" as const,
      taskRunRequest: { overrides: { executionRoleArn: role } }
    }
    assert.deepStrictEqual(fields(prepared(atLaunch)), [field])
  })
})

it("reports every problem at once", () => {
  const problems = prepared({
    cpu: 300,
    gpu: 1,
    containerName: "app",
    secrets: { A: "arn" },
    ...withContainers({ name: "other", essential: false })
  })
  assert.sameMembers(fields(problems).map(String), [
    "containerName",
    "taskDefinition.containerDefinitions",
    "taskDefinition.containerDefinitions.0.image",
    "cpu",
    "gpu"
  ])
})
