import { Cache, Clock, Effect, Exit, Fiber, Option, Random, Result, Schedule, Schema } from "effect"
import { Ecs } from "#aws/Ecs.ts"
import { Gate } from "#aws/gate/Gate.ts"
import { Pace } from "#aws/Pace.ts"
import type { Bucket, BucketEntry } from "#bus/Bucket.ts"
import type { PublishError, RevisionConflict } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { instantOf, millisOf } from "#ecs-core/Instant.ts"
import type { TaskDefinitionInput } from "#ecs-core/PrepareDefinition.ts"
import { definitionKey } from "#ecs-core/TaskDefinition.ts"
import type { DispatcherSettings } from "./config.ts"
import { decideEntry, type Entry, EntryCodec, type ReadyEntry, usedAtOf } from "./definitionEntry.ts"
import {
  answerMayBeLost,
  type EcsPort,
  type Found,
  obtain,
  type Place,
  pacedEcs,
  usable,
  type Wanted
} from "./register.ts"

/**
 * The shared cache of task definitions. RegisterTaskDefinition has a quota of one call a second, and ECS refuses two
 * registrations of one family at a time, so that a thousand equal requests on any number of replicas must cause one.
 * The key in `fleet-taskdefs` is the hash of the normalised definition; whoever claims it registers, everybody else
 * waits for the ARN. A claim is renewed for as long as its owner lives, also while it waits for the quota. One that is
 * not is taken over, and since the dead owner's answer may have been lost after ECS had registered, the family's newest
 * revision is compared first.
 */

/** Another replica is registering this definition; its ARN will be there in a moment. */
export class DefinitionBusy extends Schema.TaggedError<DefinitionBusy>()("DefinitionBusy", {}) {
  override get message() {
    return "another replica is registering this task definition: wait a second and look again"
  }
}

export type DefinitionError = AwsFailure | DefinitionBusy | PublishError

/** How a job wants its definition. */
export type Wish = Pick<Wanted, "match" | "autoDeregister" | "notArn">

export interface Definitions {
  /** The ARN of an ACTIVE revision equal to the definition, registering one if there is none. */
  readonly ensure: (definition: TaskDefinitionInput, place: Place, wish: Wish) => Effect.Effect<Found, DefinitionError>
}

interface Deps {
  readonly ecs: EcsPort
  readonly gate: typeof Gate.Service
  readonly bucket: Bucket
  readonly settings: DispatcherSettings
}

/** A cache over the bucket: one look-up a definition at a time in this process, repeated after `definitionCheckSeconds`. */
export const makeDefinitions = (
  bucket: Bucket,
  settings: DispatcherSettings
): Effect.Effect<Definitions, never, Ecs | Gate | Pace> =>
  Effect.gen(function* () {
    const deps: Deps = { ecs: pacedEcs(yield* Ecs, yield* Pace), gate: yield* Gate, bucket, settings }
    const pending = new Map<string, Wanted>()
    const cache = yield* Cache.makeWith((key: string) => lookUp(deps, pending.get(key)), {
      capacity: settings.definitionsMax,
      timeToLive: (exit) => (Exit.isSuccess(exit) ? `${settings.definitionCheckSeconds} seconds` : 0)
    })
    const ensure = (wanted: Wanted): Effect.Effect<Found, DefinitionError> =>
      Effect.gen(function* () {
        const { key, notArn } = wanted
        if (notArn !== undefined) yield* Cache.invalidateWhen(cache, key, ({ found }) => found.arn === notArn)
        pending.set(key, wanted)
        const { found, of } = yield* Effect.ensuring(
          Cache.get(cache, key),
          Effect.sync(() => pending.delete(key))
        )
        // A look-up that was under way already may not have known.
        if (found.arn === notArn) return yield* new DefinitionBusy()
        return { arn: found.arn, registered: found.registered && of === wanted }
      })
    return {
      ensure: (definition, place, wish) =>
        Effect.suspend(() => {
          const key = definitionKey(definition, place.region, place.credentials)
          return ensure({ ...wish, key, definition, place })
        })
    }
  })

/** Losers of the race look again a few times before their message is handed back. */
const waiting = Schedule.spaced("100 millis").pipe(Schedule.upTo({ times: 8 }))

/** What a look-up found, and for whom it was made: only there was the definition registered, others reuse it. */
const lookUp = (deps: Deps, wanted: Wanted | undefined) =>
  wanted === undefined
    ? Effect.fail(new DefinitionBusy())
    : Effect.andThen(deps.gate.check(wanted.place), seek(deps, wanted)).pipe(
        Effect.catchTags({ KeyExists: () => new DefinitionBusy(), RevisionConflict: () => new DefinitionBusy() }),
        Effect.retry({ schedule: waiting, while: (error) => error._tag === "DefinitionBusy" }),
        Effect.map((found) => ({ found, of: wanted }))
      )

