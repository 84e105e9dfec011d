import { Clock, Effect } from "effect"
import type { BusUnavailable } from "#bus/BusError.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { isQueued } from "#ecs-core/Run.ts"
import { readRun } from "#process/RunRecords.ts"
import type { DispatcherSettings } from "./config.ts"
import { isQueueOver, queueTimedOut } from "./decide.ts"
import type { Fleet } from "./Fleet.ts"
import { performEffects } from "./perform.ts"
import { foldInto } from "./records.ts"
import { jobFromInbox } from "./requests.ts"

/** How often it is looked for runs that have queued for as long as their messages live. */
export const OLD_QUEUED_SECONDS = 600

/** Ends queued runs before their place in the queue ages out of the stream, and nobody would ever come to them. */
export const endOldQueued = (fleet: Fleet, settings: DispatcherSettings): Effect.Effect<never, BusUnavailable> =>
  Effect.forever(Effect.andThen(lookForOld(fleet, settings), Effect.sleep(`${OLD_QUEUED_SECONDS} seconds`)))

/** The entry of a live run is as old as its request, or younger where the run has gone on: only old ones are read. */
export const lookForOld = (
  fleet: Fleet,
  { streamAgeSeconds }: DispatcherSettings
): Effect.Effect<void, BusUnavailable> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const entries = yield* fleet.live.entries()
    const old = entries.filter(({ time }) => isQueueOver(instantOf(time), streamAgeSeconds, now))
    yield* Effect.forEach(old, ({ key }) => endIfQueued(fleet, key, now), { discard: true })
  })

/** What fails is tried again at the next look. */
const endIfQueued = (fleet: Fleet, runId: string, nowMillis: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { run } = yield* readRun(fleet.runs, runId)
    if (run === undefined || !isQueued(run)) return
    const ended = yield* foldInto(fleet.runs, run.runId, queueTimedOut(nowMillis))
    if (ended !== undefined) yield* performEffects(fleet, ended, jobFromInbox(fleet))
    yield* Effect.logWarning("a run queued for too long", { runId, pool: run.pool })
  }).pipe(
    Effect.catch((error) => Effect.logWarning("an old queued run is looked at again", { runId, why: error.message }))
  )
