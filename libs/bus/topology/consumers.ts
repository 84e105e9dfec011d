import { Effect, Option } from "effect"
import type { BusUnavailable } from "#bus/BusError.ts"
import { patiently, unavailable } from "#bus/patience.ts"
import type { Publishing } from "#bus/publishing.ts"
import type { WireBacklog, WireError } from "#bus/wire/Wire.ts"
import { consumerConfig, consumerDiffers } from "./pieces.ts"
import type { ConsumerSpec } from "./TopologySpec.ts"

/** Of several creations at once one may be refused: what is there then is looked at again, so many times. */
const LOOKS_MAX = 3

export const ensureConsumer = (deps: Publishing, spec: ConsumerSpec): Effect.Effect<void, BusUnavailable> =>
  patiently(deps.settings, arrange(deps, spec)).pipe(
    Effect.retry({ times: LOOKS_MAX, while: ({ fault }) => fault === "exists" }),
    Effect.mapError(unavailable(`arrange consumer ${spec.stream}/${spec.name}`))
  )

const arrange = ({ wire }: Publishing, spec: ConsumerSpec): Effect.Effect<void, WireError> =>
  Effect.gen(function* () {
    const wanted = consumerConfig(spec)
    const found = yield* wire.consumer(spec.stream, spec.name)
    if (Option.isNone(found)) return yield* wire.createConsumer(spec.stream, wanted)
    if (consumerDiffers(wanted, found.value)) yield* wire.updateConsumer(spec.stream, wanted)
  })

export const deleteConsumer = (
  { settings, wire }: Publishing,
  stream: string,
  name: string
): Effect.Effect<void, BusUnavailable> =>
  patiently(settings, wire.deleteConsumer(stream, name)).pipe(
    Effect.catchIf(
      ({ fault }) => fault === "missing",
      () => Effect.void
    ),
    Effect.mapError(unavailable(`delete consumer ${stream}/${name}`))
  )

export const consumerNames = (
  { settings, wire }: Publishing,
  stream: string
): Effect.Effect<ReadonlyArray<string>, BusUnavailable> =>
  patiently(settings, wire.consumerNames(stream)).pipe(Effect.mapError(unavailable(`list the consumers of ${stream}`)))

export const backlog = (
  { settings, wire }: Publishing,
  stream: string,
  name: string
): Effect.Effect<Option.Option<WireBacklog>, BusUnavailable> =>
  patiently(settings, wire.backlog(stream, name)).pipe(
    Effect.mapError(unavailable(`look at consumer ${stream}/${name}`))
  )
