import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { tempFolder } from "#test/support/NatsServer.ts"

const COMMAND = "node bench/page/generate.ts"

it.effect(`docs/performance.md and its pictures are those of bench/results (else: ${COMMAND})`, () =>
  Effect.gen(function* () {
    const folder = yield* tempFolder("performance")
    execFileSync(process.execPath, [...COMMAND.split(" ").slice(1), folder])
    const files = ["performance.md", ...readdirSync(join(folder, "performance")).map((file) => `performance/${file}`)]
    for (const file of files) {
      const [kept, made] = ["docs", folder].map((each) => readFileSync(join(each, file), "utf8"))
      assert.strictEqual(kept, made, `docs/${file} is stale: run ${COMMAND}`)
    }
  })
)
