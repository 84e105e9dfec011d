import { Clock, Console, Effect, Result, Stream } from "effect"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { isEnd, LogCodecs } from "#ecs-core/LogLine.ts"
import { Filters, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { residentBytes } from "#test/chaos/soak/memory.ts"
import { calls, callsWithin } from "#test/support/LocalAws.ts"
import { allFinished, request, take } from "#test/support/runs.ts"
import { countFlag, seconds, startFleet } from "./fleet.ts"

/** A thousand runs that all write a line a second, in a region that allows ten reads a second. */

const RUNS = countFlag("runs", 1000)
/** Long enough that all of them are live for a minute, though AWS starts only twenty a second. */
const PROGRAM_SECONDS = Math.ceil(RUNS / 15) + 75
const MEASURED_MILLIS = 60_000
const goals = { callsPerSecond: 10, lagMillis: 2500, megabytes: 300 } as const

const region = "eu-west-1"

/** As in a small container: what may be collected is collected, rather than kept because there is room. */
const smallHeap = { NODE_OPTIONS: "--max-old-space-size=128" }

const job = {
  image: "local/shell",
  region,
  executionRoleArn: "arn:aws:iam::000000000000:role/logs",
  command: ["simulate", "--seconds", String(PROGRAM_SECONDS), "--lines-per-second", "1"],
  runTimeoutSeconds: 3600
}

export const live = Effect.gen(function* () {
  const { running } = yield* startFleet(1, { AWS_REGION: region, ...smallHeap })
  yield* Effect.forEach(Array.from({ length: RUNS }), () => request(job), { concurrency: 100, discard: true })
  yield* take(Streams.fleet, Filters.taskStarted, RUNS)
  yield* Console.log(`live: all ${RUNS} runs are launched, and measured for ${seconds(MEASURED_MILLIS)}`)
  yield* Effect.sleep(5000)
  const from = yield* Clock.currentTimeMillis
  yield* Effect.sleep(MEASURED_MILLIS)
  const streamer = running.find(({ name }) => name === "log-streamer")?.pid ?? 0
  const megabytes = Math.round(((yield* residentBytes([streamer])).get(streamer) ?? Number.NaN) / 1024 / 1024)
  const lags = yield* lagsOf(from, from + MEASURED_MILLIS)
  const busiest = yield* busiestSecond(from, from + MEASURED_MILLIS)
  const runIds = (yield* take(Streams.inbox, Subjects.runRequested(), RUNS)).map(({ seq }) => `run-${seq}`)
  const failed = (yield* allFinished(runIds)).filter(({ outcome }) => outcome !== "succeeded").length
  const { refused } = yield* calls
  const lag = (share: number) => lags[Math.ceil(share * lags.length) - 1] ?? Number.NaN
  const isGood =
    failed === 0 &&
    refused["FilterLogEvents"] === undefined &&
    busiest <= goals.callsPerSecond &&
    lag(0.5) < goals.lagMillis &&
    megabytes < goals.megabytes &&
    lags.length > (RUNS * MEASURED_MILLIS * 0.9) / 1000
  yield* Console.log(
    `live: ${isGood ? "ok" : "FAILED"}; ${RUNS} runs, ${failed} failed, ${lags.length} lines; at most ${busiest} reads in a second ` +
      `(goal ${goals.callsPerSecond}), ${refused["FilterLogEvents"] ?? 0} refused; lag: half within ${seconds(lag(0.5))} ` +
      `(goal ${seconds(goals.lagMillis)}), 99 % within ${seconds(lag(0.99))}; log-streamer ${megabytes} MB (goal ${goals.megabytes})`
  )
  return isGood
})

/** From a line's own time until its batch was stored, of the lines of this time; milliseconds, sorted. */
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
    return lags.toSorted((a, b) => a - b)
  })

const busiestSecond = (from: number, to: number) =>
  Effect.map(
    Effect.forEach(
      Array.from({ length: Math.floor((to - from) / 1000) }, (_, at) => from + at * 1000),
      (second) => callsWithin(second, second + 1000)
    ),
    (counts) => Math.max(...counts.map(({ calls }) => calls["FilterLogEvents"] ?? 0))
  )
