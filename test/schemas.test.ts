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
    { name: "run.cancel", value: { graceSeconds: 121 } },
    { name: "run.finished", value: { runId: "a" } },
    { name: "logs", value: { attempt: 0, lines: [], positions: [] } }
  ])("$name: refuses $value", ({ name, value }) => {
    assert.isFalse(readerOf(name)(value))
  })

  it.each(["run.cancel", "run.finished", "logs"])("%s.json lets messages grow", (name) => {
    assert.notInclude(readFileSync(join(folder, `${name}.json`), "utf8"), '"additionalProperties": false')
  })
})
