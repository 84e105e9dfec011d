import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { layerFleet } from "#test/support/EmbeddedFleet.ts"

/** The producers in examples/ know nothing of this project but subjects and bodies; each runs as its reader would run it. */
const run = promisify(execFile)
const projectRoot = join(import.meta.dirname, "..", "..")
const python = join(projectRoot, ".cache", "python")

const expected = ["line 1", "line 2", "line 3", "failed, exit code 3", ""]

/** A virtual environment with the NATS client, kept in .cache; false where Python or its package index cannot be had. */
const pythonIsReady = async (): Promise<boolean> => {
  if (existsSync(join(python, "ready"))) return true
  try {
    await run("python3", ["-m", "venv", python])
    await run(join(python, "bin", "pip"), [
      "install",
      "--quiet",
      "--retries",
      "0",
      "--timeout",
      "10",
      "nats-py==2.16.0"
    ])
    await run("touch", [join(python, "ready")])
    return true
  } catch {
    return false
  }
}
const hasPython = await pythonIsReady()

const pool = Effect.gen(function* () {
  const pools = yield* (yield* Buckets).open(BucketNames.pools)
  yield* pools.put(
    "default",
    JSON.stringify({ image: "local/shell", executionRoleArn: "arn:aws:iam::000000000000:role/execution" })
  )
})

const example = Effect.fnUntraced(function* (program: string, file: string) {
  yield* pool
  const { url } = yield* NatsServer
  const env = { ...process.env, NATS_URL: url }
  const { stdout } = yield* Effect.promise(() => run(program, [join(projectRoot, "examples", file)], { env }))
  assert.deepStrictEqual(stdout.split("\n"), expected)
})

layer(layerFleet, { excludeTestServices: true })("examples", (it) => {
  it.effect("produce.js reads every line in order, then the exit code", () => example(process.execPath, "produce.js"))

  it.effect.skipIf(!hasPython)("produce.py does the same (needs Python and its package index)", () =>
    example(join(python, "bin", "python"), "produce.py")
  )
})
