import { CreateLogStreamCommand, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs"
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { LogCodecs } from "#ecs-core/LogLine.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { AwsWire } from "#test/parity/AwsWire.ts"
import { layerFleetWith } from "#test/support/EmbeddedFleet.ts"
import { firstThat, recordWhen, taskWhen } from "#test/support/follow.ts"
import { leapingClock } from "#test/support/LeapingClock.ts"
import { logsClient } from "#test/support/LocalAws.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { finished, output, request } from "#test/support/runs.ts"

const time = leapingClock()
const settings = { FLEET_LOGS_DRAIN_QUIET_SECONDS: "6" }
const amazon = AwsWire.layer({ runtime: "simulated" })
const fleet = layerFleetWith(natsServer, amazon, settings).pipe(Layer.provide(time.layer))

/** A page of CloudWatch ends before its megabyte is full: here after 33 of them. One PutLogEvents takes 34. */
const wideLine = (number: number) => `wide ${number} `.padEnd(30_000, ".")
const WIDE_LINES = 34

/** Writes into the log stream of a run's first task. */
const writer = Effect.fnUntraced(function* (runId: string) {
  const logs = yield* logsClient
  const { attempts } = yield* recordWhen(runId, (run) => run.attempts[0]?.logs !== undefined)
  const [source] = attempts[0]?.logs ?? []
  const task = attempts[0]?.taskArn?.split("/").at(-1)
  const stream = {
    logGroupName: source?.logGroup ?? "",
    logStreamName: `${source?.logStreamPrefix}/${source?.container}/${task}`
  }
  yield* Effect.ignore(Effect.tryPromise(() => logs.send(new CreateLogStreamCommand(stream))))
  return (lines: ReadonlyArray<string>, timestamp: number) =>
    Effect.promise(() => {
      const logEvents = lines.map((message) => ({ message, timestamp }))
      return logs.send(new PutLogEventsCommand({ ...stream, logEvents }))
    })
})

const readUpTo = (runId: string, text: string) =>
  firstThat({ stream: Streams.logs, subject: Subjects.logs(runId) }, LogCodecs.message, (message) =>
    "lines" in message ? message.lines.some((line) => line.text === text) : false
  )

layer(fleet, { excludeTestServices: true })("lines", (it) => {
  it.effect(
    "late: three of one millisecond, a full page, an empty one, the last 5 s after STOPPED: each once, in order (scenario 93)",
    () =>
      Effect.gen(function* () {
        const wire = yield* AwsWire
        const runId = yield* request({
          image: "local/shell",
          executionRoleArn: "arn:aws:iam::000000000000:role/execution",
          command: ["simulate", "--seconds", "30"]
        })
        yield* taskWhen(runId, "RUNNING")
        const isNextPage = (page: unknown) => typeof page === "object" && page !== null && "nextToken" in page
        wire.answerOnce(
          ({ action, input }) => action === "FilterLogEvents" && isNextPage(input),
          ({ input }) => ({ events: [], nextToken: input["nextToken"] })
        )
        const write = yield* writer(runId)
        const now = yield* Clock.currentTimeMillis
        const wide = Array.from({ length: WIDE_LINES }, (_, at) => wideLine(at + 1))
        yield* write(["first", "second", "third"], now)
        yield* readUpTo(runId, "third")
        yield* write(wide, now + 1)
        yield* readUpTo(runId, wideLine(WIDE_LINES))
        yield* time.leap("30 seconds")
        yield* finished(runId)
        yield* time.leap("5 seconds")
        yield* write(["last"], now + 35_000)
        yield* readUpTo(runId, "last")
        yield* time.leap("7 seconds")
        const { lines, end } = yield* output(runId)
        assert.deepStrictEqual(
          lines.map(({ text }) => text),
          ["first", "second", "third", ...wide, "last"]
        )
        assert.deepInclude(end, { lines: WIDE_LINES + 4, complete: true })
        const reads = wire.calls().filter(({ action }) => action === "FilterLogEvents")
        assert.isAtLeast(reads.filter(({ input }) => isNextPage(input)).length, 2)
      })
  )
})
