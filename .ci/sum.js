/**
 * Adds up the stages of `.ci/run`: lists each failed and each skipped test (a skip's name says what it needs), then one
 * line with the counts. A stage with a JSON report counts its tests, one without counts as one test. Exit code 1 when
 * anything failed. Plain JavaScript, so that it also runs where the installation failed.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"

const folder = process.argv[2] ?? "."
const read = (name) => readFileSync(join(folder, name), "utf8")

/** The tests of one vitest report; a file that could not even be loaded counts as one failed test. */
const testsOf = (report) =>
  report.testResults.flatMap((file) => {
    const tests = file.assertionResults.map(({ status, fullName }) => ({
      name: `${basename(file.name)}: ${fullName.trim()}`,
      status: status === "passed" || status === "failed" ? status : "skipped"
    }))
    const failedAlone = file.status === "failed" && !tests.some(({ status }) => status === "failed")
    return failedAlone ? [...tests, { name: `${basename(file.name)}: ${file.message}`, status: "failed" }] : tests
  })

const stageTests = (file) => {
  const stage = file.replace(/\.\w+$/, "")
  if (file.endsWith(".skipped")) return [{ name: `${stage} (${read(file).trim()})`, status: "skipped" }]
  const failed = read(file).trim() !== "0"
  if (!existsSync(join(folder, `${stage}.json`))) return [{ name: stage, status: failed ? "failed" : "passed" }]
  const tests = testsOf(JSON.parse(read(`${stage}.json`)))
  const hidden = failed && !tests.some(({ status }) => status === "failed")
  return hidden ? [...tests, { name: `${stage} ended with an error`, status: "failed" }] : tests
}

const all = readdirSync(folder)
  .toSorted()
  .filter((file) => file.endsWith(".exit") || file.endsWith(".skipped"))
  .flatMap(stageTests)
const named = (status) => all.filter((test) => test.status === status)
for (const status of ["failed", "skipped"]) for (const { name } of named(status)) console.log(`${status}: ${name}`)
const count = (status) => `${named(status).length} ${status}`
console.log(["passed", "failed", "skipped"].map(count).join(", "))
process.exitCode = named("failed").length > 0 || named("passed").length === 0 ? 1 : 0
