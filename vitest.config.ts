import { defineConfig, type Plugin } from "vitest/config"
import { ParityReporter } from "./test/parity/page/Reporter.ts"

/** A plugin, since reporters that a command line names take the place of those that are configured. */
const parity: Plugin = {
  name: "parity",
  configureVitest: ({ vitest }) => {
    vitest.config.reporters.push(new ParityReporter())
  }
}

export default defineConfig({
  plugins: [parity],
  test: {
    include: ["libs/**/*.test.ts", "services/**/*.test.ts", "cli/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "test/docker/**"],
    /** Values in names are shown whole: docs/parity.md finds tests by their names. */
    taskTitleValueFormatTruncate: 0,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 3
  }
})
