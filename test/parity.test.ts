import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { claimsIn } from "#test/parity/page/claims.ts"
import { COMMAND, isProven, isStatement, proofsOf, readRows } from "#test/parity/page/Page.ts"

/** That the tests named here also ran and passed is checked at the end of a full run, by the plugin `parity`. */
const text = readFileSync("docs/parity.md", "utf8")
const rows = readRows(text)
const statements = rows.filter(isStatement)
const proofs = proofsOf(rows)

describe("docs/parity.md", () => {
  it.effect(`is what ${COMMAND} makes`, () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "parity-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const made = join(folder, "parity.md")
      execFileSync(process.execPath, [...COMMAND.split(" ").slice(1), made])
      assert.isTrue(readFileSync(made, "utf8") === text, `docs/parity.md is stale: run ${COMMAND}`)
    })
  )

  it("has the 127 statements in their order", () => {
    assert.deepStrictEqual(
      statements.map(({ id }) => id),
      Array.from({ length: 127 }, (_, index) => `${index + 1}`)
    )
  })

  it("says of each what proves it, or why nothing does", () => {
    const empty = rows.filter(({ proof, text }) => proof === "" || text === "").map(({ id }) => id)
    assert.deepStrictEqual(empty, [], "name a test for each, or give a reason in test/parity/page/statements.yaml")
  })

  it("proves at least 80 of them", () => {
    assert.isAtLeast(statements.filter(isProven).length, 80)
  })

  it("names tests that exist", () => {
    const missing = proofs.filter(
      ({ file, name }) =>
        !existsSync(file) ||
        !claimsIn({ path: file, text: readFileSync(file, "utf8") }).some((claim) => claim.name === name)
    )
    assert.deepStrictEqual(missing, [])
  })

  it("knows every number that a test's name claims", () => {
    const known = new Set(rows.map(({ id }) => id))
    const files = [...new Set(proofs.map(({ file }) => file))]
    const claimed = files.flatMap((file) => claimsIn({ path: file, text: readFileSync(file, "utf8") }))
    const unknown = claimed.filter((claim) => claim.rows.length === 0 || claim.rows.some((row) => !known.has(row)))
    assert.deepStrictEqual(unknown, [])
  })
})
