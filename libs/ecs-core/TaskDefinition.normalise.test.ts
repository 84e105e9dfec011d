import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { type Json, objectsOf } from "#ecs-core/Json.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import { definitionKey, equalDefinitions, normalise } from "#ecs-core/TaskDefinition.ts"
import { aJob } from "#test/support/builders.ts"

const region = "eu-central-1"

const definitionOf = () =>
  prepareTaskDefinition(
    aJob({
      image: "alpine:3.20",
      executionRoleArn: "arn:aws:iam::123456789012:role/jobs-execution",
      secrets: { DB: "arn:secret:db", API: "arn:secret:api" }
    }),
    region
  ).definition

/** The answer of DescribeTaskDefinition to a registered `definitionOf()`, as ECS fills it in. */
const readBack = () => ({
  ...definitionOf(),
  taskDefinitionArn: "arn:aws:ecs:eu-central-1:123456789012:task-definition/fleet_default:7",
  revision: 7,
  status: "ACTIVE",
  compatibilities: ["EC2", "FARGATE", "MANAGED_INSTANCES"],
  requiresAttributes: [
    { name: "com.amazonaws.ecs.capability.logging-driver.awslogs" },
    { name: "ecs.capability.task-eni" }
  ],
  registeredAt: new Date("2026-03-01T09:30:00Z"),
  registeredBy: "arn:aws:sts::123456789012:assumed-role/jobs-dispatcher/session",
  placementConstraints: [],
  volumes: [],
  enableFaultInjection: false,
  tags: [],
  containerDefinitions: definitionOf().containerDefinitions.map((container) => ({
    ...container,
    cpu: 0,
    portMappings: [],
    environment: [],
    environmentFiles: [],
    mountPoints: [],
    volumesFrom: [],
    systemControls: [],
    secrets: objectsOf(container["secrets"]).toReversed(),
    logConfiguration: { ...logs(container), secretOptions: [] }
  }))
})

const logs = (container: Json): object => ({ ...Object(container["logConfiguration"]) })

const withContainer = (change: object, definition: object = {}) => ({
  family: "f",
  ...definition,
  containerDefinitions: [{ name: "main", image: "i", ...change }]
})

