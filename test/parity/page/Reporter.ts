import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Plugin } from "vitest/config"
import type { Reporter, TestModule, TestRunEndReason, Vitest } from "vitest/node"
import { proofsOf, readRows } from "./Page.ts"
import { type Ran, unproven } from "./ran.ts"

/**
 * After a run of all tests: fails it where a test of theirs that `docs/parity.md` names did not run, or did not pass. A
 * run of some tests is left alone. `isOurs` tells the files that this command runs.
 */
class ParityReporter implements Reporter {
  private vitest: Vitest | undefined
  private readonly isOurs: (file: string) => boolean

  constructor(isOurs: (file: string) => boolean) {
    this.isOurs = isOurs
  }

  onInit(vitest: Vitest): void {
    this.vitest = vitest
  }

  async onTestRunEnd(modules: ReadonlyArray<TestModule>, _errors: unknown, reason: TestRunEndReason): Promise<void> {
    const { vitest } = this
    if (vitest === undefined || reason === "interrupted" || !(await isFull(vitest, modules))) return
    const page = readFileSync(join(vitest.config.root, "docs/parity.md"), "utf8")
    const proofs = proofsOf(readRows(page)).filter(({ file }) => this.isOurs(file))
    const failures = unproven(proofs, modules.flatMap(ranIn))
    if (failures.length === 0) return
    process.exitCode = 1
    vitest.logger.error(
      ["docs/parity.md names tests that did not run and pass:", ...failures].map((line) => `  ${line}`).join("\n")
    )
  }
}

/** A plugin, since reporters that a command line names take the place of those that are configured. */
export const parity = (isOurs: (file: string) => boolean): Plugin => ({
  name: "parity",
  configureVitest: ({ vitest }) => {
    const { reporters } = vitest.config
    if (!reporters.some((each) => each instanceof ParityReporter)) reporters.push(new ParityReporter(isOurs))
  }
})

/** Every file that there is, and nothing in it left out by its name. */
const isFull = async (vitest: Vitest, modules: ReadonlyArray<TestModule>): Promise<boolean> => {
  if (vitest.config.testNamePattern !== undefined) return false
  const all = await vitest.globTestSpecifications()
  const ran = new Set(modules.map(({ moduleId }) => moduleId))
  return all.every(({ moduleId }) => ran.has(moduleId))
}

const ranIn = (module: TestModule): ReadonlyArray<Ran> =>
  [...module.children.allTests()].map((test) => ({
    file: module.relativeModuleId,
    name: test.name,
    state: test.result().state
  }))
