import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { hideValues, MASK, mask, maskedValues } from "#ecs-core/Mask.ts"

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

describe("a command", () => {
  it.each([
    { command: ["psql", "--password=hunter22", "db"], masked: ["psql", `--password=${MASK}`, "db"] },
    { command: ["app", "--api-key", "hunter22", "--verbose"], masked: ["app", "--api-key", MASK, "--verbose"] },
    { command: ["sh", "-c", "DB_PASSWORD=hunter22 exec app"], masked: ["sh", "-c", `DB_PASSWORD=${MASK} exec app`] },
    { command: "app --auth-token='hunter 22' x", masked: `app --auth-token=${MASK} x` },
    { command: ["curl", "-H", "Authorization: Bearer hunter22"], masked: ["curl", "-H", `Authorization: ${MASK}`] },
    { command: ["app", "postgres://me:hunter22@host/db"], masked: ["app", `postgres://me:${MASK}@host/db`] },
    {
      command: ["secretary", "report", "--tokens", "arn:aws:secretsmanager:eu-west-1:1:secret:db"],
      masked: ["secretary", "report", "--tokens", MASK]
    },
    { command: ["echo", "a secret: none", "tokens"], masked: ["echo", "a secret: none", "tokens"] }
  ])("shows all but what names itself a secret: $command", ({ command, masked }) => {
    assert.deepStrictEqual<unknown>(mask({ command }), { command: masked })
    const override = { taskRunRequest: { overrides: { containerOverrides: [{ command: [command].flat() }] } } }
    assert.notInclude(JSON.stringify(mask(override)), "hunter")
  })
})

describe("hideValues", () => {
  const input = {
    family: "nightly",
    containerDefinitions: [{ command: ["app", `--token=${CANARY}`], environment: [{ name: "T", value: 'line\n"2"' }] }],
    overrides: {
      containerOverrides: [
        {
          environment: [
            { name: "A", value: "1" },
            { name: "FLEET_RUN_ID", value: "run-17" },
            { name: "B", value: "long-value" }
          ]
        }
      ]
    }
  }

  it("hides what the mask hides of an input, wherever it stands in a text", () => {
    const text = `run-17: 1 of ${CANARY} in {"v":"line\\n\\"2\\""} and 'long-value' of nightly`
    const hidden = hideValues(text, maskedValues(input))
    assert.strictEqual(hidden, `run-17: 1 of ${MASK} in {"v":"${MASK}"} and '${MASK}' of nightly`)
  })

  it.each([
    { value: "abc", shown: "abc" },
    { value: "abcd", shown: MASK }
  ])("a value of $value.length characters shows as $shown", ({ shown, value }) => {
    assert.strictEqual(hideValues(value, maskedValues({ env: { A: value } })), shown)
  })
})
