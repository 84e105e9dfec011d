import { Clock, Effect, Option, Schema } from "effect"
import { type BusUnavailable, TopologyMissing, TopologyUnsupported } from "#bus/BusError.ts"
import { bucketStream, bucketSubject } from "#bus/buckets.ts"
import { text } from "#bus/Message.ts"
import { patiently, unavailable } from "#bus/patience.ts"
import { type Publishing, publishFenced } from "#bus/publishing.ts"
import type { WireError } from "#bus/wire/Wire.ts"
import { consumerDiffers, type Piece, piecesOf, streamDiffers, unsupportedReason } from "./pieces.ts"
import type { TopologySpec } from "./TopologySpec.ts"

export interface TopologyChange {
  /** The revision that is in force now; newer than the specification's if a newer process was here. */
  readonly revision: number
  /** What this call created, e.g. `stream FLEET`; of several calls at once each may name it. */
  readonly created: ReadonlyArray<string>
  readonly updated: ReadonlyArray<string>
}

/** `unknown`: the credentials do not allow to look. */
export type PieceState = "ok" | "missing" | "differs" | "unknown"

export interface TopologyFinding {
  readonly what: string
  readonly state: PieceState
}

type EnsureError = BusUnavailable | TopologyMissing | TopologyUnsupported

const pollMillis = 1_000
/** Every so many polls it is said that we wait. */
const announceEvery = 10

/** Creates and updates until everything is there, or waits for somebody who may. */
export const ensure = Effect.fnUntraced(function* (
  deps: Publishing,
  spec: TopologySpec
): Effect.fn.Return<TopologyChange, EnsureError> {
  const serverVersion = deps.wire.serverVersion
  const reason = unsupportedReason(serverVersion, spec.replicas)
  if (reason !== undefined) return yield* new TopologyUnsupported({ serverVersion, message: reason })
  const deadline = (yield* Clock.currentTimeMillis) + deps.settings.topologyWaitSeconds * 1_000
  const done: Done = { created: [], updated: [] }
  for (let polls = 0; ; ) {
    const stored = yield* storedRevision(deps, spec)
    if (stored.revision > spec.revision) return { revision: stored.revision, ...done }
    const { missing, raced } = yield* arrange(deps, piecesOf(spec), done)
    if (raced) continue
    if (missing.length === 0) return { revision: yield* storeRevision(deps, spec), ...done }
    if ((yield* Clock.currentTimeMillis) + pollMillis > deadline) return yield* missingError(missing)
    if (polls++ % announceEvery === 0) yield* Effect.logInfo(`waiting for somebody to create ${missing.join(", ")}`)
    yield* Effect.sleep(pollMillis)
  }
})

interface Done {
  readonly created: Array<string>
  readonly updated: Array<string>
}

const missingError = (missing: ReadonlyArray<string>) =>
  new TopologyMissing({
    missing,
    message:
      `these credentials may not create what is missing (${missing.join(", ")}): ` +
      "run the set-up once with credentials that may, or grant $JS.API.STREAM.CREATE and $JS.API.CONSUMER.CREATE"
  })

/** Creates what is missing and updates what differs, as far as the credentials allow. */
const arrange = Effect.fnUntraced(function* (deps: Publishing, pieces: ReadonlyArray<Piece>, done: Done) {
  const missing: Array<string> = []
  let raced = false
  for (const piece of pieces) {
    const state = yield* stateOf(deps, piece)
    if (state === "ok" || state === "unknown") continue
    const outcome = yield* state === "missing"
      ? tried(deps, `create ${piece.what}`, create(deps, piece)).pipe(Effect.catch(existsMeanwhile(deps, piece)))
      : tried(deps, `update ${piece.what}`, change(deps, piece))
    if (outcome === "done") (state === "missing" ? done.created : done.updated).push(piece.what)
    if (outcome === "denied" && state === "missing") missing.push(piece.what)
    if (outcome === "denied" && state === "differs")
      yield* Effect.logWarning(`${piece.what} differs from the topology, and these credentials may not update it`)
    if (outcome === "exists") raced = true
  }
  return { missing, raced }
})

type Outcome = "done" | "denied" | "exists"

const raceLooks = 10
const raceLookMillis = 50

/**
 * Of two equal creations at once, nats-server 2.9 may refuse one for its subjects, which "overlap" with the other's. So a
 * refused creation is believed only if the piece is still not there after a moment.
 */
