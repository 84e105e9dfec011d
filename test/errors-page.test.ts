import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { rows } from "#aws/AwsErrorRows.ts"
import { failureRows } from "#aws/AwsFailureRows.ts"
import { errorCodes } from "#ecs-core/ErrorGuide.ts"

const COMMAND = "node docs/errors/generate.ts"
const page = readFileSync(join(process.cwd(), "docs/errors.md"), "utf8")

describe("docs/errors.md", () => {
  it.effect(`is current (else: ${COMMAND})`, () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "errors-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      execFileSync(process.execPath, [...COMMAND.split(" ").slice(1), folder])
      assert.strictEqual(
        page,
        readFileSync(join(folder, "errors.md"), "utf8"),
        `docs/errors.md is stale: run ${COMMAND}`
      )
    })
  )

  it("has every code and every text of the tables", () => {
    for (const code of errorCodes) assert.include(page, `\n### ${code}\n`)
    for (const { example } of rows) assert.include(page, example.text)
    for (const { example } of failureRows) assert.include(page, example.reason)
  })
})
