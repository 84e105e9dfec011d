import { Clock, Context, Deferred, Effect, Layer, Metric, References, Scope, Tracer } from "effect"
import { AwsConfig } from "#aws/AwsConfig.ts"
import { DEFAULT_SET } from "#aws/credentials/CredentialSet.ts"
import { CredentialSets } from "#aws/credentials/CredentialSets.ts"
import { Ecs } from "#aws/Ecs.ts"
import { credentialsPaused } from "#aws/metrics.ts"
import type { AwsTarget } from "#aws/Target.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { afterFailure, afterProbe, type GateState, opened, type ProbeRule } from "./gateState.ts"

/**
 * Stands before every call to AWS. When AWS does not accept a set of credentials, that set pauses in that region, for
 * this process: whoever asks is told so at once, without a call, or waits. One probe at a time finds out when it is over.
 * Other sets and regions go on as if nothing were.
 */
export class Gate extends Context.Service<
  Gate,
  {
    /** Makes the call, unless its set pauses: then it fails as AWS did. */
    readonly guard: (
      target: AwsTarget
    ) => <A, R>(call: Effect.Effect<A, AwsFailure, R>) => Effect.Effect<A, AwsFailure, R>
    /** Fails while the set pauses, before work that would lead to a call. */
    readonly check: (target: AwsTarget) => Effect.Effect<void, AwsFailure>
    /** The set's pause in that region; undefined = it does not pause. */
    readonly pauseOf: (target: AwsTarget) => Effect.Effect<Pause | undefined>
    /** Waits as long as the set pauses; true = it did. */
    readonly whenOpen: (target: AwsTarget) => Effect.Effect<boolean>
    readonly pauses: Effect.Effect<ReadonlyArray<Pause>>
  }
>()("aws/Gate") {
  /** Before the ECS that is there: a probe is a call of DescribeClusters. */
  static readonly layer = (rule: ProbeRule = defaultRule) => Layer.effect(Gate, makeGate(rule))

  /** With the times of the settings. */
  static readonly layerConfig = Layer.effect(
    Gate,
    Effect.flatMap(AwsConfig, (settings) => makeGate(settings))
  )
}

/** A set that pauses in a region. */
export interface Pause {
  readonly credentials: string
  /** Absent = the process's own. */
  readonly region: string | undefined
  readonly sinceMillis: number
  readonly why: AwsFailure
}

const defaultRule: ProbeRule = { probeSeconds: 1, probeSecondsMax: 30 }

/** States that are remembered; of more, those that are open are forgotten. */
export const GATES_MAX = 1000

/** Any cluster will do: also a refusal tells that AWS knows who asks. */
const PROBED_CLUSTER = "default"

interface Entry {
  readonly target: AwsTarget
  state: GateState
  readonly opened: Deferred.Deferred<void>
}

interface Book {
  readonly rule: ProbeRule
  readonly entries: Map<string, Entry>
  readonly ecs: typeof Ecs.Service
  readonly sets: typeof CredentialSets.Service
  readonly scope: Scope.Scope
}

const makeGate = (rule: ProbeRule) =>
  Effect.gen(function* () {
    const [ecs, sets, scope] = [yield* Ecs, yield* CredentialSets, yield* Scope.Scope]
    const book: Book = { rule, entries: new Map(), ecs, sets, scope }
    return Gate.of({
      check: (target) => Effect.suspend(() => passed(book, target)),
      guard: (target) => (call) => guarded(book, target, call),
      whenOpen: (target) =>
        Effect.suspend(() => {
          const entry = book.entries.get(keyOf(target))
          return entry?.state._tag === "Paused" ? Effect.as(Deferred.await(entry.opened), true) : Effect.succeed(false)
        }),
      pauseOf: (target) => Effect.sync(() => pauseIn(book.entries.get(keyOf(target)))),
      pauses: Effect.sync(() => [...book.entries.values()].flatMap((entry) => pauseIn(entry) ?? []))
    })
  })

