import { defineConfig } from "vitest/config"

/** What an operator sets up, with real servers and processes; longer than `npm test` should be. */
export default defineConfig({
  test: { include: ["test/operate/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 3 }
})
