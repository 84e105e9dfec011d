import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { resolveJob } from "#ecs-core/Job.ts"
import { definitionKey, equalDefinitions, normalise, prepareTaskDefinition } from "#ecs-core/TaskDefinition.ts"

const region = "eu-central-1"

const definitionOf = () =>
  prepareTaskDefinition(
    Result.getOrThrow(
      resolveJob(
        {
          image: "alpine:3.20",
          executionRoleArn: "arn:aws:iam::123456789012:role/jobs-execution",
          secrets: { DB: "arn:secret:db", API: "arn:secret:api" }
        },
        undefined,
        86_400
      )
    ),
    region
  )

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
    secrets: container.secrets?.toReversed(),
    logConfiguration: { ...container.logConfiguration, secretOptions: [] }
  }))
})

const withContainer = (change: object, definition: object = {}) => ({
  family: "f",
  ...definition,
  containerDefinitions: [{ name: "main", image: "i", ...change }]
})

describe("normalise", () => {
  it("statements 43–48: a definition equals what ECS reads back of it, and shares its key", () => {
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
  ])("statement 43: ignores %s", (field) => {
    assert.isTrue(equalDefinitions({ ...definitionOf(), [field]: "something" }, definitionOf()))
  })

  it.each([
    { what: "44: no network mode is bridge", a: withContainer({}), b: withContainer({}, { networkMode: "bridge" }) },
    { what: "45: no essential is true", a: withContainer({}), b: withContainer({ essential: true }) },
    {
      what: "46: environment in any order",
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
      what: "46: secrets in any order",
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
      what: "46: environment files in any order",
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
      what: "47: null, empty text, list and object are nothing",
      a: withContainer({}),
      b: withContainer({ user: "", links: [], linuxParameters: { devices: [] }, hostname: null })
    },
    { what: "48: no fault injection", a: withContainer({}), b: withContainer({}, { enableFaultInjection: false }) },
    { what: "48: container cpu 0", a: withContainer({}), b: withContainer({ cpu: 0 }) },
    {
      what: "48: protocol tcp, and a bridge's host port 0",
      a: withContainer({ portMappings: [{ containerPort: 80 }] }),
      b: withContainer({ portMappings: [{ containerPort: 80, hostPort: 0, protocol: "tcp" }] })
    },
    {
      what: "48: the host port that awsvpc implies",
      a: withContainer({ portMappings: [{ containerPort: 80 }] }, { networkMode: "awsvpc" }),
      b: withContainer(
        { portMappings: [{ containerPort: 80, hostPort: 80, protocol: "tcp" }] },
        { networkMode: "awsvpc" }
      )
    },
    {
      what: "48: the host port that host implies",
      a: withContainer({ portMappings: [{ containerPort: 80 }] }, { networkMode: "host" }),
      b: withContainer({ portMappings: [{ containerPort: 80, hostPort: 80 }] }, { networkMode: "host" })
    },
    {
      what: "48: ports in any order, also two protocols of one port",
      a: withContainer({
        portMappings: [{ containerPort: 53 }, { containerPort: 53, protocol: "udp" }, { containerPort: 8 }]
      }),
      b: withContainer({
        portMappings: [{ containerPort: 8 }, { containerPort: 53, protocol: "udp" }, { containerPort: 53 }]
      })
    },
    {
      what: "48: compatibilities in any order",
      a: withContainer({}, { requiresCompatibilities: ["EC2", "FARGATE"] }),
      b: withContainer({}, { requiresCompatibilities: ["FARGATE", "EC2"] })
    },
    {
      what: "48: 1 vCPU and 2 GB",
      a: withContainer({}, { cpu: "1 vCPU", memory: "2 GB" }),
      b: withContainer({}, { cpu: "1024", memory: "2048" })
    },
    {
      what: "48: .25 vcpu and 0.5GB",
      a: withContainer({}, { cpu: ".25 vcpu", memory: "0.5GB" }),
      b: withContainer({}, { cpu: 256, memory: "512" })
    }
  ])("statement $what", ({ a, b }) => {
    assert.deepStrictEqual(normalise(a), normalise(b))
  })

  it.each([
    { what: "a container that is not essential", a: withContainer({}), b: withContainer({ essential: false }) },
    { what: "statement 35: stopTimeout 0", a: withContainer({}), b: withContainer({ stopTimeout: 0 }) },
    { what: "statement 35: a false that is meant", a: withContainer({}), b: withContainer({ privileged: false }) },
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
  it("statement 49: changes neither of its inputs", () => {
    assert.isTrue(equalDefinitions(frozen(readBack()), frozen(definitionOf())))
    assert.match(definitionKey(frozen(readBack()), region), /^[0-9a-f]{64}$/)
  })

  it("the key is the same today and tomorrow, and another one in another region", () => {
    const key = definitionKey(definitionOf(), region)
    assert.strictEqual(key, "e0862fa21870e9b53fbc60a122e5e7e46f32b695da1da895a882b77fc8e091b1")
    assert.notStrictEqual(definitionKey(definitionOf(), "us-east-1"), key)
  })
})
