import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { MASK, mask } from "#ecs-core/Mask.ts"

const CANARY = "canary-7f3a"

const shapes: ReadonlyArray<(secret: unknown) => unknown> = [
  (secret) => ({ env: { TOKEN: secret } }),
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
    "statement 73: a value of the environment never shows, whatever is around it",
    [Arbitrary.schema(Schema.Record(Schema.String, Schema.Json)), Schema.Literals(shapes.map((_, n) => n))],
    ([around, n]) => {
      const shape = shapes[n] ?? ((secret: unknown) => ({ env: secret }))
      const masked = JSON.stringify(mask({ around, list: [{ inner: shape(CANARY) }] }))
      assert.notInclude(masked, CANARY)
    }
  )

  it("statement 73: hides short values whole", () => {
    assert.deepStrictEqual(mask({ env: { A: "x", B: "" } }), { env: { A: MASK, B: MASK } })
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

  it("statement 73: leaves the request itself as it is", () => {
    const request = { env: { TOKEN: CANARY } }
    mask(request)
    assert.deepStrictEqual(request, { env: { TOKEN: CANARY } })
  })
})
