import { Config, Context, Formatter, Layer, Logger, Option, Redacted, References, Tracer } from "effect"
import { FetchHttpClient } from "effect/http"
import { Otlp } from "effect/observability"
import type { Values } from "#process/ConfigReport.ts"
import { version } from "#process/Version.ts"

const levels = ["trace", "debug", "info", "warn", "error", "fatal"] as const
const levelOf = { trace: "Trace", debug: "Debug", info: "Info", warn: "Warn", error: "Error", fatal: "Fatal" } as const

/** Settings of logs and traces, the same in every process. */
export const telemetrySettings = {
  /** The lowest level that is written. */
  logLevel: Config.LogLevel("LOG_LEVEL").pipe(
    Config.orElse(() => Config.map(Config.Literals(levels, "LOG_LEVEL"), (level) => levelOf[level])),
    Config.withDefault("Info" as const)
  ),
  /** `json`, one object a line, or `pretty`; both on standard error. */
  logFormat: Config.Literals(["json", "pretty"], "LOG_FORMAT").pipe(Config.withDefault("json" as const)),
  /**
   * Base address of an OpenTelemetry collector, such as `http://127.0.0.1:4318`; unset, nothing is sent. [What it
   * gets](docs/operating.md#traces).
   */
  otlpUrl: Config.option(Config.URL("OTLP_URL"))
}
export type TelemetryValues = Values<typeof telemetrySettings>

/** The logger, and with `OTLP_URL` logs, traces and metrics to a collector, flushed when the layer closes. */
export const layer = (service: string, settings: TelemetryValues): Layer.Layer<never> => {
  const logs = Layer.mergeAll(
    Logger.layer([
      settings.logFormat === "json" ? Logger.withConsoleError(jsonLogger(service)) : Logger.consolePretty()
    ]),
    Layer.succeed(References.MinimumLogLevel, settings.logLevel),
    Layer.succeed(Logger.LogToStderr, true)
  )
  return Option.match(settings.otlpUrl, {
    onNone: () => logs,
    onSome: (url) => Layer.provideMerge(collector(service, url), logs)
  })
}

/** How long a collector that does not answer may hold up the end of the process. */
const flushSeconds = 2

const collector = (service: string, url: URL): Layer.Layer<never> =>
  Otlp.layerJson({
    baseUrl: url.href.replace(/\/$/, ""),
    resource: { serviceName: service, serviceVersion: version },
    loggerMergeWithExisting: true,
    shutdownTimeout: `${flushSeconds} seconds`
  }).pipe(Layer.provide(FetchHttpClient.layer))

/**
 * One JSON object a line: `timestamp`, `level`, `service`, `message`, then what was logged beside the message, the
 * annotations (`runId` …), `traceId` and `spanId` inside a span, and `cause` with the stack of a failure. Secrets in
 * `Redacted` are written as `<redacted>`.
 */
export const jsonLogger = (service: string): Logger.Logger<unknown, string> =>
  Logger.make((options) => {
    const { annotations, cause, level, message, timestamp } = Logger.formatStructured.log(options)
    const span = Context.getOption(options.fiber.context, Tracer.ParentSpan)
    const { text, facts } = splitMessage(message)
    return Formatter.formatJson({
      timestamp,
      level,
      service,
      message: text,
      ...without(reserved, { ...facts, ...annotations }),
      ...(Option.isSome(span) ? { traceId: span.value.traceId, spanId: span.value.spanId } : {}),
      ...(cause === undefined ? {} : { cause })
    })
  })

const reserved = new Set(["timestamp", "level", "service", "message", "cause"])

const without = (names: ReadonlySet<string>, record: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !names.has(name)))

/** `logInfo("text", { a: 1 })` → the text, and its facts as fields of their own. */
export const splitMessage = (message: unknown): { readonly text: unknown; readonly facts: Record<string, unknown> } => {
  const parts: ReadonlyArray<unknown> = Array.isArray(message) ? message : [message]
  const texts = parts.filter((part) => !isFacts(part))
  const facts = Object.assign({}, ...parts.filter(isFacts)) as Record<string, unknown>
  const text = texts.every((part) => typeof part === "string") ? texts.join(" ") : texts.length === 1 ? texts[0] : texts
  return { text, facts }
}

const isFacts = (part: unknown): part is Record<string, unknown> =>
  typeof part === "object" && part !== null && !Array.isArray(part) && !Redacted.isRedacted(part)
