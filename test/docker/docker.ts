import { spawn } from "node:child_process"
import { join } from "node:path"
import { Effect } from "effect"

const projectRoot = join(import.meta.dirname, "..", "..")

/** What is built from this checkout, once for all tests here. */
export const image = "ecs-fleet:test"

/** A small image that is on this machine and has a shell. */
export const baseImage = process.env["NODE_IMAGE"] ?? "node:24-slim"
export const natsImage = process.env["NATS_IMAGE"] ?? "nats:2.12-alpine"

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs a program in the project's folder and gives what it wrote. */
export const run = (
  command: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {}
): Promise<Ended> =>
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

/** `docker …`, its output; fails with what it wrote when it ends with an error. */
export const docker = async (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {}
): Promise<string> => (await dockerEnded(args, env)).out.trim()

/** What a container wrote to stderr, where the services log. */
export const logOf = async (container: string): Promise<ReadonlyArray<string>> =>
  (await dockerEnded(["logs", container])).err.split("\n")

const dockerEnded = async (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}): Promise<Ended> => {
  const ended = await run("docker", args, env)
  if (ended.code !== 0) throw new Error(`docker ${args.join(" ")}: ${ended.err}${ended.out}`)
  return ended
}

export const dockerLines = (...args: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>> =>
  Effect.promise(async () => (await docker(args)).split("\n").filter((line) => line !== ""))

/** `fleet …` of this checkout. */
export const fleet = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
  run(process.execPath, ["cli/main.ts", ...args], env)
