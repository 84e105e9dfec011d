import { Clock, Effect, Result, Stream } from "effect"
import { quantile } from "#bench/figures.ts"
import { startFleet } from "#bench/fleet.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { isEnd, LogCodecs } from "#ecs-core/LogLine.ts"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { residentBytes } from "#test/chaos/soak/memory.ts"
import { calls, callsWithin } from "#test/support/LocalAws.ts"
import { allFinished, request, take } from "#test/support/runs.ts"

/** A region that allows ten reads a second. */
const region = "eu-west-1"

/** As in a small container: what may be collected is collected, rather than kept because there is room. */
const smallHeap = { NODE_OPTIONS: "--max-old-space-size=128" }

const SETTLE_MILLIS = 5000
const WINDOWS = 3

export interface LiveSize {
  readonly runs: number
  readonly windowMillis: number
}

/** Long enough that all of them are live in every window, though AWS starts only twenty a second. */
const jobOf = ({ runs, windowMillis }: LiveSize) => ({
  image: "local/shell",
  region,
  executionRoleArn: "arn:aws:iam::000000000000:role/logs",
  command: ["simulate", "--seconds", String(programSeconds(runs, windowMillis)), "--lines-per-second", "1"],
  runTimeoutSeconds: 3600
})

const programSeconds = (runs: number, windowMillis: number): number =>
  Math.ceil(runs / 15 + (SETTLE_MILLIS + WINDOWS * windowMillis) / 1000) + 5

export const liveUnits = {
  "lag.p50": "ms",
  "lag.p99": "ms",
  linesPerSecond: "lines/s",
  reads: "calls/s",
  busiest: "calls/s",
  memory: "MB"
} as const

/**
 * So many runs that all write a line a second, under AWS's quotas: three windows of time while all of them are live, how
 * many reads were refused, and how many runs failed.
 */
export const live = Effect.fnUntraced(function* (size: LiveSize) {
  const { running } = yield* startFleet(1, { AWS_REGION: region, ...smallHeap })
  const { runs, windowMillis } = size
  yield* Effect.forEach(Array.from({ length: runs }), () => request(jobOf(size)), { concurrency: 100, discard: true })
  yield* take(Streams.fleet, Filters.taskStarted, runs)
  yield* Effect.sleep(SETTLE_MILLIS)
  const streamer = running.find(({ name }) => name === "log-streamer")?.pid ?? 0
  const window = Effect.gen(function* () {
    const from = yield* Clock.currentTimeMillis
    yield* Effect.sleep(windowMillis)
    return { from, to: from + windowMillis, memory: yield* megabytes(streamer) }
  })
  const seen = yield* Effect.replicateEffect(window, WINDOWS)
  const runIds = (yield* take(Streams.inbox, Subjects.runRequested(), runs)).map(({ seq }) => `run-${seq}`)
  const ends = yield* allFinished(runIds)
  const windows = yield* Effect.forEach(seen, ({ from, memory, to }) => windowOf(from, to, memory))
  return {
    windows,
    refused: (yield* calls).refused["FilterLogEvents"] ?? 0,
    failed: ends.filter(({ outcome }) => outcome !== "succeeded").length
  }
})

const megabytes = (pid: number) =>
  Effect.map(residentBytes([pid]), (bytes) => (bytes.get(pid) ?? Number.NaN) / 1024 / 1024)

const windowOf = (from: number, to: number, memory: number) =>
  Effect.gen(function* () {
    const lags = yield* lagsOf(from, to)
    const reads = yield* readsBySecond(from, to)
    const seconds = (to - from) / 1000
    return {
      "lag.p50": quantile(lags, 0.5),
      "lag.p99": quantile(lags, 0.99),
      linesPerSecond: lags.length / seconds,
      reads: reads.reduce((sum, count) => sum + count, 0) / seconds,
      busiest: Math.max(...reads),
      memory
    }
  })

/** From a line's own time until its batch was stored, of the lines of this time; milliseconds. */
const lagsOf = (from: number, to: number) =>
  Effect.gen(function* () {
    const { replay } = yield* Messages
    const [subject] = Filters.logs
    const lags: Array<number> = []
    yield* Stream.runForEach(replay({ stream: Streams.logs, subject, fromTimeMillis: from, follow: false }), (stored) =>
      Effect.sync(() => {
        const message = Result.getOrThrow(LogCodecs.message.decode(text(stored)))
        if (isEnd(message)) return
        for (const { time } of message.lines) {
          const written = Date.parse(time)
          if (written >= from && written < to) lags.push(stored.time - written)
        }
      })
    )
    return lags
  })

const readsBySecond = (from: number, to: number) =>
  Effect.forEach(
    Array.from({ length: Math.floor((to - from) / 1000) }, (_, at) => from + at * 1000),
    (second) => Effect.map(callsWithin(second, second + 1000), ({ calls }) => calls["FilterLogEvents"] ?? 0)
  )
