import { assert, describe, it } from "@effect/vitest"
import { nearest } from "#ecs-core/Nearest.ts"

const fields = ["image", "command", "cpu", "memory", "runTimeoutSeconds", "retry", "environment"]

describe("nearest", () => {
  it.each([
    { what: "a letter missing", word: "comand", expected: "command" },
    { what: "a letter too many", word: "imagee", expected: "image" },
    { what: "a letter replaced", word: "mamory", expected: "memory" },
    { what: "two neighbours swapped in a short word", word: "cup", expected: "cpu" },
    { what: "two neighbours swapped in a longer word", word: "ertry", expected: "retry" },
    { what: "other case", word: "RUNTIMEOUTSECONDS", expected: "runTimeoutSeconds" },
    { what: "three mistakes in a long word", word: "runTimeotSecnd", expected: "runTimeoutSeconds" },
    { what: "four mistakes in a long word", word: "runTimotSecnd", expected: undefined },
    { what: "two mistakes in a short word", word: "reetri", expected: "retry" },
    { what: "nothing near", word: "parallelism", expected: undefined },
    { what: "no letters", word: "", expected: undefined },
    { what: "the word itself", word: "cpu", expected: "cpu" }
  ])("$what: $word → $expected", ({ word, expected }) => {
    assert.strictEqual(nearest(word, fields), expected)
  })

  it("takes - for _, as flags and variables are mixed up", () => {
    assert.strictEqual(nearest("FLEET-NATS-URL", ["FLEET_NATS_URL"]), "FLEET_NATS_URL")
  })

  it("prefers the nearer, and of equally near ones the first", () => {
    assert.strictEqual(nearest("stoped", ["stopped", "stoped"]), "stoped")
    assert.strictEqual(nearest("lunch", ["launch", "lunge"]), "launch")
    assert.strictEqual(nearest("bat", ["cat", "hat"]), "cat")
  })

  it("answers nothing when there is nothing to choose from", () => {
    assert.isUndefined(nearest("anything", []))
  })
})
