import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { isJson, type Json } from "#ecs-core/Json.ts"
import { poolProblems } from "#ecs-core/PoolProblems.ts"
import { importTemplate } from "./importTemplate.ts"
import { FIELDS, PLACES } from "./mapping.ts"

const DAY = 86_400
const packaged = JSON.parse(readFileSync(join(process.cwd(), "test/prefect/ecs-base-job-template.json"), "utf8")) as {
  readonly job_configuration: Json
  readonly variables: { readonly properties: Json }
}

const imported = (template: unknown, image?: string) => {
  const found = importTemplate(template, { image, runTimeoutSecondsMax: DAY })
  assert.isDefined(found)
  assert.deepStrictEqual(poolProblems(found?.pool, DAY), [])
  return { pool: found?.pool ?? {}, left: found?.left ?? [] }
}

/** The packaged template with defaults of these variables, and changes of its two templates. */
const withDefaults = (
  defaults: Json,
  change: { readonly definition?: Json; readonly request?: Json; readonly more?: Json } = {}
) => {
  const { job_configuration: configuration, variables } = packaged
  const members = (member: string) => (isJson(configuration[member]) ? configuration[member] : {})
  return {
    job_configuration: {
      ...configuration,
      task_definition: { ...members("task_definition"), ...change.definition },
      task_run_request: { ...members("task_run_request"), ...change.request },
      ...change.more
    },
    variables: {
      ...variables,
      properties: {
        ...variables.properties,
        ...Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, { default: value }]))
      }
    }
  }
}

describe("Prefect's packaged template", () => {
  it("becomes a pool with its defaults and without a placeholder; what Prefect does by itself is told", () => {
    const { pool, left } = imported(packaged)
    assert.deepStrictEqual(pool, {
      launchType: "FARGATE",
      taskStartTimeoutSeconds: 300,
      taskWatchPollIntervalSeconds: 5,
      autoDeregisterTaskDefinition: false,
      matchLatestRevisionInFamily: false,
      containerName: "prefect"
    })
    assert.deepStrictEqual(
      left.map(({ path }) => path),
      ["job_configuration.aws_credentials", "variables.properties.image", "variables.properties.command"]
    )
  })

  it("has every variable and every place that is mapped", () => {
    assert.includeMembers(Object.keys(packaged.variables.properties), Object.keys(FIELDS))
    for (const variable of Object.values(PLACES)) assert.property(FIELDS, variable)
  })

  it("with a default for each variable: each becomes its field, and nothing else is there", () => {
    const { pool, left } = imported(
      withDefaults({
        command: "python flow.py",
        env: { LEVEL: "info", DEBUG: null },
        labels: { team: "data" },
        cluster: "flows",
        family: "flows",
        launch_type: "EC2",
        capacity_provider_strategy: [{ capacityProvider: "asg", weight: 1, base: 0 }],
        image: "flows:7",
        cpu: 512,
        memory: "1024",
        container_name: "flow",
        task_role_arn: "arn:task",
        execution_role_arn: "arn:execution",
        vpc_id: "vpc-1",
        network_configuration: { subnets: ["subnet-1"], securityGroups: [], assignPublicIp: "DISABLED" },
        configure_cloudwatch_logs: true,
        cloudwatch_logs_options: { "awslogs-group": "flows" },
        cloudwatch_logs_prefix: "flow",
        stream_output: true,
        aws_credentials: { region_name: "eu-central-1", aws_secret_access_key: "canary" }
      })
    )
    assert.deepStrictEqual(pool, {
      command: "python flow.py",
      env: { LEVEL: "info", DEBUG: null },
      labels: { team: "data" },
      cluster: "flows",
      family: "flows",
      launchType: "EC2",
      capacityProviderStrategy: [{ capacityProvider: "asg", weight: 1, base: 0 }],
      image: "flows:7",
      cpu: 512,
      memory: 1024,
      containerName: "flow",
      taskRoleArn: "arn:task",
      executionRoleArn: "arn:execution",
      vpcId: "vpc-1",
      networkConfiguration: { subnets: ["subnet-1"], securityGroups: [], assignPublicIp: "DISABLED" },
      configureCloudwatchLogs: true,
      cloudwatchLogsOptions: { "awslogs-group": "flows" },
      cloudwatchLogsPrefix: "flow",
      streamOutput: true,
      taskStartTimeoutSeconds: 300,
      taskWatchPollIntervalSeconds: 5,
      autoDeregisterTaskDefinition: false,
      matchLatestRevisionInFamily: false,
      region: "eu-central-1"
    })
    assert.notInclude(JSON.stringify({ pool, left }), "canary")
    assert.deepStrictEqual(
      left.map(({ path }) => path),
      ["job_configuration.aws_credentials"]
    )
  })

  it("an image of one's own takes the place of theirs, wherever that stands", () => {
    assert.strictEqual(imported(packaged, "mine:1").pool["image"], "mine:1")
    const literal = withDefaults({}, { definition: { containerDefinitions: [{ image: "theirs:1", name: "prefect" }] } })
    assert.deepInclude(imported(literal, "mine:1").pool, {
      image: "mine:1",
      taskDefinition: { containerDefinitions: [{ name: "prefect" }] }
    })
  })
})

