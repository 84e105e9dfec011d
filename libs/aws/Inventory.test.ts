import { assert, describe, it } from "@effect/vitest"
import { trustedServices } from "./Inventory.ts"

const policy = (...statements: ReadonlyArray<object>) =>
  encodeURIComponent(JSON.stringify({ Version: "2012-10-17", Statement: statements }))

const tasks = { Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }

describe("services that a role trusts", () => {
  it.each<readonly [string, string | undefined, ReadonlyArray<string>]>([
    ["one", policy(tasks), ["ecs-tasks.amazonaws.com"]],
    ["a list", policy({ ...tasks, Principal: { Service: ["a", "b"] } }), ["a", "b"]],
    [
      "of several statements",
      policy(tasks, { ...tasks, Principal: { Service: "c" } }),
      ["ecs-tasks.amazonaws.com", "c"]
    ],
    [
      "a statement that is no list",
      encodeURIComponent(JSON.stringify({ Statement: tasks })),
      ["ecs-tasks.amazonaws.com"]
    ],
    ["not those that are denied", policy({ ...tasks, Effect: "Deny" }), []],
    ["not accounts", policy({ ...tasks, Principal: { AWS: "arn:aws:iam::1:root" } }), []],
    ["no policy", undefined, []]
  ])("%s", (_, document, expected) => {
    assert.deepStrictEqual(trustedServices(document), expected)
  })
})
