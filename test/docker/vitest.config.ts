import { defineConfig } from "vitest/config"

/** Containers are few at a time: one file after the other. */
export default defineConfig({
  test: { include: ["test/docker/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 240_000, fileParallelism: false }
})
