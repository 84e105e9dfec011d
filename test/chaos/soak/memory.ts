import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { Effect } from "effect"

/** What a process had in memory, and when; seconds since the start. */
export interface Sample {
  readonly atSeconds: number
  readonly bytes: number
}

const run = promisify(execFile)

/** Resident memory by process id; those that are gone are missing. */
export const residentBytes = (pids: ReadonlyArray<number>): Effect.Effect<ReadonlyMap<number, number>> =>
  Effect.promise(async () => {
    const { stdout } = await run("ps", ["-o", "pid=,rss=", "-p", pids.join(",")])
    return new Map(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.trim().split(/\s+/).map(Number))
        .map(([pid = 0, kibibytes = 0]) => [pid, kibibytes * 1024])
    )
  })

/** Memory is flat when it grows by no more than the larger of these, from the end of the warm-up on. */
export const growthAllowed = { share: 0.2, bytes: 30 * 1024 * 1024 } as const

export interface Growth {
  readonly warmBytes: number
  readonly endBytes: number
  readonly isFlat: boolean
}

/**
 * The highest figure of the third that follows the warm-up, held against that of the last third: single figures, and
 * means too, tell most of all when the garbage collector ran last.
 */
export const growthOf = (samples: ReadonlyArray<Sample>, warmUpSeconds: number): Growth => {
  const end = samples.at(-1)?.atSeconds ?? 0
  const third = (end - warmUpSeconds) / 3
  const warmBytes = highest(samples, warmUpSeconds, warmUpSeconds + third)
  const endBytes = highest(samples, end - third, end)
  const grown = endBytes - warmBytes
  return { warmBytes, endBytes, isFlat: grown <= Math.max(growthAllowed.bytes, growthAllowed.share * warmBytes) }
}

const highest = (samples: ReadonlyArray<Sample>, from: number, to: number): number =>
  samples.reduce(
    (most, { atSeconds, bytes }) => (atSeconds >= from && atSeconds <= to ? Math.max(most, bytes) : most),
    0
  )
