import { Clock, Effect, Latch, Option, Random, type Scope } from "effect"
import { BusUnavailable } from "#bus/BusError.ts"
import type { BusSettingsShape } from "#bus/BusSettings.ts"
import { pauseMillis, unavailable } from "#bus/patience.ts"
import type { PullOptions, WireShape } from "#bus/wire/Wire.ts"

export interface IntakeDeps {
  readonly wire: WireShape
  readonly settings: BusSettingsShape
}

export interface IntakeOptions extends PullOptions {
  /** How many messages could be taken now. */
  readonly room: () => number
  /** Asks only when there is room for so many. */
  readonly threshold: number
}

export interface Intake {
  /** Asks for messages whenever there is room, for ever, over restarts and elections. */
  readonly run: Effect.Effect<never, BusUnavailable>
  /** To be called when room may have become free. */
  readonly freed: () => void
  /** Nothing is delivered after it has returned. */
  readonly stop: Effect.Effect<void>
}

/** The one loop that feeds a durable consumer's messages into this process. */
export const openIntake = Effect.fnUntraced(function* (
  deps: IntakeDeps,
  options: IntakeOptions
): Effect.fn.Return<Intake, BusUnavailable, Scope.Scope> {
  const operation = `consume ${options.stream}/${options.consumer}`
  const pull = yield* deps.wire.openPull(options).pipe(Effect.mapError(unavailable(operation)))
  const latch = Latch.makeUnsafe()
  const awaitRoom = Effect.gen(function* () {
    while (options.room() < options.threshold) {
      latch.closeUnsafe()
      yield* latch.await
    }
    return Math.min(options.room(), deps.settings.pullMaxMessages)
  })
  const run = Effect.gen(function* () {
    const absence: Absence = { since: undefined }
    let broken = 0
    while (true) {
      const end = yield* pull.request(yield* awaitRoom).pipe(Effect.mapError(unavailable(operation)))
      broken = end === "broken" ? broken + 1 : 0
      if (broken === 0) continue
      yield* assertPresent(deps, options, absence)
      yield* Effect.sleep(pauseMillis(deps.settings, broken - 1, yield* Random.next))
    }
  })
  return { run, freed: () => latch.openUnsafe(), stop: pull.stop }
})

/** Since when the consumer is known to be missing. */
interface Absence {
  since: number | undefined
}

/** Waits for a missing consumer to be created again, but not for ever: a restart of the service creates it. */
const assertPresent = Effect.fnUntraced(function* (
  { wire, settings }: IntakeDeps,
  { stream, consumer }: IntakeOptions,
  absence: Absence
) {
  const looked = yield* Effect.result(wire.consumer(stream, consumer))
  if (looked._tag === "Failure") return
  const now = yield* Clock.currentTimeMillis
  if (Option.isSome(looked.success)) absence.since = undefined
  else if (absence.since === undefined) {
    absence.since = now
    yield* Effect.logWarning(`consumer ${stream}/${consumer} does not exist, waiting for it`)
  } else if (now - absence.since >= settings.missingSeconds * 1_000)
    return yield* new BusUnavailable({
      operation: `consume ${stream}/${consumer}`,
      reason: "Missing",
      message: `consumer ${consumer} of stream ${stream} does not exist: create the topology, then start again`
    })
})
