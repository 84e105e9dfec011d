import { configDefaults, defineConfig, type Plugin } from "vitest/config"
import { ParityReporter } from "./test/parity/page/Reporter.ts"

/** A plugin, since reporters that a command line names take the place of those that are configured. */
const parity: Plugin = {
  name: "parity",
  configureVitest: ({ vitest }) => {
    const { reporters } = vitest.config
    if (!reporters.some((each) => each instanceof ParityReporter)) reporters.push(new ParityReporter())
  }
}

export default defineConfig({
  plugins: [parity],
  test: {
    exclude: [...configDefaults.exclude, "test/docker/**", "test/moto/**", "test/operate/**"],
    /** Values in names are shown whole: docs/parity.md finds tests by their names. */
    taskTitleValueFormatTruncate: 0,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 4,
    /** One process after the other runs many files, and loads what they share once. */
    isolate: false,
    projects: [
      /** Beside the code. */
      {
        extends: true,
        test: {
          name: "code",
          include: ["libs/**/*.test.ts", "services/**/*.test.ts", "cli/**/*.test.ts", "bench/**/*.test.ts"]
        }
      },
      { extends: true, test: { name: "whole", include: ["test/**/*.test.ts"] } }
    ]
  }
})
