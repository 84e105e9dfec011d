import { Effect, Fiber, Ref, Schedule, Semaphore } from "effect"
import { Publisher } from "#bus/Publisher.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import type { Fleet } from "#test/chaos/Fleet.ts"
import { type Judgement, judgeRun, type Seen, sumUp } from "#test/chaos/judge.ts"
import { deadLetters, keepLedger, type Ledger, overCount } from "#test/chaos/Ledger.ts"
import { showBacklog } from "#test/chaos/Operator.ts"
import { type Program, requestFor } from "#test/chaos/programs.ts"
import { launchedTasks } from "#test/support/LocalAws.ts"

/** The runs of a trial: what each does, and how fast they come. */
export interface Workload {
  readonly programs: ReadonlyMap<string, Program>
  /** The pool that they all belong to; absent = `default`. */
  readonly pool?: string
  /** Runs that somebody else requests meanwhile; they are judged like the others. */
  readonly others?: ReadonlyMap<string, Program>
  /** Runs that are not over at one time. */
  readonly atOnce: number
  /** Runs a second at most. */
  readonly perSecond: number
  /** Given up when nothing more is heard for so long. */
  readonly stallSeconds: number
}

export const workload = (count: number, program: (runId: string, at: number) => Program) =>
  new Map(
    Array.from({ length: count }, (_, at) => {
      const runId = `trial-${String(at + 1).padStart(5, "0")}`
      return [runId, program(runId, at)] as const
    })
  )

/** After the last run is over: how long tasks may still be on their way to STOPPED, and messages to their ack. */
const settleSeconds = 90

/**
 * Publishes every request, and waits until each run is over or nothing more happens. The same request is published again
 * when its acknowledgement is lost, as a producer has to; the run's id is on it.
 */
export const runAll = (ledger: Ledger, load: Workload) =>
  Effect.gen(function* () {
    const window = yield* Semaphore.make(load.atOnce)
    const reader = yield* Effect.forkScoped(keepLedger(ledger, Effect.asVoid(window.release(1))))
    const producer = yield* Effect.forkScoped(produce(load, window))
    const over = awaitOver(ledger, load.programs.size + (load.others?.size ?? 0), load.stallSeconds)
    return yield* Effect.raceFirst(over, Effect.andThen(Fiber.join(producer), Fiber.join(reader)))
  })

const produce = ({ programs, perSecond, pool }: Workload, window: Semaphore.Semaphore) =>
  Effect.gen(function* () {
    const publisher = yield* Publisher
    const waiting = programs.entries()
    const publish = ([runId, program]: readonly [string, Program]) => publishRequest(publisher, runId, program, pool)
    const next = Effect.suspend(() => {
      const { value, done } = waiting.next()
      return done === true ? Effect.succeed(true) : Effect.as(Effect.andThen(window.take(1), publish(value)), false)
    })
    yield* Effect.repeat(next, { schedule: Schedule.fixed(1000 / perSecond), until: (isDone) => isDone })
  })

export const publishRequest = (
  publisher: typeof Publisher.Service,
  runId: string,
  program: Program,
  pool: string | undefined
) => {
  const data = JSON.stringify(requestFor(program, pool))
  const message = { stream: Streams.inbox, subject: Subjects.runRequested(runId), data }
  return Effect.retry(publisher.publish(message), { schedule: Schedule.spaced("500 millis") })
}

/** True: all are over. False: nothing was heard for `stallSeconds`. */
const awaitOver = (ledger: Ledger, count: number, stallSeconds: number) =>
  Effect.gen(function* () {
    const heard = yield* Ref.make({ messages: -1, quietSeconds: 0 })
    const look = Ref.updateAndGet(heard, ({ messages, quietSeconds }) =>
      ledger.messages > messages
        ? { messages: ledger.messages, quietSeconds: 0 }
        : { messages, quietSeconds: quietSeconds + 1 }
    )
    const isEnd = ({ quietSeconds }: { readonly quietSeconds: number }) =>
      overCount(ledger) >= count || quietSeconds >= stallSeconds
    yield* Effect.repeat(look, { schedule: Schedule.spaced("1 second"), until: isEnd })
    return overCount(ledger) >= count
  })

/** Waits until nothing is in anybody's hands and every task has ended, and says what is left if that takes too long. */
const settled = (fleet: Fleet) =>
  Effect.gen(function* () {
    const look = Effect.all([fleet.operator.backlog, launchedTasks])
    const isQuiet = ([backlog, tasks]: Effect.Success<typeof look>) =>
      showBacklog(backlog) === "none" && tasks.every(({ lastStatus }) => lastStatus === "STOPPED")
    yield* Effect.repeat(look, { schedule: Schedule.spaced("1 second"), until: isQuiet }).pipe(
      Effect.timeoutOption(`${settleSeconds} seconds`)
    )
    const [backlog, tasks] = yield* look
    const left = showBacklog(backlog)
    return { tasks, problems: left === "none" ? [] : [`messages are left over: ${left}`] }
  })

/** Everything that was seen, held against what the programs do. */
export const judgeAll = (fleet: Fleet, ledger: Ledger, load: Workload) =>
  Effect.gen(function* () {
    const programs = new Map([...load.programs, ...(load.others ?? [])])
    const { tasks, problems } = yield* settled(fleet)
    const tasksOf = Map.groupBy(tasks, ({ startedBy = "" }) => startedBy.split("/")[1] ?? "")
    const seenOf = (runId: string): Seen => ({
      finished: ledger.finished.get(runId) ?? [],
      lines: ledger.lines.get(runId) ?? [],
      ends: ledger.ends.get(runId) ?? [],
      tasks: tasksOf.get(runId) ?? []
    })
    const strangers = [...ledger.finished.keys(), ...tasksOf.keys()].filter((runId) => !programs.has(runId))
    const sum = sumUp([...programs].map(([runId, program]) => judgeRun(runId, program, seenOf(runId))))
    const others = [...new Set(strangers)].map((runId) => `${runId}: nobody asked for this run`)
    const violations = [...sum.violations, ...others, ...(yield* deadLetters), ...problems, ...(yield* ownEnds(fleet))]
    return { ...sum, violations } satisfies Judgement
  })

/** A service may only end when it is told to. */
const ownEnds = ({ replicas }: Fleet) =>
  Effect.map(
    Effect.forEach(replicas, (replica) => Effect.map(replica.ownEnds, (ends) => ({ replica, ends }))),
    (all) =>
      all.flatMap(({ replica, ends }) =>
        ends.length === 0
          ? []
          : [`${replica.name} ended by itself ${ends.length} times: ${ends.slice(0, 3).join(", ")}`]
      )
  )
