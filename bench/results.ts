import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { cpus, release, totalmem, type } from "node:os"
import { join } from "node:path"
import type { Figure, Measured } from "./Benchmark.ts"
import { type Judged, judge } from "./figures.ts"

/** What a measurement was made with. */
export interface Setup {
  readonly fleet: string
  readonly commit: string
  readonly node: string
  readonly natsServer: string
  readonly system: string
  readonly processor: string
  readonly cores: number
  readonly memoryGb: number
  readonly isFull: boolean
}

/** `bench/results/<name>.json`. */
export interface BenchResult {
  readonly name: string
  /** ISO 8601. */
  readonly at: string
  readonly setup: Setup
  readonly figures: Readonly<Record<string, Figure>>
  readonly ratios: Readonly<Record<string, number>>
  readonly goals: Readonly<Record<string, Judged>>
}

const folder = join(import.meta.dirname, "results")
const root = join(import.meta.dirname, "..")

const git = (...args: ReadonlyArray<string>): string => {
  try {
    return execFileSync("git", ["-C", root, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()
  } catch {
    return "unknown"
  }
}

export const setupOf = (fleet: string, natsServer: string, isFull: boolean): Setup => ({
  fleet,
  commit: git("rev-parse", "--short", "HEAD"),
  node: process.version,
  natsServer,
  system: `${type()} ${release()}`,
  processor: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  isFull
})

/** Six digits are more than any measurement has. */
const rounded = (_: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value

export const keep = (name: string, at: string, setup: Setup, measured: Measured): BenchResult => {
  const { figures, ratios } = measured
  const result: BenchResult = { name, at, setup, figures, ratios, goals: judge(measured) }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(result, rounded, 2)}\n`)
  return result
}

/** All that is kept. */
export const readResults = (): ReadonlyMap<string, BenchResult> => {
  if (!existsSync(folder)) return new Map()
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"))
  const read = (file: string): BenchResult => JSON.parse(readFileSync(join(folder, file), "utf8"))
  return new Map(files.map((file) => [file.slice(0, -".json".length), read(file)]))
}
