import { jetstream } from "@nats-io/jetstream"
import { connect, type Msg } from "@nats-io/transport-node"
import { Effect, Schedule, type Scope } from "effect"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { Filters, Subjects } from "#ecs-core/Subjects.ts"

/**
 * Whoever hands in runs and sees them end: the NATS client alone, in the measuring process, so that what is measured is
 * the other side. Times are epoch milliseconds, of one clock.
 */
export interface Producer {
  /** Hands in so many runs, so many per second whether or not any has ended; answers when all are over. */
  readonly openLoop: (runs: number, perSecond: number) => Effect.Effect<ReadonlyArray<RunTimes>>
  /** Hands in so many as fast as the server takes them; answers when all are over. */
  readonly burst: (runs: number) => Effect.Effect<ReadonlyArray<RunTimes>>
}

export interface RunTimes {
  readonly requestedAt: number
  /** RunTask arrived. */
  readonly launchedAt: number
  /** `run.finished` was heard. */
  readonly finishedAt: number
  /** Nothing of the run is left to do: the end marker of its output was heard too, where there is output. */
  readonly endedAt: number
}

export interface ProducerOptions {
  readonly hasOutput: boolean
}

/** A run that is carried out, and no more: what it writes is another benchmark's. */
const body = JSON.stringify({ image: "local/shell", command: ["simulate"] })

/** Publishes whose answers are awaited at a time. */
const WINDOW = 256

interface Line {
  readonly times: Map<string, Partial<RunTimes>>
  readonly publish: (subject: string, data: string) => Promise<unknown>
}

export const startProducer = ({
  hasOutput
}: ProducerOptions): Effect.Effect<Producer, never, Scope.Scope | NatsServer> =>
  Effect.gen(function* () {
    const { url } = yield* NatsServer
    const nc = yield* Effect.acquireRelease(
      Effect.promise(() => connect({ servers: url, noAsyncTraces: true })),
      (open) => Effect.promise(() => open.close())
    )
    const js = jetstream(nc)
    const line: Line = { times: new Map(), publish: (subject, data) => js.publish(subject, data) }
    const hear = (subject: string, heard: (message: Msg) => Partial<RunTimes>) =>
      nc.subscribe(subject, { callback: (_, message) => note(line, message.subject, heard(message)) })
    hear(Filters.taskStarted, (message) => ({ launchedAt: launchTimeOf(message) }))
    hear(Filters.runFinished, () => ({ finishedAt: epochMillis(), ...(hasOutput ? {} : { endedAt: epochMillis() }) }))
    for (const filter of Filters.logs)
      hear(filter, (message) => ("end" in message.json<object>() ? { endedAt: epochMillis() } : {}))
    yield* Effect.promise(() => nc.flush())
    return {
      openLoop: (runs, perSecond) => carriedOut(line, runs, (ids) => evenly(line, ids, 1000 / perSecond)),
      burst: (runs) => carriedOut(line, runs, (ids) => atOnce(line, ids))
    }
  })

export const epochMillis = (): number => performance.timeOrigin + performance.now()

/** Where a contender knows more exactly than the fact tells when RunTask arrived. */
export const exactTimeHeader = "Bench-At"

const launchTimeOf = (message: Msg): number => {
  const exact = message.headers?.get(exactTimeHeader) ?? ""
  return exact === "" ? Date.parse(message.json<{ readonly createdAt: string }>().createdAt) : Number(exact)
}

/** The first time counts. */
const note = ({ times }: Line, subject: string, heard: Partial<RunTimes>): void => {
  const tokens = subject.split(".")
  const runId = tokens[tokens[0] === "logs" ? 1 : 2] ?? ""
  const known = times.get(runId)
  if (known !== undefined) times.set(runId, { ...heard, ...known })
}

let handedIn = 0

const carriedOut = (
  line: Line,
  runs: number,
  handIn: (ids: ReadonlyArray<string>) => Promise<void>
): Effect.Effect<ReadonlyArray<RunTimes>> =>
  Effect.gen(function* () {
    const ids = Array.from({ length: runs }, () => `bench-${(handedIn += 1)}`)
    yield* Effect.promise(() => handIn(ids))
    const open = () => ids.filter((id) => !isOver(line.times.get(id)))
    yield* Effect.sync(open).pipe(
      Effect.repeat({ schedule: Schedule.spaced("20 millis"), until: ({ length }) => length === 0 }),
      Effect.timeoutOrElse({
        duration: "3 minutes",
        orElse: () => Effect.die(`${open().length} of ${runs} runs do not end, such as ${open()[0]}`)
      })
    )
    const times = ids.map((id) => line.times.get(id)).filter(isOver)
    line.times.clear()
    return times
  })

const isOver = (times: Partial<RunTimes> | undefined): times is RunTimes =>
  times?.launchedAt !== undefined && times.finishedAt !== undefined && times.endedAt !== undefined

const request = (line: Line, id: string): Promise<unknown> => {
  line.times.set(id, { requestedAt: epochMillis() })
  return line.publish(Subjects.runRequested(id), body)
}

const evenly = async (line: Line, ids: ReadonlyArray<string>, stepMillis: number): Promise<void> => {
  const begun = performance.now()
  const answers: Array<Promise<unknown>> = []
  for (const [at, id] of ids.entries()) {
    const wait = begun + at * stepMillis - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    answers.push(request(line, id))
  }
  await Promise.all(answers)
}

const atOnce = async (line: Line, ids: ReadonlyArray<string>): Promise<void> => {
  for (let from = 0; from < ids.length; from += WINDOW) {
    await Promise.all(ids.slice(from, from + WINDOW).map((id) => request(line, id)))
  }
}
