import { assert, describe, it } from "@effect/vitest"
import { differences, equalDefinitions } from "#ecs-core/TaskDefinition.ts"

const withContainer = (change: object, definition: object = {}) => ({
  family: "f",
  ...definition,
  containerDefinitions: [{ name: "main", image: "i", ...change }]
})

describe("differences", () => {
  it.each([
    { what: "nothing", a: withContainer({}), b: withContainer({ cpu: 0 }, { revision: 7 }), paths: [] },
    {
      what: "the image",
      a: withContainer({}),
      b: withContainer({ image: "other" }),
      paths: ["containerDefinitions.0.image"]
    },
    {
      what: "what only one side has",
      a: withContainer({ user: "root" }, { cpu: "256" }),
      b: withContainer({ secrets: [{ name: "A", valueFrom: "arn" }] }),
      paths: ["cpu", "containerDefinitions.0.user", "containerDefinitions.0.secrets"]
    },
    {
      what: "another container",
      a: { containerDefinitions: [{ name: "a" }] },
      b: { containerDefinitions: [{ name: "a" }, { name: "b" }] },
      paths: ["containerDefinitions.1"]
    }
  ])("names the places that differ: $what", ({ a, b, paths }) => {
    assert.sameMembers([...differences(a, b)], paths)
    assert.strictEqual(differences(a, b).length === 0, equalDefinitions(a, b))
  })
})
