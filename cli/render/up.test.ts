import { assert, describe, it } from "@effect/vitest"
import { plain } from "./style.ts"
import { componentLine, readyText } from "./up.ts"

describe("componentLine", () => {
  it("lines up names and addresses", () => {
    const aws = { name: "local-aws", where: "http://127.0.0.1:4577", about: "runs tasks" }
    const service = { name: "log-streamer", where: "in this process", about: "" }
    assert.strictEqual(componentLine(plain, aws), "✓ local-aws    http://127.0.0.1:4577  runs tasks\n")
    assert.strictEqual(componentLine(plain, service), "✓ log-streamer in this process\n")
  })
})

describe("readyText", () => {
  it.each([
    { how: "from npm", env: { npm_command: "run-script" }, command: "  npx fleet run -- " },
    { how: "by its name", env: {}, command: "  fleet run -- " }
  ])("gives a command that works where it was started $how", ({ env, command }) => {
    assert.include(readyText(plain, env), command)
    assert.match(readyText(plain, env), /^ready/)
  })
})
