import { type ChildProcess, execFile, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"

/** The commands at the head of the README, as its reader runs them. */
const projectRoot = join(import.meta.dirname, "..", "..")
const home = mkdtempSync(join(tmpdir(), "ecs-fleet-readme-"))

const { NATS_URL: _natsUrl, ...inherited } = process.env
const env = { ...inherited, FLEET_HOME: home, NO_COLOR: "1" }

interface Ended {
  readonly code: number
  readonly out: string
  readonly all: string
}

const run = (command: string, args: ReadonlyArray<string>): Promise<Ended> =>
  new Promise((resolve) => {
    let all = ""
    const child = execFile(command, args, { cwd: projectRoot, env }, (error, out) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, all })
    )
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text) => (all += String(text)))
  })

/** What differs from run to run: ids and times. */
const steady = (text: string): ReadonlyArray<string> =>
  text
    .replace(/r-[0-9a-z]{10}/g, "r-id")
    .replace(/\d+\.\d s/g, "0.0 s")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("> "))

const leftovers: Array<() => Promise<void>> = []
afterAll(async () => {
  await Promise.all(leftovers.map((stop) => stop()))
  rmSync(home, { recursive: true, force: true })
})

/** As Ctrl-C in a terminal: the signal goes to npm and to what it started. */
const interrupt = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once("close", () => resolve())
    if (child.pid !== undefined) process.kill(-child.pid, "SIGINT")
  })

describe("README", () => {
  it("`npm ci && npm run demo` prints what the page shows", async () => {
    const [, shown = ""] = /npm run demo\n```\n\n```\n([^`]*)```/.exec(readFileSync("README.md", "utf8")) ?? []
    const { code, all, out } = await run("npm", ["run", "demo"])
    assert.strictEqual(code, 0, all)
    assert.deepStrictEqual(steady(out), ["line 1", "line 2", "line 3"])
    const states = /^● (defining|launching|provisioning|pending|running|stopping)$/
    const withoutStates = (lines: ReadonlyArray<string>) => lines.filter((line) => !states.test(line)).toSorted()
    assert.deepStrictEqual(withoutStates(steady(all)), withoutStates(steady(shown)))
  })

  it("with `npm run up`, `npx fleet run -- sh -c 'echo hello; exit 3'` prints the line and ends with 3", async () => {
    const args = ["run", "up", "--", "--nats-port", "0", "--aws-port", "0"]
    const up = spawn("npm", args, { cwd: projectRoot, env, detached: true })
    leftovers.push(() => interrupt(up))
    await new Promise<void>((resolve, reject) => {
      let out = ""
      up.stdout.on("data", (text) => {
        out += String(text)
        if (out.includes("ready")) resolve()
      })
      up.once("close", () => reject(new Error(out)))
    })
    const { code, out, all } = await run("npx", ["fleet", "run", "--", "sh", "-c", "echo hello; exit 3"])
    assert.strictEqual(code, 3, all)
    assert.strictEqual(out, "hello\n")
  })
})
