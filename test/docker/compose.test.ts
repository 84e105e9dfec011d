import { spawn } from "node:child_process"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { freePort } from "#test/support/ports.ts"

/**
 * deploy/compose.yml as a user starts it: image built, NATS, local-aws and the services in containers of their own, the
 * command line outside. Another project name and free ports keep it apart from a fleet that runs on this machine.
 */
const projectRoot = join(import.meta.dirname, "..", "..")

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const run = (command: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>>): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: projectRoot, env: { ...process.env, ...env } })
    let out = ""
    let err = ""
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on("data", (chunk: Buffer) => {
      err += chunk.toString()
    })
    child.once("error", reject)
    child.once("close", (code) => resolve({ code, out, err }))
  })

let env: Readonly<Record<string, string>> = {}

const compose = async (...args: ReadonlyArray<string>): Promise<string> => {
  const ended = await run("docker", ["compose", "-p", "ecs-fleet-test", "-f", "deploy/compose.yml", ...args], env)
  if (ended.code !== 0) throw new Error(`docker compose ${args.join(" ")}: ${ended.err}`)
  return ended.out
}

const fleet = (...args: ReadonlyArray<string>) => run(process.execPath, ["cli/main.ts", ...args], env)

beforeAll(async () => {
  const [nats, aws] = [await freePort(), await freePort()]
  env = { NATS_PORT: String(nats), LOCAL_AWS_PORT: String(aws), NATS_URL: `nats://127.0.0.1:${nats}` }
  await compose("up", "-d", "--build", "--wait", "--scale", "launcher=2")
})

afterAll(async () => {
  await compose("down", "--volumes", "--timeout", "5")
})

describe("the fleet in containers", () => {
  it("runs a program and ends with its exit code", async () => {
    const ended = await fleet("run", "--", "sh", "-c", "echo hello; exit 3")
    assert.strictEqual(ended.code, 3, ended.err)
    assert.strictEqual(ended.out, "hello\n")
  })

  it("a scaled service has its replicas, all healthy", async () => {
    const services = (await compose("ps", "--format", "{{.Service}} {{.Health}}")).trim().split("\n")
    assert.lengthOf(
      services.filter((line) => line === "launcher healthy"),
      2
    )
    assert.isTrue(
      services.every((line) => line.endsWith(" healthy")),
      services.join(", ")
    )
  })

  it("SIGTERM: a service stops by itself, with exit code 0", async () => {
    await compose("stop", "watcher")
    const state = await compose("ps", "-a", "--format", "{{.Service}} {{.ExitCode}}")
    assert.include(state, "watcher 0")
    await compose("up", "-d", "--wait", "--scale", "launcher=2")
    assert.strictEqual((await fleet("run", "--", "true")).code, 0)
  })
})
