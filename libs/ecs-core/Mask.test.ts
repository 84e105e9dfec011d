import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { MASK, mask } from "#ecs-core/Mask.ts"

const CANARY = "canary-7f3a"

const shapes: ReadonlyArray<(secret: unknown) => unknown> = [
  (secret) => ({ env: { TOKEN: secret } }),
  (secret) => ({ variables: { TOKEN: secret } }),
  (secret) => ({ variables: { TOKEN: { deep: [secret] } } }),
  (secret) => ({ env: [`TOKEN=${String(secret)}`] }),
  (secret) => ({ env: `TOKEN=${String(secret)}` }),
  (secret) => ({ env: { TOKEN: { deep: [secret] } } }),
  (secret) => ({ environment: [{ name: "TOKEN", value: secret }] }),
  (secret) => ({ environment: [{ name: "TOKEN", valeu: secret }] }),
  (secret) => ({ environment: [{ name: { first: secret } }] }),
  (secret) => ({ environment: [[secret]] }),
  (secret) => ({ taskDefinition: { containerDefinitions: [{ environment: [{ name: "TOKEN", value: secret }] }] } }),
  (secret) => ({ overrides: { containerOverrides: [{ name: "main", environment: [{ name: "T", value: secret }] }] } })
]

describe("mask", () => {
  it.each(shapes.map((shape) => ({ shape, text: JSON.stringify(shape("…")) })))("hides $text", ({ shape }) => {
    const masked = JSON.stringify(mask(shape(CANARY)))
    assert.notInclude(masked, CANARY)
    assert.notInclude(masked, [...CANARY].join('","'))
    assert.include(masked, MASK)
  })

  it.prop(
    "a value of the environment never shows, whatever is around it",
    [Arbitrary.schema(Schema.Record(Schema.String, Schema.Json)), Schema.Literals(shapes.map((_, n) => n))],
    ([around, n]) => {
      const shape = shapes[n] ?? ((secret: unknown) => ({ env: secret }))
      const masked = JSON.stringify(mask({ around, list: [{ inner: shape(CANARY) }] }))
      assert.notInclude(masked, CANARY)
    }
  )

  it("hides values whole, short ones too, in requests and definitions, and changes neither (peers 73)", () => {
    const shown = {
      env: { A: "x", B: "", TOKEN: CANARY, UNSET: null },
      taskDefinition: { containerDefinitions: [{ name: "main", environment: [{ name: "A", value: "x" }] }] },
      taskRunRequest: { overrides: { containerOverrides: [{ environment: [{ name: "B", value: CANARY }] }] } }
    }
    const before = structuredClone(shown)
    assert.deepStrictEqual(mask(shown), {
      env: { A: MASK, B: MASK, TOKEN: MASK, UNSET: null },
      taskDefinition: { containerDefinitions: [{ name: "main", environment: [{ name: "A", value: MASK }] }] },
      taskRunRequest: { overrides: { containerOverrides: [{ environment: [{ name: "B", value: MASK }] }] } }
    })
    assert.deepStrictEqual(shown, before)
  })

  it.each([
    { taskDefinition: { containerDefinitions: [{ enviroment: [{ name: "T", value: CANARY }] }] } },
    { taskDefinition: { containerDefinitions: [{ image: { env: CANARY } }] } },
    { taskDefinition: { containerDefinitions: { main: { environment: CANARY } } } },
    { taskDefinition: { containerDefinitions: [CANARY] } },
    { taskDefinition: { Env: { T: CANARY } } },
    { taskRunRequest: { overrides: { containerOverrides: [{ Environment: { T: CANARY } }] } } },
    { taskRunRequest: { overrides: CANARY } },
    { taskDefinition: { volumes: [{ dockerVolumeConfiguration: { driverOpts: { o: `password=${CANARY}` } } }] } },
    {
      taskDefinition: {
        containerDefinitions: [{ logConfiguration: { logDriver: "splunk", options: { "splunk-token": CANARY } } }]
      }
    },
    {
      taskDefinition: {
        containerDefinitions: [
          { logConfiguration: { logDriver: "awsfirelens", options: { Name: "x", apikey: CANARY } } }
        ]
      }
    }
  ])("what a free object holds in an unknown place, or as a driver's secret, never shows: %j", (request) => {
    const masked = JSON.stringify(mask(request))
    assert.notInclude(masked, CANARY)
    assert.include(masked, MASK)
  })

  it("of free objects everything else shows", () => {
    const request = {
      taskDefinition: {
        cpu: "256",
        containerDefinitions: [
          {
            name: "main",
            image: "alpine",
            command: ["echo"],
            secrets: [{ name: "DB", valueFrom: "arn:secret" }],
            repositoryCredentials: { credentialsParameter: "arn:secret" },
            logConfiguration: { logDriver: "awslogs", options: { "awslogs-group": "g" } },
            portMappings: [{ containerPort: 80 }]
          }
        ]
      },
      taskRunRequest: {
        launchType: "EC2",
        tags: [{ key: "team", value: "data" }],
        overrides: { cpu: 256, memory: null }
      }
    }
    assert.deepStrictEqual(mask(request), request)
  })

  it("keeps names, what is unset, and everything that is no environment", () => {
    const request = {
      image: "alpine",
      command: ["echo", "hello"],
      secrets: { DB: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db" },
      cpu: 256,
      env: { TOKEN: CANARY, DEBUG: null }
    }
    assert.deepStrictEqual(mask(request), { ...request, env: { TOKEN: MASK, DEBUG: null } })
  })
})
