import { Clock, Effect, Metric, Option, Result, Stream } from "effect"
import type { BusUnavailable } from "#bus/BusError.ts"
import { bucketStream, bucketSubject } from "#bus/buckets.ts"
import { text } from "#bus/Message.ts"
import { isRunId, type RunId } from "#ecs-core/Ids.ts"
import { currentAttempt, isFinal, isTombstone, launcherHasIt, type Run, RunCodec } from "#ecs-core/Run.ts"
import { LiveState, type RunState } from "#ecs-core/RunState.ts"
import { Filters, LeaseKeys, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { holdLease } from "#process/Lease.ts"
import { mended } from "#process/metrics.ts"
import { askForRebuild, lastRebuild } from "#process/RebuildRequest.ts"
import { readRun } from "#process/RunRecords.ts"
import type { DispatcherSettings } from "./config.ts"
import { readFact } from "./decide.ts"
import type { Fleet } from "./Fleet.ts"
import * as metrics from "./metrics.ts"
import { keepKey, performEffects } from "./perform.ts"
import { askIfLost } from "./rebuildTurns.ts"
import { decideRun, launchUnknown, type Step } from "./reconcileDecide.ts"
import { foldInto } from "./records.ts"
import { goesOn } from "./recreate.ts"
import { jobFromInbox, type StepError, stored } from "./requests.ts"

/**
 * The sweep over records: what only the dispatcher may mend. Every handler makes exist what must exist before it
 * acknowledges, so that nothing is left to do, as long as nobody takes messages, keys or consumers away. Where somebody
 * has, one replica looks once a minute: keys of live runs against records, records against the facts that are stored,
 * and repeats what must exist, which is created once. It publishes no fact of its own.
 */

/** Runs looked at, and records read, at a time. */
const AT_ONCE = 16

/** A holder that is silent for so many rounds is taken over. */
const LEASE_ROUNDS = 3

/** What one replica remembers from sweep to sweep, as long as it holds the lease. */
export interface Memory {
  /** The run that was looked at last. */
  lastRun: string
  /** The first change of a record that was not seen. */
  nextChange: number
  readonly orderless: Map<string, number>
  /** The rebuild that was asked for because of a run without a record. */
  readonly asked: Map<string, string>
  /** The state in which each live run was seen last. */
  readonly states: Map<string, RunState>
}

export const nothingSeen = (): Memory => ({
  lastRun: "",
  nextChange: 0,
  orderless: new Map(),
  asked: new Map(),
  states: new Map()
})

/** Sweeps for ever; of several replicas, the one that holds the lease. */
export const reconcileForEver = (
  fleet: Fleet,
  settings: DispatcherSettings,
  owner: string,
  ensure: Effect.Effect<unknown, { readonly message: string }>
): Effect.Effect<never> => {
  const memory = nothingSeen()
  const round = Effect.gen(function* () {
    if (!(yield* holdLease(fleet.meta, LeaseKeys.reconcileRecords, owner, LEASE_ROUNDS * settings.reconcileSeconds))) {
      Object.assign(memory, nothingSeen())
      yield* Metric.update(metrics.unfinishedRuns, 0)
      return yield* tellStates(memory)
    }
    yield* ensure
    yield* askIfLost(fleet)
    return yield* reconcile(fleet, settings, memory)
  }).pipe(
    Effect.catch((error) =>
      Effect.andThen(Effect.logWarning("records are compared later", { why: error.message }), Effect.ignore(ensure))
    )
  )
  return Effect.forever(Effect.andThen(round, Effect.sleep(`${settings.reconcileSeconds} seconds`)))
}

/** One look at all live runs, or as many as one sweep may. */
export const reconcile = (
  fleet: Fleet,
  settings: Pick<DispatcherSettings, "reconcileRunsMax" | "streamAgeSeconds">,
  memory: Memory
): Effect.Effect<void, StepError> =>
  Effect.gen(function* () {
    const live = (yield* fleet.live.keys()).filter(isRunId).toSorted()
    const due = nextOf(live, memory.lastRun, settings.reconcileRunsMax)
    memory.lastRun = due.at(-1) ?? ""
    const wholeSince = yield* firstMillis(fleet)
    const steps = yield* Effect.forEach(due, (runId) => lookAt(fleet, memory, runId, wholeSince), {
      concurrency: AT_ONCE
    })
    const lost = due.filter((_, index) => steps[index] === "rebuild")
    if (lost.length > 0) yield* askFor(fleet, memory, lost)
    const keys = new Set<string>(live)
    for (const known of [memory.orderless, memory.asked, memory.states]) {
      for (const runId of known.keys()) if (!keys.has(runId)) known.delete(runId)
    }
    yield* Metric.update(metrics.unfinishedRuns, live.length)
    yield* tellStates(memory)
    yield* keyChanged(fleet, settings, memory, keys)
  })

const tellStates = ({ states }: Memory): Effect.Effect<void> => {
  const runs = Map.groupBy(states.values(), (state) => state)
  return Effect.forEach(
    LiveState.literals,
    (state) => Metric.update(Metric.withAttributes(metrics.runs, { state }), runs.get(state)?.length ?? 0),
    { discard: true }
  )
}

/**
 * Records that are missing are asked for once. One that a rebuild could not make has no run any more; a rebuild that is
 * under way may have begun before there was anything to read about it.
 */
const askFor = (fleet: Fleet, memory: Memory, lost: ReadonlyArray<RunId>): Effect.Effect<void, StepError> =>
  Effect.gen(function* () {
    const last = (yield* lastRebuild(fleet.meta))?.rebuild
    if (last?.state === "running") return
    const [given, news] = [
      lost.filter((runId) => memory.asked.has(runId)),
      lost.filter((runId) => !memory.asked.has(runId))
    ]
    for (const runId of last?.state === "wanted" ? [] : given) {
      yield* Effect.andThen(fleet.live.delete(runId), told("drop", runId))
    }
    if (news.length === 0) return
    const id = yield* askForRebuild(fleet.meta, "dispatcher")
    yield* Effect.logWarning("runs have no record: a rebuild was asked for", { id, runs: news.length })
    for (const runId of news) memory.asked.set(runId, id)
  })

/** The runs behind the last one that was looked at, then from the beginning. */
export const nextOf = <A extends string>(sorted: ReadonlyArray<A>, last: string, max: number): ReadonlyArray<A> => {
  const from = sorted.findIndex((runId) => runId > last)
  const turned = from <= 0 ? sorted : [...sorted.slice(from), ...sorted.slice(0, from)]
  return turned.slice(0, max)
}

const firstMillis = ({ messages }: Fleet): Effect.Effect<number, BusUnavailable> =>
  Effect.flatMap(messages.first(Streams.fleet, ">"), (first) =>
    Option.isSome(first) ? Effect.succeed(first.value.time) : Clock.currentTimeMillis
  )

const lookAt = (fleet: Fleet, memory: Memory, runId: RunId, wholeSince: number): Effect.Effect<Step, StepError> =>
  Effect.gen(function* () {
    const { run } = yield* readRun(fleet.runs, runId)
    if (run !== undefined) memory.states.set(runId, run.state)
    const now = yield* Clock.currentTimeMillis
    const orderlessSince = memory.orderless.get(runId)
    const step = decideRun(run, { ...(yield* storedOf(fleet, runId, run)), wholeSince, orderlessSince }, now)
    if (step === "wait") memory.orderless.set(runId, orderlessSince ?? now)
    else if (step !== "nothing") memory.orderless.delete(runId)
    if (step === "drop") yield* Effect.andThen(fleet.live.delete(runId), told(step, runId))
    if (step === "perform" && run !== undefined) yield* mend(fleet, run)
    if (step === "giveUp" && run !== undefined) {
      yield* told(step, runId)
      const ended = yield* foldInto(fleet.runs, runId, launchUnknown(run, now))
      if (ended !== undefined) yield* mend(fleet, ended)
    }
    return step
  }).pipe(
    // One run that cannot be read, or not be defined just now, holds up no other.
    Effect.catchIf(
      ({ _tag }) => _tag !== "BusUnavailable",
      ({ message }) =>
        Effect.as(Effect.logInfo("a run is looked at later", { runId, why: message }), "nothing" as const)
    )
  )

const told = (what: string, runId: string) =>
  Effect.andThen(
    Effect.logWarning("a live run was mended", { runId, what }),
    Metric.update(Metric.withAttributes(mended, { what }), 1)
  )

/** Only what the decision may need is read. */
const storedOf = ({ messages }: Fleet, runId: RunId, run: Run | undefined) =>
  Effect.gen(function* () {
    const isThere = (subject: string) => Effect.map(messages.last(Streams.fleet, subject), Option.isSome)
    const current = run === undefined ? undefined : currentAttempt(run)
    const isOpen = current !== undefined && current.over !== true && !launcherHasIt(current)
    const hasOrder = isOpen && (yield* isThere(Subjects.taskdefReady(runId, current.attempt)))
    const isLost = run === undefined || isTombstone(run)
    const isKnown = isLost && ((yield* isThere(Filters.ordersOf(runId))) || (yield* isThere(Filters.factsOf(runId))))
    return { hasOrder, isKnown }
  })

/** Folds what is stored about the current attempt, whether it was before or not, and repeats what must exist. */
const mend = (fleet: Fleet, before: Run): Effect.Effect<void, StepError> =>
  Effect.gen(function* () {
    const { runId } = before
    const attempt = currentAttempt(before)?.attempt ?? 1
    const facts = [
      Subjects.taskStarted(runId, attempt),
      Subjects.taskRejected(runId, attempt),
      Subjects.runCancel(runId),
      Subjects.taskStopped(runId, attempt)
    ]
    let run: Run | undefined = before
    for (const subject of isFinal(before) ? [] : facts) {
      const last = yield* fleet.messages.last(Streams.fleet, subject)
      const event = Option.isNone(last) ? undefined : Result.getOrUndefined(readFact(stored(last.value)))?.event
      if (event !== undefined) run = yield* foldInto(fleet.runs, runId, event)
    }
    if (run !== undefined) yield* performEffects(fleet, run, jobFromInbox(fleet))
  })

/** Records that have changed since the last look, and whose run goes on, have their key among the live runs. */
const keyChanged = (
  fleet: Fleet,
  { streamAgeSeconds }: Pick<DispatcherSettings, "streamAgeSeconds">,
  memory: Memory,
  live: ReadonlySet<string>
): Effect.Effect<void, BusUnavailable | StepError> =>
  Effect.gen(function* () {
    const stream = bucketStream(fleet.runs.name)
    const newest = yield* fleet.messages.last(stream, ">")
    // A bucket that was made anew counts from 1 again.
    if (Option.exists(newest, ({ seq }) => seq + 1 < memory.nextChange)) memory.nextChange = 0
    const fromTimeMillis = (yield* Clock.currentTimeMillis) - streamAgeSeconds * 1000
    const from = memory.nextChange > 0 ? { fromSeq: memory.nextChange } : { fromTimeMillis }
    const records = { stream, subject: bucketSubject(fleet.runs.name, ">"), follow: false, ...from }
    yield* fleet.messages.replay(records).pipe(
      Stream.runForEach((message) => {
        memory.nextChange = message.seq + 1
        const run = Result.getOrUndefined(RunCodec.decode(text(message)))
        return run === undefined || !goesOn(run) || live.has(run.runId) ? Effect.void : keyAgain(fleet, run.runId)
      })
    )
  })

const keyAgain = (fleet: Fleet, runId: RunId): Effect.Effect<void, StepError> =>
  Effect.gen(function* () {
    const { run } = yield* Effect.catchTag(readRun(fleet.runs, runId), "RecordUnreadable", () =>
      Effect.succeed({ run: undefined })
    )
    if (run === undefined || !goesOn(run) || Option.isSome(yield* fleet.live.get(runId))) return
    yield* keepKey(fleet, run)
    yield* told("key", runId)
  })
