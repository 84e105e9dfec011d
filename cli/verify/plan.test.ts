import { assert, describe, it } from "@effect/vitest"
import type { Json } from "#ecs-core/Json.ts"
import { different, type PoolPlan, planOf } from "./plan.ts"

const context = {
  runTimeoutSecondsMax: 1000,
  region: "us-east-1",
  regionOfSet: (name: string | undefined) => (name === "team-a" ? "eu-west-1" : undefined)
}

const builtIn: PoolPlan = {
  pool: "p",
  target: { region: "us-east-1" },
  cluster: "default",
  executionRoleArn: undefined,
  isLinked: false,
  logs: { group: "fleet", region: "us-east-1", isCreated: true },
  network: {},
  fargate: { vcpus: 1, isSpot: false }
}

const { network: _network, fargate: _fargate, ...offFargate } = builtIn
const { logs: _logs, ...silent } = builtIn

describe("what a pool asks of AWS", () => {
  it.each<readonly [string, Json, PoolPlan]>([
    ["nothing said", {}, builtIn],
    [
      "region of its set, unless it has one",
      { credentials: "team-a" },
      {
        ...builtIn,
        target: { region: "eu-west-1", credentials: "team-a" },
        logs: { group: "fleet", region: "eu-west-1", isCreated: true }
      }
    ],
    [
      "its own region, cluster and role",
      { region: "eu-central-1", cluster: "jobs", executionRoleArn: "arn" },
      {
        ...builtIn,
        target: { region: "eu-central-1" },
        cluster: "jobs",
        executionRoleArn: "arn",
        logs: { group: "fleet", region: "eu-central-1", isCreated: true }
      }
    ],
    [
      "free members",
      {
        taskRunRequest: { cluster: "jobs", networkConfiguration: { awsvpcConfiguration: { subnets: ["a"] } } },
        taskDefinition: { cpu: "2 vCPU", executionRoleArn: "arn" }
      },
      {
        ...builtIn,
        cluster: "jobs",
        executionRoleArn: "arn",
        network: { subnets: ["a"] },
        fargate: { vcpus: 2, isSpot: false }
      }
    ],
    ["EC2 without a network of its own", { launchType: "EC2" }, offFargate],
    [
      "EC2 with one",
      { launchType: "EC2", vpcId: "v", networkConfiguration: { subnets: ["a"] } },
      { ...offFargate, network: { vpcId: "v", subnets: ["a"] } }
    ],
    ["Spot", { launchType: "FARGATE_SPOT", cpu: 512 }, { ...builtIn, fargate: { vcpus: 0.5, isSpot: true } }],
    [
      "Spot with a base on demand: counted there",
      {
        capacityProviderStrategy: [
          { capacityProvider: "FARGATE", base: 1 },
          { capacityProvider: "FARGATE_SPOT", weight: 1 }
        ]
      },
      builtIn
    ],
    ["no logs", { configureCloudwatchLogs: false }, silent],
    ["a definition kept elsewhere", { taskDefinitionArn: "family" }, { ...silent, isLinked: true }],
    [
      "a log group that somebody else makes",
      {
        cloudwatchLogsOptions: { "awslogs-group": "g", "awslogs-create-group": "false", "awslogs-region": "eu-west-3" }
      },
      { ...builtIn, logs: { group: "g", region: "eu-west-3", isCreated: false } }
    ],
    ["limits", { maxRunning: 3, maxSubmitPerSecond: 0.5 }, { ...builtIn, maxRunning: 3, maxSubmitPerSecond: 0.5 }],
    [
      "a placeholder with a default",
      { variables: { c: { default: "jobs" } }, cluster: "{{ c }}" },
      { ...builtIn, cluster: "jobs" }
    ],
    ["a placeholder without one: what is built in", { variables: { c: {} }, cluster: "{{ c }}" }, builtIn]
  ])("%s", (_, pool, expected) => {
    assert.deepStrictEqual(planOf("p", pool, context), expected)
  })

  it("is unknown of a pool that cannot be read", () => {
    assert.isUndefined(planOf("p", { cpu: "many" }, context))
  })

  it("is asked once, whichever pools need it", () => {
    const plans = [builtIn, { ...builtIn, pool: "q" }, { ...builtIn, pool: "r", cluster: "jobs" }]
    assert.deepStrictEqual(
      different(plans, ({ cluster }) => cluster).map(({ pools, what }) => [what, pools.map(({ pool }) => pool)]),
      [
        ["default", ["p", "q"]],
        ["jobs", ["r"]]
      ]
    )
    assert.deepStrictEqual(
      different(plans, ({ maxRunning }) => maxRunning),
      []
    )
  })
})