const pauseIn = (entry: Entry | undefined): Pause | undefined => {
  if (entry?.state._tag !== "Paused") return undefined
  const { state, target } = entry
  return {
    credentials: target.credentials ?? DEFAULT_SET,
    region: target.region,
    sinceMillis: state.since,
    why: state.why
  }
}

const passed = ({ entries }: Book, target: AwsTarget): Effect.Effect<void, AwsFailure> => {
  const pause = pauseIn(entries.get(keyOf(target)))
  return pause === undefined ? Effect.void : Effect.fail(pause.why)
}

const guarded = <A, R>(book: Book, target: AwsTarget, call: Effect.Effect<A, AwsFailure, R>) =>
  Effect.gen(function* () {
    yield* passed(book, target)
    const askedAt = yield* Clock.currentTimeMillis
    return yield* Effect.tapError(call, (failure) =>
      failure.retry === "credentials" ? refused(book, target, failure, askedAt) : Effect.void
    )
  })

const refused = (book: Book, target: AwsTarget, failure: AwsFailure, askedAt: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const before = book.entries.get(keyOf(target))?.state ?? opened
    const state = afterFailure(before, failure, { askedAt, now }, book.rule)
    if (state === before || state._tag === "Open") return
    const entry: Entry = { target, state, opened: Deferred.makeUnsafe() }
    keep(book, entry)
    yield* Effect.logWarning("a set of credentials pauses", { ...named(target), why: failure.message })
    yield* Metric.update(gaugeOf(target), 1)
    yield* Effect.forkIn(ofNoRun(probeUntilOpen(book, entry)), book.scope)
  })

const keep = ({ entries }: Book, entry: Entry): void => {
  entries.delete(keyOf(entry.target))
  if (entries.size >= GATES_MAX) {
    for (const [key, { state }] of entries) if (state._tag === "Open") entries.delete(key)
  }
  entries.set(keyOf(entry.target), entry)
}

/** Probes are of no run's trace, nor are their logs, whoever was refused first. */
const ofNoRun = (probes: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.updateContext(probes, (context: Context.Context<never>) =>
    Context.add(Context.omit(Tracer.ParentSpan)(context), References.CurrentLogAnnotations, {})
  )

/** A file with other credentials brings the next probe forward. */
const probeUntilOpen = (book: Book, entry: Entry): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (entry.state._tag === "Paused") {
      const waitMillis = entry.state.nextProbeAt - (yield* Clock.currentTimeMillis)
      yield* Effect.raceFirst(Effect.sleep(Math.max(0, waitMillis)), book.sets.nextChange)
      yield* book.sets.renew(entry.target.credentials)
      const probe = yield* Effect.result(book.ecs.describeCluster(entry.target, PROBED_CLUSTER))
      const failure = probe._tag === "Failure" ? probe.failure : undefined
      entry.state = afterProbe(entry.state, failure, yield* Clock.currentTimeMillis, book.rule)
    }
    yield* Metric.update(gaugeOf(entry.target), 0)
    yield* Effect.logInfo("a set of credentials works again", named(entry.target))
    yield* Deferred.succeed(entry.opened, undefined)
  })

/** A pause in words, for `/ready`. */
export const pauseText = ({ credentials, region, sinceMillis, why }: Pause): string =>
  `${credentials}${region === undefined ? "" : ` in ${region}`} since ${instantOf(sinceMillis)}: ${why.message}`

const keyOf = ({ credentials, region }: AwsTarget): string => `${credentials ?? DEFAULT_SET}|${region ?? ""}`

const named = ({ credentials, region }: AwsTarget) => ({
  credentials: credentials ?? DEFAULT_SET,
  ...(region === undefined ? {} : { region })
})

const gaugeOf = (target: AwsTarget) => Metric.withAttributes(credentialsPaused, named(target))
