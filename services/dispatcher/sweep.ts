import { Clock, Effect } from "effect"
import type { AwsTarget } from "#aws/Target.ts"
import type { BucketEntry } from "#bus/Bucket.ts"
import type { BusUnavailable } from "#bus/BusError.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { awaitsDefinition, currentAttempt, isFinal } from "#ecs-core/Run.ts"
import { readRun } from "#process/RunRecords.ts"
import type { DispatcherSettings } from "./config.ts"
import { decideIdle, type Entry, EntryCodec, targetOf } from "./definitionEntry.ts"
import { entryOf } from "./definitions.ts"
import type { Fleet } from "./Fleet.ts"

/**
 * Deregisters what `autoDeregisterTaskDefinition` asked for: definitions that the fleet has registered, that no request
 * has asked for in a while and that no live run uses (peers 53). A linked definition has no entry, and is never touched
 * (peers 52). The entry becomes `deregistering` by compare-and-set before ECS is told, so that one replica does it, and
 * whoever wants the definition meanwhile registers it anew. What a crash leaves half done, a later sweep completes.
 */

/** Records of live runs that are read at a time. */
const READS_AT_ONCE = 16

export const sweepForEver = (fleet: Fleet, settings: DispatcherSettings): Effect.Effect<never, BusUnavailable> =>
  Effect.forever(Effect.andThen(Effect.sleep(`${settings.definitionSweepSeconds} seconds`), sweep(fleet, settings)))

interface Due {
  readonly kept: BucketEntry
  readonly entry: Entry
  readonly step: "deregister" | "complete" | "forget"
}

/** One look at all entries; the live runs are read only where something may be idle. */
export const sweep = (fleet: Fleet, settings: DispatcherSettings): Effect.Effect<void, BusUnavailable> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const limits = {
      idleSeconds: settings.definitionIdleSeconds,
      takeOverSeconds: settings.registrationTakeOverSeconds
    }
    const due = (yield* fleet.definitionEntries.entries()).flatMap((kept): ReadonlyArray<Due> => {
      const entry = entryOf(kept.value)
      const step = entry === undefined ? "keep" : decideIdle(entry, now, limits)
      return entry === undefined || step === "keep" ? [] : [{ kept, entry, step }]
    })
    const inUse = due.some(({ step }) => step === "deregister") ? yield* arnsInUse(fleet) : new Set<string>()
    yield* Effect.forEach(due, (each) => carryOut(fleet, each, inUse), { discard: true })
  })

/** ARNs of the attempts that live runs are in; if they cannot be read now, the sweep is given up. */
const arnsInUse = (fleet: Fleet): Effect.Effect<ReadonlySet<string>, BusUnavailable> =>
  Effect.gen(function* () {
    const runIds = yield* fleet.live.keys()
    const arns = yield* Effect.forEach(runIds, (runId) => arnInUse(fleet, runId), { concurrency: READS_AT_ONCE })
    return new Set(arns.flatMap((arn) => (arn === undefined ? [] : [arn])))
  })

const arnInUse = (fleet: Fleet, runId: string): Effect.Effect<string | undefined, BusUnavailable> =>
  readRun(fleet.runs, runId).pipe(
    Effect.map(({ run }) =>
      run === undefined || isFinal(run) || awaitsDefinition(run) ? undefined : currentAttempt(run)?.taskDefinitionArn
    ),
    // Nobody launches a run whose record cannot be read.
    Effect.catchTag("RecordUnreadable", () => Effect.undefined)
  )

/** A failure is for the next sweep; another replica's step in between is as good as ours. */
const carryOut = (fleet: Fleet, due: Due, inUse: ReadonlySet<string>): Effect.Effect<void> =>
  stepOf(fleet, due, inUse).pipe(
    Effect.catchTag("RevisionConflict", () => Effect.void),
    Effect.catch((error) =>
      Effect.logWarning("idle task definition not deregistered yet", { entry: due.kept.key, why: error.message })
    )
  )

const stepOf = (fleet: Fleet, { kept, entry, step }: Due, inUse: ReadonlySet<string>) =>
  Effect.gen(function* () {
    const since = instantOf(yield* Clock.currentTimeMillis)
    const replace = (next: Entry, revision: number) =>
      fleet.definitionEntries.update(kept.key, EntryCodec.encode(next), revision)
    if (step === "forget") return yield* fleet.definitionEntries.delete(kept.key)
    if (entry.state === "ready" && inUse.has(entry.arn)) {
      yield* replace({ ...entry, usedAt: since }, kept.revision)
      return
    }
    if (entry.state !== "ready" && entry.state !== "deregistering") return
    const { arn, credentials } = entry
    const target = targetOf(entry)
    yield* fleet.gate.check(target)
    const account = credentials === undefined ? {} : { credentials }
    const claimed = yield* replace({ state: "deregistering", arn, since, ...account }, kept.revision)
    yield* deregister(fleet, target, arn)
    yield* Effect.logInfo("idle task definition deregistered", { arn })
    yield* replace({ state: "absent", since }, claimed)
  })

/** One that ECS no longer knows, or has as INACTIVE, is what was wanted. */
const deregister = (fleet: Fleet, target: AwsTarget, arn: string): Effect.Effect<void, AwsFailure> =>
  Effect.catchIf(
    fleet.ecs.deregisterTaskDefinition(target, arn),
    ({ retry }) => retry === "inactive",
    () => Effect.void
  )
