import { Effect, Option, Tracer } from "effect"
import type { BusMessage } from "./Message.ts"

const traceparent = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** The span that a W3C `traceparent` header names; none for a missing, malformed or all-zero one. */
export const parseTraceparent = (header: string | undefined): Option.Option<Tracer.ExternalSpan> => {
  const [, traceId, spanId, flags] = traceparent.exec(header ?? "") ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return Option.none()
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return Option.none()
  return Option.some(Tracer.externalSpan({ traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }))
}

export const formatTraceparent = (span: Pick<Tracer.AnySpan, "traceId" | "spanId" | "sampled">): string =>
  `00-${span.traceId}-${span.spanId}-${span.sampled ? "01" : "00"}`

type Headers = Readonly<Record<string, string>>

/** The headers, with the current span in `traceparent` if there is one and the headers name none. */
export const withCurrentTrace = (headers: Headers = {}): Effect.Effect<Headers> =>
  Effect.serviceOption(Tracer.ParentSpan).pipe(
    Effect.map((span) =>
      Option.isNone(span) || headers.traceparent !== undefined
        ? headers
        : { ...headers, traceparent: formatTraceparent(span.value) }
    )
  )

/** Where in which trace: what a holder of 100,000 leases can afford to keep. */
export type Trace = Tracer.ExternalSpan

/** The span that the caller is in, to go on with when it is long over; undefined outside of any. */
export const currentTrace: Effect.Effect<Trace | undefined> = Effect.map(
  Effect.serviceOption(Tracer.ParentSpan),
  (span) => (Option.isNone(span) ? undefined : Tracer.externalSpan(span.value))
)

/** Spans, messages and logs of the effect belong to that trace. */
export const inTrace =
  (trace: Trace | undefined) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    trace === undefined ? self : Effect.provideService(self, Tracer.ParentSpan, trace)

/** One span for the handling of a message, child of the span that published it. */
export const withMessageSpan =
  (name: string, m: BusMessage) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> => {
    const parent = parseTraceparent(m.headers.traceparent)
    return Effect.withSpan(self, name, {
      kind: "consumer",
      captureStackTrace: false,
      attributes: { "messaging.destination.name": m.subject, "messaging.message.id": `${m.stream}:${m.seq}` },
      ...(Option.isSome(parent) ? { parent: parent.value } : { root: true })
    })
  }
