import { Effect, Result } from "effect"
import { startFleet } from "#bench/fleet.ts"
import { type BusMessage, text } from "#bus/Message.ts"
import { millisOf } from "#ecs-core/Instant.ts"
import { isEnd, LogCodecs } from "#ecs-core/LogLine.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { firstThat } from "#test/support/follow.ts"
import { finished, output, request, stored } from "#test/support/runs.ts"

export const loudUnits = { lateMillis: "ms", lost: "lines" } as const

const jobOf = (lines: number) => ({
  image: "local/shell",
  executionRoleArn: "arn:aws:iam::000000000000:role/logs",
  command: ["simulate", "--lines", String(lines), "--seconds", "1"]
})

const hasLines = (stored: BusMessage): boolean => {
  const message = Result.getOrThrow(LogCodecs.message.decode(text(stored)))
  return !isEnd(message) && message.lines.length > 0
}

/**
 * One run that writes so many lines as fast as it can, under AWS's quotas: how long after the program's end the last of
 * them was published, and how many are missing or out of place.
 */
export const loud = Effect.fnUntraced(function* (count: number) {
  yield* startFleet(1)
  const runId = yield* request(jobOf(count))
  yield* finished(runId)
  const { end, lines } = yield* output(runId)
  const stopped = yield* firstThat(
    { stream: Streams.fleet, subject: Subjects.taskStopped(runId, 1) },
    Codecs.taskStopped,
    () => true
  )
  const endedAt = millisOf(stopped.times.executionStoppedAt ?? stopped.at)
  const batches = yield* stored(Streams.logs, Subjects.logs(runId))
  const inPlace = lines.filter(({ text }, at) => text === `line ${at + 1} of ${count}`).length
  return {
    lateMillis: (batches.findLast(hasLines)?.time ?? Number.NaN) - endedAt,
    lost: end.complete ? count - inPlace : Number.NaN
  }
})
