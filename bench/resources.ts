import { readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { Effect } from "effect"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { Skipped } from "./Benchmark.ts"

/** What processes take of the machine, as Linux counts it. */
export interface Taken {
  /** Of all threads, since the start; milliseconds. */
  readonly cpuMillis: number
  /** Resident memory now, and the most there ever was; MB of 1024 × 1024 bytes. */
  readonly megabytes: number
  readonly peakMegabytes: number
}

/** Linux counts a process's time in hundredths of a second (`USER_HZ`). */
const TICK_MILLIS = 10

/** Fails with `Skipped` where there is no `/proc`. */
export const takenBy = (pid: number): Effect.Effect<Taken, Skipped> =>
  Effect.try({
    try: () => {
      const status = readFileSync(`/proc/${pid}/status`, "utf8")
      return {
        cpuMillis: cpuMillisOf(pid),
        megabytes: megabytesOf(status, "VmRSS"),
        peakMegabytes: megabytesOf(status, "VmHWM")
      }
    },
    catch: (error) => new Skipped({ reason: `/proc/${pid} cannot be read (${String(error)}): it needs Linux` })
  })

/** Fields 14 and 15 of `/proc/<pid>/stat`, counted behind the name, which may hold anything. */
const cpuMillisOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return TICK_MILLIS * (Number(fields[11]) + Number(fields[12]))
}

const megabytesOf = (status: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024

/** The process of the nats-server: it writes a file that bears its number. */
export const natsServerPid: Effect.Effect<number, never, NatsServer> = Effect.map(NatsServer, ({ logFile }) => {
  const [file = ""] = readdirSync(join(dirname(logFile), "ports"))
  return Number(/_(\d+)\.ports$/.exec(file)?.[1])
})

/** Bytes of all files below a folder; links are not followed. */
export const bytesBelow = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { name, parentPath }) => sum + statSync(join(parentPath, name)).size, 0)
