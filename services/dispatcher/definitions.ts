import { Cache, Clock, Effect, Exit, Option, Result, Schedule, Schema } from "effect"
import { Ecs } from "#aws/Ecs.ts"
import { mutable } from "#aws/Mutable.ts"
import { Pace } from "#aws/Pace.ts"
import type { Bucket } from "#bus/Bucket.ts"
import type { PublishError } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import { codec } from "#ecs-core/Codec.ts"
import { AwsFailure } from "#ecs-core/errors.ts"
import { Instant, instantOf, millisOf } from "#ecs-core/Instant.ts"
import { definitionKey, equalDefinitions, type TaskDefinitionInput } from "#ecs-core/TaskDefinition.ts"
import type { DispatcherSettings } from "./config.ts"

/**
 * The shared cache of task definitions. RegisterTaskDefinition has a quota of one call a second, and ECS refuses two
 * registrations of one family at a time, so that a thousand equal requests on any number of replicas must cause one.
 * The key in `fleet-taskdefs` is the hash of the normalised definition; whoever creates it registers, everybody else
 * waits for the ARN. A registrar that died is taken over: its answer may have been lost after ECS had registered, so
 * that the family's newest revision is compared first.
 */

const Entry = Schema.Union([
  Schema.Struct({ state: Schema.Literal("registering"), since: Instant }),
  Schema.Struct({ state: Schema.Literal("ready"), arn: Schema.String, since: Instant })
])
const EntryCodec = codec(Entry)
type Entry = typeof Entry.Type

/** Another replica is registering this definition; its ARN will be there in a moment. */
export class DefinitionBusy extends Schema.TaggedError<DefinitionBusy>()("DefinitionBusy", {}) {
  override get message() {
    return "another replica is registering this task definition: wait a second and look again"
  }
}

export type DefinitionError = AwsFailure | DefinitionBusy | PublishError

/** What to do about an entry of the cache. */
export const decideEntry = (
  entry: Entry | undefined,
  nowMillis: number,
  takeOverSeconds: number
): "create" | "check" | "wait" | "takeOver" => {
  if (entry === undefined) return "create"
  if (entry.state === "ready") return "check"
  return nowMillis - millisOf(entry.since) > takeOverSeconds * 1000 ? "takeOver" : "wait"
}

export interface Definitions {
  /** The ARN of an ACTIVE revision equal to the definition, registering one if there is none. */
  readonly ensure: (definition: TaskDefinitionInput, region: string) => Effect.Effect<string, DefinitionError>
}

/** A cache over the bucket: one look-up a definition at a time in this process, repeated after `definitionCheckSeconds`. */
export const makeDefinitions = (
  bucket: Bucket,
  settings: DispatcherSettings
): Effect.Effect<Definitions, never, Ecs | Pace> =>
  Effect.gen(function* () {
    const ecs = pacedEcs(yield* Ecs, yield* Pace)
    const pending = new Map<string, Wanted>()
    const cache = yield* Cache.makeWith((key: string) => lookUp(ecs, bucket, settings, pending.get(key)), {
      capacity: settings.definitionsMax,
      timeToLive: (exit) => (Exit.isSuccess(exit) ? `${settings.definitionCheckSeconds} seconds` : 0)
    })
    return {
      ensure: (definition, region) =>
        Effect.suspend(() => {
          const key = definitionKey(definition, region)
          pending.set(key, { key, definition, region })
          return Effect.ensuring(
            Cache.get(cache, key),
            Effect.sync(() => pending.delete(key))
          )
        })
    }
  })

interface Wanted {
  readonly key: string
  readonly definition: TaskDefinitionInput
  readonly region: string
}

type EcsPort = Pick<typeof Ecs.Service, "registerTaskDefinition" | "describeTaskDefinition">

/** Registrations have a quota of one a second. */
const pacedEcs = (ecs: EcsPort, pace: typeof Pace.Service): EcsPort => ({
  registerTaskDefinition: (target, input) =>
    pace.paced("modifyTaskDefinition", target)(ecs.registerTaskDefinition(target, input)),
  describeTaskDefinition: (target, ref) =>
    pace.paced("readTaskDefinition", target)(ecs.describeTaskDefinition(target, ref))
})

/** Losers of the race look again a few times before their message is handed back. */
const waiting = Schedule.spaced("100 millis").pipe(Schedule.upTo({ times: 8 }))

