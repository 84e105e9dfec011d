import { Effect } from "effect"
import { bodyOf, listen, write } from "#test/support/httpServer.ts"

/** A span as a collector gets it. */
export interface SentSpan {
  readonly service: string
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly attributes: Readonly<Record<string, unknown>>
}

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: number | string }
}

interface SentTraces {
  readonly resourceSpans: ReadonlyArray<{
    readonly resource: { readonly attributes: ReadonlyArray<Attribute> }
    readonly scopeSpans: ReadonlyArray<{
      readonly spans: ReadonlyArray<
        Pick<SentSpan, "name" | "traceId" | "spanId"> & {
          readonly parentSpanId?: string
          readonly attributes: ReadonlyArray<Attribute>
        }
      >
    }>
  }>
}

/** An OpenTelemetry collector on loopback that takes OTLP as JSON over HTTP, until the scope ends. */
export const collector = Effect.gen(function* () {
  const received: Array<{ readonly path: string; readonly body: string }> = []
  const url = yield* listen(async (incoming, response) => {
    received.push({ path: incoming.url ?? "", body: await bodyOf(incoming) })
    write(response, 200, "application/json", "{}")
  })
  /** All bodies that came to a path, such as `/v1/logs`. */
  const bodies = (path: string) => received.filter((each) => each.path === path).map(({ body }) => body)
  return { url, bodies, spans: () => bodies("/v1/traces").flatMap(spansIn) }
})

const spansIn = (body: string): ReadonlyArray<SentSpan> =>
  (JSON.parse(body) as SentTraces).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(valuesOf(resource.attributes)["service.name"])
    return scopeSpans.flatMap(({ spans }) =>
      spans.map(({ attributes, name, parentSpanId, spanId, traceId }) => ({
        service,
        name,
        traceId,
        spanId,
        parentSpanId,
        attributes: valuesOf(attributes)
      }))
    )
  })

const valuesOf = (attributes: ReadonlyArray<Attribute>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]))
