import * as sdk from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { type Kind, type Members, taskDefinitionMembers, taskRunRequestMembers } from "#ecs-core/FreeMembers.ts"

/**
 * The SDK carries the API's own model: a structure is `[3, …, names, schemas]`, a union the same with 4, a list `[1, …, schema]`; a plain text is 0,
 * a number 1, true or false 2, a list of texts 64, a map 128. Schemas may be wrapped in functions, in pairs with traits,
 * and in names of their own (`[0, …, schema]`).
 */
const unwrap = (schema: unknown): unknown => {
  if (typeof schema === "function") return unwrap(schema())
  if (!Array.isArray(schema)) return schema
  if (schema.length === 2) return unwrap(schema[0])
  return schema[0] === 0 ? unwrap(schema[4]) : schema
}

const modelOf = (schema: unknown): unknown => {
  const model = unwrap(schema)
  if (!Array.isArray(model)) return plain.get(model) ?? `unknown ${String(model)}`
  const [kind, , , , names, schemas] = model as ReadonlyArray<unknown>
  if (kind === 1) {
    const item = modelOf(names)
    return typeof item === "object" ? { each: membersOf(item) } : `${String(item)}s`
  }
  if ((kind !== 3 && kind !== 4) || !Array.isArray(names) || !Array.isArray(schemas)) return `unknown ${String(kind)}`
  return { members: Object.fromEntries(names.map((name: string, at) => [name, modelOf(schemas[at])])) }
}

const plain: ReadonlyMap<unknown, string> = new Map([
  [0, "text"],
  [1, "number"],
  [2, "boolean"],
  [64, "texts"],
  [65, "numbers"],
  [128, "map"]
])

const membersOf = (model: unknown): unknown => (model as { readonly members: unknown }).members

/** Our table in the same words: a choice is a text; a size is what the SDK has there, text or number. */
const inWords = (kind: Kind, model: unknown): unknown => {
  if (kind === "size") return model === "number" ? "number" : "text"
  if (typeof kind === "string") return kind
  if ("oneOf" in kind) return "text"
  if ("members" in kind) return { members: tableInWords(kind.members, membersOf(model)) }
  return { each: tableInWords(kind.each, (model as { readonly each: unknown }).each) }
}

const tableInWords = (members: Members, model: unknown): unknown =>
  Object.fromEntries(
    Object.entries(members).map(([name, kind]) => [name, inWords(kind, (model as Record<string, unknown>)[name])])
  )

describe("known members of the free objects", () => {
  it.each([
    { what: "RegisterTaskDefinition", schema: sdk.RegisterTaskDefinitionRequest$, members: taskDefinitionMembers },
    { what: "RunTask", schema: sdk.RunTaskRequest$, members: taskRunRequestMembers }
  ])("are those of $what, name by name and kind by kind, at every depth", ({ schema, members }) => {
    const model = membersOf(modelOf(schema))
    assert.deepStrictEqual(tableInWords(members, model), model)
  })
})