describe("normalise", () => {
  it("a definition equals what ECS reads back of it, and shares its key (scenario 96)", () => {
    assert.deepStrictEqual(normalise(readBack()), normalise(definitionOf()))
    assert.isTrue(equalDefinitions(readBack(), definitionOf()))
    assert.strictEqual(definitionKey(readBack(), region), definitionKey(definitionOf(), region))
  })

  it.each([
    "compatibilities",
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "registeredAt",
    "registeredBy",
    "deregisteredAt"
  ])("ignores %s (peers 43)", (field) => {
    assert.isTrue(equalDefinitions({ ...definitionOf(), [field]: "something" }, definitionOf()))
  })

  it.each([
    {
      what: "no network mode is bridge (peers 44)",
      a: withContainer({}),
      b: withContainer({}, { networkMode: "bridge" })
    },
    { what: "no essential is true (peers 45)", a: withContainer({}), b: withContainer({ essential: true }) },
    {
      what: "environment in any order (peers 46)",
      a: withContainer({
        environment: [
          { name: "A", value: "1" },
          { name: "B", value: "2" }
        ]
      }),
      b: withContainer({
        environment: [
          { name: "B", value: "2" },
          { name: "A", value: "1" }
        ]
      })
    },
    {
      what: "secrets in any order (peers 46)",
      a: withContainer({
        secrets: [
          { name: "A", valueFrom: "1" },
          { name: "B", valueFrom: "2" }
        ]
      }),
      b: withContainer({
        secrets: [
          { name: "B", valueFrom: "2" },
          { name: "A", valueFrom: "1" }
        ]
      })
    },
    {
      what: "environment files in any order (peers 46)",
      a: withContainer({
        environmentFiles: [
          { value: "a", type: "s3" },
          { value: "b", type: "s3" }
        ]
      }),
      b: withContainer({
        environmentFiles: [
          { value: "b", type: "s3" },
          { value: "a", type: "s3" }
        ]
      })
    },
    {
      what: "null, empty text, list and object are nothing (peers 47)",
      a: withContainer({}),
      b: withContainer({ user: "", links: [], linuxParameters: { devices: [] }, hostname: null })
    },
    {
      what: "no fault injection (peers 48)",
      a: withContainer({}),
      b: withContainer({}, { enableFaultInjection: false })
    },
    { what: "container cpu 0 (peers 48)", a: withContainer({}), b: withContainer({ cpu: 0 }) },
    {
      what: "protocol tcp, and a bridge's host port 0 (peers 48)",
      a: withContainer({ portMappings: [{ containerPort: 80 }] }),
      b: withContainer({ portMappings: [{ containerPort: 80, hostPort: 0, protocol: "tcp" }] })
    },
    {
      what: "the host port that awsvpc implies (peers 48)",
      a: withContainer({ portMappings: [{ containerPort: 80 }] }, { networkMode: "awsvpc" }),
      b: withContainer(
        { portMappings: [{ containerPort: 80, hostPort: 80, protocol: "tcp" }] },
        { networkMode: "awsvpc" }
      )
    },
    {
      what: "the host port that host implies (peers 48)",
      a: withContainer({ portMappings: [{ containerPort: 80 }] }, { networkMode: "host" }),
      b: withContainer({ portMappings: [{ containerPort: 80, hostPort: 80 }] }, { networkMode: "host" })
    },
    {
      what: "ports in any order, also two protocols of one port (peers 48)",
      a: withContainer({
        portMappings: [{ containerPort: 53 }, { containerPort: 53, protocol: "udp" }, { containerPort: 8 }]
      }),
      b: withContainer({
        portMappings: [{ containerPort: 8 }, { containerPort: 53, protocol: "udp" }, { containerPort: 53 }]
      })
    },
    {
      what: "compatibilities in any order (peers 48)",
      a: withContainer({}, { requiresCompatibilities: ["EC2", "FARGATE"] }),
      b: withContainer({}, { requiresCompatibilities: ["FARGATE", "EC2"] })
    },
    {
      what: "1 vCPU and 2 GB (peers 48)",
      a: withContainer({}, { cpu: "1 vCPU", memory: "2 GB" }),
      b: withContainer({}, { cpu: "1024", memory: "2048" })
    },
    {
      what: "a size of a container as text, and one of 0",
      a: withContainer({ cpu: 256, memory: 512 }),
      b: withContainer({ cpu: "256", memory: "0.5 GB", memoryReservation: 0 })
    },
    {
      what: "mount points that can be written to, volumes without a place",
      a: withContainer({ mountPoints: [{ sourceVolume: "v", containerPath: "/v" }] }, { volumes: [{ name: "v" }] }),
      b: withContainer(
        { mountPoints: [{ sourceVolume: "v", containerPath: "/v", readOnly: false }], volumesFrom: [] },
        { volumes: [{ name: "v", host: {} }] }
      )
    },
    {
      what: "the defaults of a health check",
      a: withContainer({ healthCheck: { command: ["CMD", "true"] } }),
      b: withContainer({
        healthCheck: { command: ["CMD", "true"], interval: 30, timeout: 5, retries: 3, startPeriod: 0 }
      })
    },
    {
      what: ".25 vcpu and 0.5GB (peers 48)",
      a: withContainer({}, { cpu: ".25 vcpu", memory: "0.5GB" }),
      b: withContainer({}, { cpu: 256, memory: "512" })
    }
  ])("$what", ({ a, b }) => {
    assert.deepStrictEqual(normalise(a), normalise(b))
  })

  it.each([
    { what: "a container that is not essential", a: withContainer({}), b: withContainer({ essential: false }) },
    { what: "stopTimeout 0", a: withContainer({}), b: withContainer({ stopTimeout: 0 }) },
    { what: "a false that is meant", a: withContainer({}), b: withContainer({ privileged: false }) },
    { what: "an empty argument", a: withContainer({ command: ["echo"] }), b: withContainer({ command: ["echo", ""] }) },
    {
      what: "the order of arguments",
      a: withContainer({ command: ["a", "b"] }),
      b: withContainer({ command: ["b", "a"] })
    },
    {
      what: "the order of containers",
      a: { containerDefinitions: [{ name: "a" }, { name: "b" }] },
      b: { containerDefinitions: [{ name: "b" }, { name: "a" }] }
    },
    {
      what: "a volume that is only read",
      a: withContainer({ mountPoints: [{ sourceVolume: "v", containerPath: "/v" }] }),
      b: withContainer({ mountPoints: [{ sourceVolume: "v", containerPath: "/v", readOnly: true }] })
    },
    {
      what: "another interval of health checks",
      a: withContainer({ healthCheck: { command: ["CMD", "true"] } }),
      b: withContainer({ healthCheck: { command: ["CMD", "true"], interval: 10 } })
    },
    {
      what: "another variable",
      a: withContainer({ environment: [{ name: "A", value: "1" }] }),
      b: withContainer({ environment: [{ name: "A", value: "" }] })
    },
    { what: "fault injection on", a: withContainer({}), b: withContainer({}, { enableFaultInjection: true }) },
    {
      what: "a host port of its own",
      a: withContainer({ portMappings: [{ containerPort: 80 }] }),
      b: withContainer({ portMappings: [{ containerPort: 80, hostPort: 8080 }] })
    }
  ])("keeps apart: $what", ({ a, b }) => {
    assert.notDeepEqual(normalise(a), normalise(b))
  })

  it.prop(
    "is done once: normalising again changes nothing",
    [Schema.Record(Schema.String, Schema.Json)],
    ([definition]) => {
      const once = normalise(definition)
      assert.deepStrictEqual(normalise(once), once)
    }
  )
})

const frozen = <A>(value: A): A => {
  if (typeof value === "object" && value !== null && !(value instanceof Date))
    Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

describe("comparing", () => {
  it("changes neither of its inputs (peers 49)", () => {
    assert.isTrue(equalDefinitions(frozen(readBack()), frozen(definitionOf())))
    assert.match(definitionKey(frozen(readBack()), region), /^[0-9a-f]{64}$/)
  })

  it("the key is the same today and tomorrow, and another one in another region", () => {
    const key = definitionKey(definitionOf(), region)
    assert.strictEqual(key, "e0862fa21870e9b53fbc60a122e5e7e46f32b695da1da895a882b77fc8e091b1")
    assert.notStrictEqual(definitionKey(definitionOf(), "us-east-1"), key)
  })
})