const lookUp = (
  ecs: EcsPort,
  bucket: Bucket,
  settings: DispatcherSettings,
  wanted: Wanted | undefined
): Effect.Effect<string, DefinitionError> =>
  wanted === undefined
    ? Effect.fail(new DefinitionBusy())
    : attempt(ecs, bucket, settings, wanted).pipe(
        Effect.retry({ schedule: waiting, while: (error) => error._tag === "DefinitionBusy" })
      )

const attempt = (
  ecs: EcsPort,
  bucket: Bucket,
  settings: DispatcherSettings,
  wanted: Wanted
): Effect.Effect<string, DefinitionError> =>
  Effect.gen(function* () {
    const kept = Option.getOrUndefined(yield* bucket.get(wanted.key))
    const entry = kept === undefined ? undefined : entryOf(kept.value)
    const now = yield* Clock.currentTimeMillis
    const step = decideEntry(entry, now, settings.registrationTakeOverSeconds)
    if (step === "wait") return yield* new DefinitionBusy()
    if (entry?.state === "ready" && (yield* isUsable(ecs, entry.arn, wanted))) return entry.arn
    const claim = EntryCodec.encode({ state: "registering", since: instantOf(now) })
    const revision = yield* kept === undefined
      ? bucket.create(wanted.key, claim)
      : bucket.update(wanted.key, claim, kept.revision)
    const arn = yield* (step === "takeOver" ? adoptOrRegister(ecs, wanted) : registerOnce(ecs, wanted)).pipe(
      Effect.tapError((failure) => (answerMayBeLost(failure) ? Effect.void : Effect.ignore(bucket.delete(wanted.key))))
    )
    yield* bucket.update(wanted.key, EntryCodec.encode({ state: "ready", arn, since: instantOf(now) }), revision)
    return arn
  }).pipe(Effect.catchTags({ KeyExists: () => new DefinitionBusy(), RevisionConflict: () => new DefinitionBusy() }))

const entryOf = (value: Uint8Array): Entry | undefined =>
  Result.getOrElse(EntryCodec.decode(text({ data: value })), () => undefined)

/** ACTIVE and equal. A failed look-up counts as a miss (peers 38), save where asking again is all that is needed. */
const isUsable = (ecs: EcsPort, arn: string, { definition, region }: Wanted): Effect.Effect<boolean, AwsFailure> =>
  ecs.describeTaskDefinition({ region }, arn).pipe(
    Effect.map((found) => found.status === "ACTIVE" && equalDefinitions(found, definition)),
    Effect.catchIf(
      (failure) => failure.retry === "never" || failure.retry === "inactive",
      () => Effect.succeed(false)
    )
  )

const adoptOrRegister = (ecs: EcsPort, wanted: Wanted): Effect.Effect<string, AwsFailure> =>
  ecs.describeTaskDefinition({ region: wanted.region }, wanted.definition.family).pipe(
    Effect.map((found) => (equalDefinitions(found, wanted.definition) ? found.taskDefinitionArn : undefined)),
    Effect.catchIf(
      (failure) => failure.retry === "never" || failure.retry === "inactive",
      () => Effect.undefined
    ),
    Effect.flatMap((arn) => (arn === undefined ? register(ecs, wanted) : Effect.succeed(arn)))
  )

/** After such a failure the claim stays: whoever takes it over compares before registering. */
const answerMayBeLost = (failure: AwsFailure): boolean => failure.retry === "transient"

const registerOnce = (ecs: EcsPort, wanted: Wanted): Effect.Effect<string, AwsFailure> =>
  register(ecs, wanted).pipe(Effect.catchIf(answerMayBeLost, () => adoptOrRegister(ecs, wanted)))

const register = (ecs: EcsPort, { definition, region }: Wanted): Effect.Effect<string, AwsFailure> =>
  ecs
    .registerTaskDefinition({ region }, mutable(definition))
    .pipe(
      Effect.flatMap(({ taskDefinitionArn }) =>
        taskDefinitionArn === undefined ? noArn() : Effect.succeed(taskDefinitionArn)
      )
    )

const noArn = () =>
  new AwsFailure({
    code: "AwsError",
    retry: "transient",
    action: "RegisterTaskDefinition",
    message: "RegisterTaskDefinition answered without an ARN.",
    advice: "It is tried again."
  })