describe("the template of docs/migrating.md", () => {
  it("becomes the pool that the page shows", () => {
    const [, section = ""] = readFileSync(join(process.cwd(), "docs/migrating.md"), "utf8").split(
      "### A base job template"
    )
    const block = (kind: string) =>
      JSON.parse(new RegExp(`^\`\`\`json ${kind}\\n(.*?)^\`\`\`$`, "ms").exec(section)?.[1] ?? "") as Json
    assert.deepStrictEqual(imported(block("theirs")).pool, block("pool"))
  })
})

describe("a template of one's own", () => {
  it("what stands in it without a placeholder is kept; containers, tags and environments have ECS's shapes", () => {
    const { pool } = imported(
      withDefaults(
        { image: "flows:7" },
        {
          definition: {
            containerDefinitions: [
              { image: "{{ image }}", name: "{{ container_name }}", stopTimeout: 60 },
              { image: "{{ image }}", name: "proxy", essential: false }
            ],
            networkMode: "awsvpc"
          },
          request: {
            enableExecuteCommand: true,
            tags: { team: "data", none: null },
            overrides: { containerOverrides: [{ name: "proxy", environment: { PORT: "1" } }] }
          }
        }
      )
    )
    assert.strictEqual(pool["containerName"], "proxy")
    assert.deepStrictEqual(pool["taskDefinition"], {
      containerDefinitions: [{ stopTimeout: 60 }, { image: "{{ image }}", name: "proxy", essential: false }],
      networkMode: "awsvpc"
    })
    assert.deepStrictEqual(pool["taskRunRequest"], {
      enableExecuteCommand: true,
      tags: [{ key: "team", value: "data" }],
      overrides: { containerOverrides: [{ name: "proxy", environment: [{ name: "PORT", value: "1" }] }] }
    })
    assert.deepStrictEqual(pool["variables"], { image: { default: "flows:7" } })
  })

  it("variables of one's own stay variables, typed, with default and description; their rules are told", () => {
    const { job_configuration: configuration, variables } = withDefaults(
      {},
      {
        definition: { ephemeralStorage: { sizeInGiB: "{{ disk }}" }, volumes: "{{ volumes }}" },
        request: { group: "flows-{{ team }}" }
      }
    )
    const { pool, left } = imported({
      job_configuration: configuration,
      variables: {
        ...variables,
        required: ["team"],
        properties: {
          ...variables.properties,
          disk: { type: "integer", default: 40, minimum: 21, description: "GiB" },
          volumes: { type: "array" },
          team: { title: "Team" },
          unused: { default: 1 }
        }
      }
    })
    assert.deepStrictEqual(pool["variables"], {
      disk: { default: 40, description: "GiB" },
      volumes: {},
      team: { description: "Team" }
    })
    assert.deepInclude(pool["taskDefinition"], {
      ephemeralStorage: { sizeInGiB: "{{ disk }}" },
      volumes: "{{ volumes }}"
    })
    assert.includeMembers(
      left.map(({ path }) => path),
      ["variables.properties.disk", "variables.required (team)", "variables.properties.unused"]
    )
  })

  it("secrets by ARN become secrets; a definition for EC2 without a launch type keeps its choice", () => {
    const { job_configuration: configuration, variables } = withDefaults(
      { prefect_api_key_secret_arn: "arn:key" },
      { more: { prefect_api_key_secret_arn: "{{ prefect_api_key_secret_arn }}" } }
    )
    assert.deepStrictEqual(imported({ job_configuration: configuration, variables }).pool["secrets"], {
      PREFECT_API_KEY: "arn:key"
    })
    const bare = { job_configuration: { task_definition: { requiresCompatibilities: ["EC2"] }, task_run_request: {} } }
    assert.deepInclude(imported(bare).pool, { launchType: null })
  })

  it("what cannot be carried over is left out and told: where, why, what to do", () => {
    const { pool, left } = imported(
      withDefaults(
        { image: "{{ prefect.variables.image }}", cpu: "half" },
        {
          definition: { Volumes: [], family: "{{ $FAMILY }}", pidMode: "{{ nobody }}" },
          request: { count: 3, clientToken: "x", startedBy: "me", referenceId: "kept" },
          more: { own_member: 1, name: "flow" }
        }
      )
    )
    assert.deepStrictEqual(pool["taskRunRequest"], { referenceId: "kept" })
    assert.notProperty(pool, "taskDefinition")
    assert.deepStrictEqual(left.map(({ path }) => path).toSorted(), [
      "job_configuration.aws_credentials",
      "job_configuration.name",
      "job_configuration.own_member",
      "job_configuration.task_definition.family",
      "job_configuration.task_definition.pidMode",
      "job_configuration.task_run_request.clientToken",
      "job_configuration.task_run_request.count",
      "job_configuration.task_run_request.startedBy",
      "variables.properties.command",
      "variables.properties.cpu.default",
      "variables.properties.image",
      "variables.properties.image.default"
    ])
    for (const item of left) for (const text of [item.why, item.advice]) assert.isAbove(text.length, 10)
  })

  it.each([null, [], {}, { variables: {} }, { job_configuration: "x" }])("%o is none", (value) => {
    assert.isUndefined(importTemplate(value, { runTimeoutSecondsMax: DAY }))
  })
})
