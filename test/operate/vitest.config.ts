import { defineConfig } from "vitest/config"
import { parity } from "#test/parity/page/Reporter.ts"

/** What an operator sets up and does, with real servers and processes; longer than `npm test` should be. */
export default defineConfig({
  plugins: [parity((file) => file.startsWith("test/operate/"))],
  test: {
    include: ["test/operate/**/*.test.ts", "bench/contenders/skeleton.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 3,
    /** Values in names are shown whole: docs/parity.md finds tests by their names. */
    taskTitleValueFormatTruncate: 0
  }
})
