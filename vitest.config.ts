import { configDefaults, defineConfig } from "vitest/config"
import { parity } from "./test/parity/page/Reporter.ts"

export default defineConfig({
  plugins: [parity((file) => !file.startsWith("test/operate/"))],
  test: {
    exclude: [
      ...configDefaults.exclude,
      "test/docker/**",
      "test/moto/**",
      "test/operate/**",
      "bench/contenders/skeleton.test.ts"
    ],
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
