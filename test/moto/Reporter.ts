import { writeFileSync } from "node:fs"
import type { Reporter, TestModule } from "vitest/node"
import { notJudged } from "#test/moto/judged.ts"

/** The closing line: how many tests moto has judged. With MOTO_RESULTS, also a file of those alone, in the form of `.ci/sum.js`. */
export default class implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const files = modules.map(({ children, moduleId }) => ({
      name: moduleId,
      status: "passed",
      assertionResults: [...children.allTests()].map((test) => ({
        fullName: test.fullName,
        status: test.result().state
      }))
    }))
    const all = files.flatMap(({ assertionResults }) => assertionResults)
    const count = (status: string) => all.filter((test) => test.status === status).length
    const [passed, failed] = [count("passed"), count("failed")]
    const stale = notJudged.filter(
      (name) => !all.some(({ fullName }) => fullName.replaceAll(" > ", " ").includes(name))
    )
    for (const name of stale) console.log(`test/moto/judged.ts: no test is named «${name}» any more; take it out`)
    if (stale.length > 0) process.exitCode = 1
    console.log(`${passed + failed} tests judged by moto 5.2.5: ${passed} passed, ${failed} failed`)
    const results = process.env["MOTO_RESULTS"]
    const isJudged = ({ status }: { status: string }) => status !== "skipped"
    const testResults = files.map((file) => ({ ...file, assertionResults: file.assertionResults.filter(isJudged) }))
    if (results !== undefined) writeFileSync(results, JSON.stringify({ testResults }))
  }
}
