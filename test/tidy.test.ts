/**
 * The style of this repository as a test, over every file that is, or may become, part of it. Each message names the place
 * and the fix. What a rule means is in `test/tidy/`, where each also has a test of its own.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import {
  noFocus,
  noMachinePaths,
  skipsHaveReasons,
  subjectsInOnePlace,
  testsWaitForFacts,
  timeIsAnArgument
} from "#test/tidy/calls.ts"
import { importDirection } from "#test/tidy/imports.ts"
import { fileLength, missingRooms, oneTitle } from "#test/tidy/layout.ts"
import { format, type SourceFile, type Violation } from "#test/tidy/Rule.ts"
import { names } from "#test/tidy/words.ts"

const rules = [
  importDirection,
  names,
  testsWaitForFacts,
  timeIsAnArgument,
  subjectsInOnePlace,
  noFocus,
  skipsHaveReasons,
  noMachinePaths,
  fileLength,
  oneTitle
]

const git = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"]
const paths = execFileSync("git", git, { encoding: "utf8" })
  .split("\0")
  .filter((path) => path !== "" && existsSync(path))
const files = paths
  .map((path): SourceFile => ({ path, text: readFileSync(path, "utf8") }))
  .filter(({ text }) => !text.includes("\0"))

const report = (violations: ReadonlyArray<Violation>): string => violations.map(format).join("\n")

describe("tidy", () => {
  it("sees the repository's files", () => {
    assert.include(paths, "package.json")
    assert.isAbove(files.length, 50)
  })

  it.each(rules)("$name", ({ check }) => {
    assert.strictEqual(report(files.flatMap(check)), "")
  })

  it("every service has the same rooms", () => {
    assert.strictEqual(report(missingRooms(new Set(paths))), "")
  })
})
