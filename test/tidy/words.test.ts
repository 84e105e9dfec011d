import { assert, describe, it } from "@effect/vitest"
import { codeOnly, withoutComments } from "#test/tidy/code.ts"
import { format } from "#test/tidy/Rule.ts"
import { names, unitProblem, wordsOf } from "#test/tidy/words.ts"

/** Spelt apart, since this file is read by the rules as well. */
const oneL = ["cancel", "ed"].join("")
const batchWord = ["job", "definition"].join(" ")

describe("names", () => {
  it.each([
    { path: "libs/utils/a.ts", text: "" },
    { path: "libs/aws/ecsHelpers.ts", text: "" },
    { path: "libs/aws/task-manager.ts", text: "" },
    { path: "libs/common.test.ts", text: "" },
    { path: "a.ts", text: "const stringUtils = 1" },
    { path: "a.ts", text: "export class TaskManager {}" },
    { path: "a.ts", text: "const EcsLive = layer" },
    { path: "a.ts", text: "const settings = {\n  timeoutMs: 5\n}" },
    { path: "a.ts", text: "interface A { readonly waitInSeconds?: number }" },
    { path: "a.ts", text: `const is${oneL[0]?.toUpperCase()}${oneL.slice(1)} = 1 // ${oneL}` },
    { path: "docs/a.md", text: `# A\n\nThe run was ${oneL}.` },
    { path: "docs/a.md", text: `# A\n\nA ${batchWord}.` }
  ])("finds $path: $text", ({ path, text }) => {
    assert.lengthOf(names.check({ path, text }), 1)
  })

  it.each([
    { path: "libs/aws/Ecs.ts", text: "const live = 1" },
    { path: "a.ts", text: 'import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream"' },
    { path: "a.ts", text: "const isAlive = manager.alive" },
    { path: "a.ts", text: "const params = forms({ items: 1, timeoutMillis: 2, ackWaitSeconds: 3 })" },
    { path: "a.ts", text: "const cancelled = isCancelled ? ms : items" },
    { path: "a.ts", text: '// utils\nconst text = "const utils = 1"' },
    { path: "docs/a.md", text: "# A\n\nCommon cases and helpers in prose are fine; so is a task definition." }
  ])("leaves $path: $text", ({ path, text }) => {
    assert.deepStrictEqual(names.check({ path, text }).map(format), [])
  })
})

describe("unitProblem", () => {
  it.each([
    { name: "timeoutMs", advice: "timeoutMillis" },
    { name: "ackWaitSecs", advice: "ackWaitSeconds" },
    { name: "waitInMs", advice: "waitMillis" },
    { name: "sizeInBytes", advice: "sizeBytes" },
    { name: "ageMins", advice: "ageMinutes" }
  ])("$name → $advice", ({ name, advice }) => {
    assert.match(unitProblem(name) ?? "", new RegExp(`e\\.g\\. ${advice}$`))
  })

  it.each(["timeoutMillis", "items", "runs", "pricesMin", "ms", "params", "startIn", "linesMax"])(
    "leaves %s",
    (name) => {
      assert.isUndefined(unitProblem(name))
    }
  )
})

describe("wordsOf", () => {
  it.each([
    { name: "runTimeoutSeconds", words: ["run", "timeout", "seconds"] },
    { name: "ECSLive", words: ["ecs", "live"] },
    { name: "task-manager", words: ["task", "manager"] },
    { name: "MAX_UTILS", words: ["max", "utils"] }
  ])("$name", ({ name, words }) => {
    assert.deepStrictEqual(wordsOf(name), words)
  })
})

describe("codeOnly", () => {
  it.each([
    { text: "a // b", code: "a     " },
    { text: "a /* b\nc */ d", code: "a     \n     d" },
    { text: 'a("// b")', code: "a(      )" },
    { text: "a('it\\'s')", code: "a(       )" },
    { text: "`a${b}c`", code: "    b   " },
    { text: "`a${f({ b: `c` })}d`", code: "    f({ b:     })   " },
    { text: "a / b // c", code: "a / b     " },
    { text: 'x.match(/"[/"]/g)', code: "x.match(       g)" },
    { text: "return /a/", code: "return    " }
  ])("$text", ({ text, code }) => {
    assert.strictEqual(codeOnly(text), code)
  })

  it("keeps strings where only comments go", () => {
    assert.strictEqual(withoutComments('a("b") // c'), 'a("b")     ')
  })
})
