import { defineConfig } from "vitest/config"

/** Containers are few at a time: one file after the other. */
export default defineConfig({
  test: {
    name: "docker",
    include: ["test/docker/**/*.test.ts"],
    globalSetup: "test/docker/buildImage.ts",
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: false
  }
})