const existsMeanwhile = (deps: Publishing, piece: Piece) => (refused: BusUnavailable) =>
  Effect.gen(function* () {
    for (let look = 0; look < raceLooks; look++) {
      if ((yield* stateOf(deps, piece)) !== "missing") return "exists" as const
      yield* Effect.sleep(raceLookMillis)
    }
    return yield* refused
  })

const tried = (
  { settings }: Publishing,
  operation: string,
  action: Effect.Effect<void, WireError>
): Effect.Effect<Outcome, BusUnavailable> =>
  patiently(settings, action).pipe(
    Effect.as<Outcome>("done"),
    Effect.catch((error): Effect.Effect<Outcome, WireError> => {
      if (error.fault === "exists" || error.fault === "denied") return Effect.succeed(error.fault)
      return error
    }),
    Effect.mapError(unavailable(operation))
  )

/** Somebody else may be creating it right now: what they made is looked at in the next round. */
const create = ({ wire }: Publishing, piece: Piece): Effect.Effect<void, WireError> =>
  piece._tag === "Stream" ? wire.createStream(piece.config) : wire.createConsumer(piece.stream, piece.config)

const change = ({ wire }: Publishing, piece: Piece): Effect.Effect<void, WireError> =>
  piece._tag === "Stream" ? wire.updateStream(piece.config) : wire.updateConsumer(piece.stream, piece.config)

const stateOf = ({ wire, settings }: Publishing, piece: Piece): Effect.Effect<PieceState, BusUnavailable> => {
  const look: Effect.Effect<PieceState, WireError> =
    piece._tag === "Stream"
      ? Effect.map(wire.stream(piece.config.name), stateIf(streamDiffers, piece.config))
      : Effect.map(wire.consumer(piece.stream, piece.config.name), stateIf(consumerDiffers, piece.config))
  return patiently(settings, look).pipe(
    Effect.catchIf(
      (error) => error.fault === "denied",
      () => Effect.succeed<PieceState>("unknown")
    ),
    Effect.mapError(unavailable(`look for ${piece.what}`))
  )
}

const stateIf =
  <Wanted, Actual>(differs: (wanted: Wanted, actual: Actual) => boolean, wanted: Wanted) =>
  (found: Option.Option<Actual>): PieceState => {
    if (Option.isNone(found)) return "missing"
    return differs(wanted, found.value) ? "differs" : "ok"
  }

export const inspect = (
  deps: Publishing,
  spec: TopologySpec
): Effect.Effect<ReadonlyArray<TopologyFinding>, BusUnavailable> =>
  Effect.forEach(piecesOf(spec), (piece) => Effect.map(stateOf(deps, piece), (state) => ({ what: piece.what, state })))

const revisionKey = "topology"
const Stored = Schema.fromJsonString(Schema.Struct({ revision: Schema.Int }))
const decodeStored = Schema.decodeUnknownOption(Stored)

/** The revision in force and the sequence it is stored under; 0 and 0 if there is none. */
const storedRevision = Effect.fnUntraced(function* ({ wire, settings }: Publishing, { metaBucket }: TopologySpec) {
  const look = wire.last(bucketStream(metaBucket), bucketSubject(metaBucket, revisionKey))
  const last = yield* patiently(settings, look).pipe(
    Effect.catchIf(
      (error) => error.fault === "missing" || error.fault === "denied",
      () => Effect.succeed(Option.none())
    ),
    Effect.mapError(unavailable("read the topology's revision"))
  )
  const stored = Option.flatMap(last, (m) => decodeStored(text(m)))
  return {
    revision: Option.match(stored, { onNone: () => 0, onSome: ({ revision }) => revision }),
    seq: Option.match(last, { onNone: () => 0, onSome: ({ seq }) => seq })
  }
})

/** Raises the stored revision to ours; returns the one that is in force. */
const storeRevision = Effect.fnUntraced(function* (deps: Publishing, spec: TopologySpec) {
  while (true) {
    const stored = yield* storedRevision(deps, spec)
    if (stored.revision >= spec.revision) return stored.revision
    const outcome = yield* Effect.result(publishFenced(deps, revisionMessage(spec), stored.seq))
    if (outcome._tag === "Success") continue
    if (outcome.failure._tag !== "BusUnavailable") return yield* Effect.die(outcome.failure)
    if (outcome.failure.reason !== "Denied") return yield* outcome.failure
    yield* Effect.logWarning(`the topology's revision was not stored: ${outcome.failure.message}`)
    return spec.revision
  }
})

const revisionMessage = ({ metaBucket, revision }: TopologySpec) => ({
  stream: bucketStream(metaBucket),
  subject: bucketSubject(metaBucket, revisionKey),
  data: JSON.stringify({ revision })
})
