import { execFile } from "node:child_process"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { tempFolder } from "#test/support/NatsServer.ts"

const report = (file: string, status: string, tests: Readonly<Record<string, string>>, message = "") => ({
  name: `libs/${file}`,
  status,
  message,
  assertionResults: Object.entries(tests).map(([fullName, status]) => ({ fullName, status }))
})

/** What the last step of `.ci/run` prints for these result files, and its exit code. */
const sum = Effect.fnUntraced(function* (files: Readonly<Record<string, unknown>>) {
  const folder = join(yield* tempFolder("ci"), "results")
  yield* Effect.promise(async () => {
    await mkdir(folder)
    for (const [name, content] of Object.entries(files)) {
      await writeFile(
        join(folder, name),
        typeof content === "string" ? content : JSON.stringify({ testResults: content })
      )
    }
  })
  return yield* Effect.callback<{ readonly lines: ReadonlyArray<string>; readonly failed: boolean }>((resume) => {
    execFile(process.execPath, [".ci/sum.js", folder], (error, stdout) =>
      resume(Effect.succeed({ lines: stdout.trimEnd().split("\n"), failed: error !== null }))
    )
  })
})

describe("the end of .ci/run", () => {
  it.live("adds up stages with and without a report, and lists what was skipped", () =>
    Effect.gen(function* () {
      const { lines, failed } = yield* sum({
        "install.exit": "0\n",
        "check.exit": "0\n",
        "tests.exit": "0\n",
        "tests.json": [
          report("a.test.ts", "passed", { one: "passed", "two (needs apt-get)": "pending", three: "todo" })
        ],
        "docker.skipped": "needs a Docker engine\n"
      })
      assert.deepStrictEqual(lines, [
        "skipped: docker (needs a Docker engine)",
        "skipped: a.test.ts: two (needs apt-get)",
        "skipped: a.test.ts: three",
        "3 passed, 0 failed, 3 skipped"
      ])
      assert.isFalse(failed)
    })
  )

  it.live.each([
    {
      what: "a failed test",
      files: { "tests.json": [report("a.test.ts", "failed", { one: "failed", two: "passed" })] }
    },
    { what: "a file that does not load", files: { "tests.json": [report("a.test.ts", "failed", {}, "no module")] } },
    {
      what: "an error after tests that passed",
      files: { "tests.json": [report("a.test.ts", "passed", { one: "passed" })] }
    },
    { what: "a stage that fails before its report", files: {} }
  ])("counts $what as one failure, and fails", ({ files }) =>
    Effect.gen(function* () {
      const { lines, failed } = yield* sum({ "install.exit": "0\n", "tests.exit": "1\n", ...files })
      assert.match(lines.at(-1) ?? "", /^\d passed, 1 failed, 0 skipped$/)
      assert.match(lines[0] ?? "", /^failed: /)
      assert.isTrue(failed)
    })
  )

  it.live("fails when nothing ran at all", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* sum({}), { lines: ["0 passed, 0 failed, 0 skipped"], failed: true })
    })
  )
})
