import { defineConfig } from "vitest/config"
import { FILES, judgedPattern } from "./judged.ts"
import JudgedReporter from "./Reporter.ts"

if (process.env["MOTO_PYTHON"] === undefined) throw new Error("start it with: npm run moto")

/** moto answers slowly on a busy machine, and each file has a server of its own. */
export default defineConfig({
  test: {
    include: FILES,
    testNamePattern: judgedPattern,
    reporters: ["default", new JudgedReporter()],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    fileParallelism: false
  }
})
