import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { tempFolder } from "#test/support/NatsServer.ts"

const COMMAND = "node docs/settings/generate.ts"

it.effect(`the tables of docs/settings.md are those of the modules that read them (else: ${COMMAND})`, () =>
  Effect.gen(function* () {
    const folder = yield* tempFolder("settings")
    execFileSync(process.execPath, [...COMMAND.split(" ").slice(1), folder])
    const [page, made] = ["docs", folder].map((each) => readFileSync(join(each, "settings.md"), "utf8"))
    assert.strictEqual(page, made, `docs/settings.md is stale: run ${COMMAND}`)
  })
)