const seek = (deps: Deps, wanted: Wanted) =>
  Effect.gen(function* () {
    const kept = Option.getOrUndefined(yield* deps.bucket.get(wanted.key))
    const entry = kept === undefined ? undefined : entryOf(kept.value)
    const now = yield* Clock.currentTimeMillis
    const step = decideEntry(entry, now, deps.settings.registrationTakeOverSeconds, wanted.notArn)
    if (step === "wait") return yield* new DefinitionBusy()
    if (step === "check" && kept !== undefined && entry?.state === "ready") {
      const arn = yield* usable(deps.ecs, wanted, entry.arn)
      if (arn !== undefined) {
        yield* keepUsed(deps, kept, entry, now)
        return { arn, registered: false }
      }
    }
    return yield* underClaim(deps, wanted, kept, step === "takeOver" || wanted.match)
  })

export const entryOf = (value: Uint8Array): Entry | undefined =>
  Result.getOrElse(EntryCodec.decode(text({ data: value })), () => undefined)

/** Every few minutes at most. A conflict means that the entry may be about to go: it is read again. */
const keepUsed = ({ bucket, settings }: Deps, kept: BucketEntry, entry: ReadyEntry, nowMillis: number) =>
  nowMillis - millisOf(usedAtOf(entry)) < settings.definitionCheckSeconds * 1000
    ? Effect.void
    : bucket.update(kept.key, EntryCodec.encode({ ...entry, usedAt: instantOf(nowMillis) }), kept.revision)

/** How long an interrupted registration may take to give its claim up. */
const COURTESY_MILLIS = 1000

/** What is only a courtesy to the next one must not hold up the end of the process. In fibers that nobody interrupts. */
const soon = (courtesy: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkDetach(Effect.interruptible(courtesy))
    const late = yield* Effect.forkDetach(Effect.interruptible(Effect.sleep(COURTESY_MILLIS)))
    yield* Effect.raceFirst(Fiber.await(fiber), Fiber.await(late))
  })

const underClaim = (deps: Deps, wanted: Wanted, kept: BucketEntry | undefined, compareFirst: boolean) =>
  Effect.gen(function* () {
    const { bucket, settings } = deps
    const claim: Claim = { key: wanted.key, by: `${yield* Random.nextInt}` }
    const value = yield* claimValue(claim)
    yield* kept === undefined ? bucket.create(claim.key, value) : bucket.update(claim.key, value, kept.revision)
    const work = obtain(deps.ecs, wanted, { compareFirst, tries: settings.registrationTries })
    const found = yield* Effect.raceFirst(work, renewed(deps, claim)).pipe(
      Effect.tapError((failure) => letGo(deps, claim, isRefused(failure) ? "absent" : "lost")),
      Effect.onInterrupt(() => soon(letGo(deps, claim, "lost")))
    )
    const since = instantOf(yield* Clock.currentTimeMillis)
    const autoDeregister = found.registered && wanted.autoDeregister
    const ready: Entry = {
      state: "ready",
      arn: found.arn,
      since,
      usedAt: since,
      ...(autoDeregister ? { autoDeregister } : {}),
      ...(wanted.place.credentials === undefined ? {} : { credentials: wanted.place.credentials })
    }
    yield* settle(deps, claim, ready)
    return found
  })

/** Whose claim it is: the replica's look-up, not the replica. */
interface Claim {
  readonly key: string
  readonly by: string
}

const claimValue = ({ by }: Claim) =>
  Effect.map(Clock.currentTimeMillis, (now) => EntryCodec.encode({ state: "registering", since: instantOf(now), by }))

/** Says for ever that the claim's owner lives; a failure to say so ends the work, since another may take over. */
const renewed = (deps: Deps, claim: Claim): Effect.Effect<never, DefinitionBusy | RevisionConflict | PublishError> =>
  Effect.gen(function* () {
    while (true) {
      yield* Effect.sleep((deps.settings.registrationTakeOverSeconds * 1000) / 3)
      yield* Effect.uninterruptible(Effect.flatMap(claimValue(claim), (value) => replaceOwn(deps, claim, value)))
    }
  })

const settle = (deps: Deps, claim: Claim, entry: Entry) => replaceOwn(deps, claim, EntryCodec.encode(entry))

/** Replaces the claim if it is still ours; else somebody took it over, and their entry counts. */
const replaceOwn = ({ bucket }: Deps, { key, by }: Claim, value: string) =>
  Effect.gen(function* () {
    const kept = Option.getOrUndefined(yield* bucket.get(key))
    const entry = kept === undefined ? undefined : entryOf(kept.value)
    const isOurs = entry?.state === "registering" && entry.by === by
    if (kept === undefined || !isOurs) return yield* new DefinitionBusy()
    yield* bucket.update(key, value, kept.revision)
  })

const isRefused = (failure: { readonly _tag: string } | AwsFailure): boolean =>
  failure._tag === "AwsFailure" && "retry" in failure && !answerMayBeLost(failure)

/** The claim ends without a definition: there is none, or ECS may have registered it all the same. */
const letGo = (deps: Deps, claim: Claim, state: "absent" | "lost") =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => settle(deps, claim, { state, since: instantOf(now) })).pipe(
    Effect.ignore
  )
