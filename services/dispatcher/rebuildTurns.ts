import { Clock, Effect, Option } from "effect"
import type { PublishError } from "#bus/BusError.ts"
import { bucketStream } from "#bus/buckets.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import {
  isOver,
  noCounts,
  REBUILD_KEY,
  REBUILD_SILENT_SECONDS,
  RebuildCodec,
  type RebuildState
} from "#ecs-core/RebuildState.ts"
import { Streams } from "#ecs-core/Subjects.ts"
import { askForRebuild, type KeptRebuild, lastRebuild } from "#process/RebuildRequest.ts"
import type { DispatcherSettings } from "./config.ts"
import type { Fleet } from "./Fleet.ts"
import { rebuildRecords, TakenOver } from "./rebuild.ts"

/**
 * Who rebuilds. It is asked for by a key in `fleet-meta`, which the first dispatcher that sees it takes by
 * compare-and-set, and renews while it works. One that is silent has died: the next one begins anew, which only
 * completes what is there.
 */

/** Between two signs of life. */
const REPORT_MILLIS = 2000

/** A rebuild that made nothing is not asked for again, of our own accord, for so long. */
export const ASK_AGAIN_SECONDS = 600

/** Whether a rebuild waits for somebody to do it. */
export const isFree = ({ rebuild: { state }, time }: KeptRebuild, nowMillis: number): boolean =>
  state === "wanted" || (state === "running" && nowMillis - time > REBUILD_SILENT_SECONDS * 1000)

/** Looks for ever whether records are to be rebuilt. */
export const rebuildForEver = (
  fleet: Fleet,
  settings: DispatcherSettings,
  owner: string
): Effect.Effect<never, PublishError> =>
  Effect.forever(
    Effect.andThen(rebuildIfWanted(fleet, settings, owner), Effect.sleep(`${settings.rebuildLookSeconds} seconds`))
  )

/** Does what is asked for, if nobody else does. */
export const rebuildIfWanted = (
  fleet: Fleet,
  settings: Pick<DispatcherSettings, "rebuildBytesMax">,
  owner: string
): Effect.Effect<void, PublishError> =>
  Effect.gen(function* () {
    const kept = yield* lastRebuild(fleet.meta)
    if (kept === undefined || !isFree(kept, yield* Clock.currentTimeMillis)) return
    const begun: RebuildState = { ...kept.rebuild, state: "running", owner, read: 0, total: 0, ...noCounts }
    const turn = yield* startTurn(fleet, begun, kept.revision)
    yield* Effect.logInfo("records are rebuilt", { id: begun.id, by: begun.by })
    const done = yield* Effect.result(
      rebuildRecords(fleet, { bytesMax: settings.rebuildBytesMax, report: turn.report })
    )
    if (done._tag === "Failure" && done.failure._tag === "TakenOver") return yield* done.failure
    yield* turn.end(done._tag === "Success" ? { state: "done" } : { state: "failed", error: done.failure.message })
  }).pipe(
    Effect.catchTags({
      TakenOver: ({ message }) => Effect.logInfo(message),
      RevisionConflict: () => Effect.void
    })
  )

/** The key in our hands: what is reported is stored now and then, and is the sign of life. */
const startTurn = (fleet: Fleet, begun: RebuildState, since: number) =>
  Effect.gen(function* () {
    const write = (state: RebuildState, from: number) =>
      fleet.meta.update(REBUILD_KEY, RebuildCodec.encode(state), from)
    let state = begun
    let revision = yield* write(state, since)
    let writtenAt = yield* Clock.currentTimeMillis
    const store = Effect.gen(function* () {
      revision = yield* write(state, revision)
      writtenAt = yield* Clock.currentTimeMillis
    }).pipe(Effect.catchTag("RevisionConflict", () => new TakenOver()))
    const report = (progress: Partial<RebuildState>) =>
      Effect.gen(function* () {
        state = { ...state, ...progress }
        if ((yield* Clock.currentTimeMillis) - writtenAt >= REPORT_MILLIS) yield* store
      })
    const end = (how: Partial<RebuildState>) =>
      Effect.gen(function* () {
        state = { ...state, ...how, endedAt: instantOf(yield* Clock.currentTimeMillis) }
        yield* store
        yield* Effect.logInfo("records were rebuilt", state)
      })
    return { report, end }
  })

/** A fleet that has messages and no record at all has lost its records: a new one has neither. */
export const askIfLost = (fleet: Fleet): Effect.Effect<void, PublishError> =>
  Effect.gen(function* () {
    const isThere = (stream: string) => Effect.map(fleet.messages.first(stream, ">"), Option.isSome)
    if ((yield* isThere(bucketStream(fleet.runs.name))) || !(yield* isThere(Streams.fleet))) return
    const last = yield* lastRebuild(fleet.meta)
    const age = last === undefined ? Number.POSITIVE_INFINITY : (yield* Clock.currentTimeMillis) - last.time
    if (last !== undefined && isOver(last.rebuild) && last.rebuild.created === 0 && age < ASK_AGAIN_SECONDS * 1000)
      return
    const id = yield* askForRebuild(fleet.meta, "dispatcher")
    if (id !== last?.rebuild.id) yield* Effect.logWarning("records are missing: a rebuild was asked for", { id })
  })
