import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result } from "effect"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Fault, readFault } from "#aws/model/Fault.ts"
import { Runtime } from "#aws/model/Runtime.ts"

const page = readFileSync("docs/local-aws.md", "utf8")

const shown = [...page.matchAll(/\{"action".*?\}(?=[`'])/g)].map(([fault]) => fault)

const model = EcsModel.layer().pipe(Layer.provide(Runtime.layerSimulated))

describe("docs/local-aws.md", () => {
  it.effect("shows faults, and each of them can be injected", () =>
    Effect.gen(function* () {
      const { ecs, ec2, logs } = yield* EcsModel
      const actions = [ecs, ec2, logs].flatMap((operations) => Object.keys(operations))
      assert.isAtLeast(shown.length, 12)
      for (const fault of shown) {
        const read = readFault(JSON.parse(fault), actions)
        assert.deepStrictEqual(Result.isFailure(read) ? read.failure : [], [], fault)
      }
    }).pipe(Effect.provide(model))
  )

  const { batch, page: pages, ...others } = Fault.fields
  const inside = (name: string, { schema }: typeof batch | typeof pages) =>
    Object.keys(schema.fields).map((member) => `${name}.${member}`)
  const members = [...Object.keys(others), "batch", "page", ...inside("batch", batch), ...inside("page", pages)]

  it.each(members.filter((member) => member !== "launched"))("has a row for %s", (member) => {
    assert.include(page, `\n| \`${member}\` |`)
  })
})
