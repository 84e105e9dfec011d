import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readUpFile, upFilePath } from "./home.ts"
import { holdHome } from "./lock.ts"

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "fleet-lock-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

describe("holdHome", () => {
  it.effect("one holder a folder, until its scope ends", () =>
    Effect.gen(function* () {
      const home = join(yield* folder, "deep", ".fleet")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const held = yield* holdHome(home)
          yield* held.announce("nats://127.0.0.1:4333")
          assert.strictEqual(readUpFile(home)?.natsUrl, "nats://127.0.0.1:4333")
          const refused = yield* Effect.flip(holdHome(home))
          assert.deepInclude(refused, { _tag: "FleetRunning", pid: process.pid, natsUrl: "nats://127.0.0.1:4333" })
          assert.include(refused.message, "FLEET_HOME")
        })
      )
      assert.isUndefined(readUpFile(home))
      yield* holdHome(home)
    })
  )

  it.effect("crash: takes over what a killed process left, even if its number is in use again", () =>
    Effect.gen(function* () {
      const home = yield* folder
      const closed = yield* Effect.scoped(Effect.map(holdHome(home), () => readUpFile(home)))
      const left = { pid: process.pid, port: closed?.port ?? 0, token: "of the dead", natsUrl: "nats://127.0.0.1:1" }
      yield* Effect.promise(() => writeFile(upFilePath(home), JSON.stringify(left)))
      yield* holdHome(home)
      assert.notStrictEqual(readUpFile(home)?.token, "of the dead")
    })
  )

  it.effect("a folder that cannot be made is told, with what to do", () =>
    Effect.gen(function* () {
      const file = join(yield* folder, "file")
      yield* Effect.promise(() => writeFile(file, ""))
      const error = yield* Effect.flip(holdHome(join(file, ".fleet")))
      assert.strictEqual(error._tag, "HomeUnusable")
      assert.include(error.message, "FLEET_HOME")
    })
  )
})
