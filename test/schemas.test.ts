import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type JsonSchema, Result, Schema, SchemaRepresentation } from "effect"
import { publicSchemas } from "#ecs-core/PublicSchemas.ts"

const COMMAND = "node docs/schemas/generate.ts"
const folder = join(process.cwd(), "docs/schemas")
const golden = join(process.cwd(), "test/golden/messages/v1")

const readJson = (path: string): Record<string, Schema.Json> =>
  JSON.parse(readFileSync(path, "utf8")) as Record<string, Schema.Json>

/** A reader that knows nothing but the file, as a producer in another language. */
const readerOf = (name: string) => {
  const { $defs, ...schema } = readJson(join(folder, `${name}.json`))
  const document = {
    dialect: "draft-2020-12",
    schema,
    definitions: $defs ?? {}
  } as JsonSchema.Document<"draft-2020-12">
  const decode = Schema.decodeUnknownResult(
    SchemaRepresentation.fromJsonSchemaDocument(document, { patterns: "apply" }) as Schema.Codec<unknown>
  )
  return (value: unknown) => Result.isSuccess(decode(value, { onExcessProperty: "error" }))
}

describe("docs/schemas", () => {
  it.each(Object.entries(publicSchemas()))(`%s.json is current (else: ${COMMAND})`, (name, schema) => {
    const stored = readJson(join(folder, `${name}.json`))
    assert.deepStrictEqual(
      stored,
      JSON.parse(JSON.stringify(schema)),
      `docs/schemas/${name}.json is stale: run ${COMMAND}`
    )
  })

  it.effect(`${COMMAND} writes what is there`, () =>
    Effect.gen(function* () {
      const made = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "schemas-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      execFileSync(process.execPath, [...COMMAND.split(" ").slice(1), made])
      for (const file of readdirSync(made)) {
        assert.deepStrictEqual(readJson(join(made, file)), readJson(join(folder, file)))
      }
      assert.lengthOf(readdirSync(made), Object.keys(publicSchemas()).length)
    })
  )

  it("holds no schema that is not generated", () => {
    const names = readdirSync(folder).filter((name) => name.endsWith(".json"))
    assert.sameMembers(
      names,
      Object.keys(publicSchemas()).map((name) => `${name}.json`)
    )
  })

  it.each(
    readdirSync(golden)
      .map((file) => ({ file, name: file.replace(/\.json$/, "").replace(/--.*$/, "") }))
      .filter(({ name }) => name in publicSchemas())
  )("$name: accepts $file", ({ file, name }) => {
    assert.isTrue(readerOf(name)(readJson(join(golden, file))))
  })

  it.each([
    { name: "run.requested", value: { image: 5 } },
    { name: "run.requested", value: { cpu: 127 } },
    { name: "run.requested", value: { pool: "a.b" } },
    { name: "run.requested", value: { comand: ["x"] } },
    { name: "run.requested", value: { env: { "A=B": "x" } } },
    { name: "run.requested", value: { region: "mars" } },
    { name: "pool", value: { cpu: "much" } },
    { name: "pool", value: { image: "alpine", maxRuning: 1 } },
    { name: "pool", value: { maxRunning: "{{ many }}", variables: { many: {} } } },
    { name: "pool", value: { variables: { a: { defualt: 1 } } } },
    { name: "pools", value: { pools: { a: { imgae: "x" } } } },
    { name: "pools", value: { image: "alpine" } },
    { name: "run.cancel", value: { graceSeconds: 121 } },
    { name: "run.finished", value: { runId: "a" } },
    { name: "logs", value: { attempt: 0, lines: [], positions: [] } }
  ])("$name: refuses $value", ({ name, value }) => {
    assert.isFalse(readerOf(name)(value))
  })

  it.each([
    {},
    { image: "alpine", cpu: 512, maxRunning: 3, maxSubmitPerSecond: 0.5, credentials: "team-a" },
    {
      cpu: "{{ cpu }}",
      launchType: "{{ type }}",
      env: { A: "{{ a }}" },
      networkConfiguration: { subnets: ["{{ one }}"], assignPublicIp: "{{ public }}" },
      retry: "{{ retry }}",
      variables: { cpu: { default: 512, description: "CPU units" }, type: {} }
    }
  ])("pool and pools: accept %o", (pool) => {
    assert.isTrue(readerOf("pool")(pool))
    assert.isTrue(readerOf("pools")({ v: 1, pools: { nightly: pool } }))
  })

  it.each(["run.cancel", "run.finished", "logs"])("%s.json lets messages grow", (name) => {
    assert.notInclude(readFileSync(join(folder, `${name}.json`), "utf8"), '"additionalProperties": false')
  })
})
