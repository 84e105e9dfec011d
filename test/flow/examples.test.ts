import { execFile, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { layerFleet } from "#test/support/EmbeddedFleet.ts"
import { projectRoot, watch } from "#test/support/fleetCommand.ts"
import { tempFolder } from "#test/support/NatsServer.ts"
import { request } from "#test/support/runs.ts"

/** The programs in examples/ know nothing of this project but subjects and bodies; each runs as its reader would run it. */
const run = promisify(execFile)
const examples = join(projectRoot, "examples")
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

/** Long enough to fetch five small modules, and to compile what they need. */
const GO_STEP_SECONDS = 120

/** The modules of the example in Go are there and compiled; false where Go or its module proxy cannot be had. */
const goIsReady = async (): Promise<boolean> => {
  const options = { cwd: join(examples, "go"), timeout: GO_STEP_SECONDS * 1000 }
  try {
    await run("go", ["mod", "download"], options)
    await run("go", ["build", "github.com/nats-io/nats.go/jetstream"], options)
    return true
  } catch {
    return false
  }
}
const hasGo = await goIsReady()

const pool = Effect.gen(function* () {
  const pools = yield* (yield* Buckets).open(BucketNames.pools)
  yield* pools.put(
    "default",
    JSON.stringify({ image: "local/shell", executionRoleArn: "arn:aws:iam::000000000000:role/execution" })
  )
})

const produces = Effect.fnUntraced(function* (program: string, file: string) {
  yield* pool
  const { url } = yield* NatsServer
  const env = { ...process.env, NATS_URL: url }
  const { stdout } = yield* Effect.promise(() => run(program, [join(examples, file)], { env }))
  assert.deepStrictEqual(stdout.split("\n"), expected)
})

/** More than two pieces of it travel. */
const LONG_LINE = 120_000

/** Follows a run that writes a line, a long one, and after a restart of the server another one. */
const follows = Effect.fnUntraced(function* (program: string, ...args: ReadonlyArray<string>) {
  yield* pool
  const { url, restart } = yield* NatsServer
  const gate = join(yield* tempFolder("examples"), "gate")
  const script = [
    "echo first",
    `head -c ${LONG_LINE} /dev/zero | tr "\\0" x; echo`,
    `until [ -e ${gate} ]; do sleep 0.05; done`,
    "echo last; exit 3"
  ].join("; ")
  const runId = yield* request({ command: ["sh", "-c", script] })
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(program, [...args, runId], { env: { ...process.env, NATS_URL: url } })),
    (started) => Effect.sync(() => void started.kill("SIGKILL"))
  )
  const following = watch(child)
  yield* following.wrote("xxx\n")
  yield* restart
  yield* Effect.promise(() => writeFile(gate, ""))
  const { code, out } = yield* following.ended
  assert.strictEqual(code, 0)
  assert.deepStrictEqual(out.split("\n"), ["first", "x".repeat(LONG_LINE), "last", ""])
})

layer(layerFleet, { excludeTestServices: true })("examples", (it) => {
  it.effect("produce.js reads every line in order, then the exit code", () => produces(process.execPath, "produce.js"))

  it.effect.skipIf(!hasPython)("produce.py does the same (needs Python and its package index)", () =>
    produces(join(python, "bin", "python"), "produce.py")
  )

  it.effect("follow.js prints every line once and whole, over a restart of the server, and ends with the run", () =>
    follows(process.execPath, join(examples, "follow.js"))
  )

  it.effect.skipIf(!hasPython)("follow.py does the same (needs Python and its package index)", () =>
    follows(join(python, "bin", "python"), join(examples, "follow.py"))
  )

  it.effect.skipIf(!hasGo)("follow.go does the same (needs Go and its module proxy)", () =>
    follows("go", "-C", join(examples, "go"), "run", ".")
  )
})
