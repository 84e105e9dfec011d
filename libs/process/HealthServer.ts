import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Config, Context, Effect, Layer, Option, Schema } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { PrometheusMetrics } from "effect/observability"
import type { Values } from "#process/ConfigReport.ts"
import { Health } from "#process/Health.ts"

/** Settings of the health server, the same in every process. */
export const healthSettings = {
  /** Port of `/live`, `/ready` and `/metrics`; 0 = a free one, which the log says. Unset: none. */
  healthPort: Config.option(
    Config.schema(
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }, { message: "must be a port, 0 to 65535" })),
      "FLEET_HEALTH_PORT"
    )
  ),
  /** Address to listen on; in a container 0.0.0.0. */
  healthHost: Config.String("FLEET_HEALTH_HOST").pipe(Config.withDefault("127.0.0.1"))
}
export type HealthValues = Values<typeof healthSettings>

/** The port cannot be listened on. */
export class HealthPortUnavailable extends Schema.TaggedError<HealthPortUnavailable>()("HealthPortUnavailable", {
  host: Schema.String,
  port: Schema.Int,
  reason: Schema.String
}) {
  override get message() {
    return `Cannot listen on ${this.host}:${this.port} for health checks: ${this.reason}. Set FLEET_HEALTH_PORT to a free port, or unset it.`
  }
}

/** Where the health server listens; none when it is off. */
export class HealthServer extends Context.Service<HealthServer, { readonly url: Option.Option<string> }>()(
  "process/HealthServer"
) {
  static readonly layer = (settings: HealthValues): Layer.Layer<HealthServer, HealthPortUnavailable, Health> =>
    Option.match(settings.healthPort, {
      onNone: () => Layer.succeed(HealthServer, { url: Option.none() }),
      onSome: (port) => serving(settings.healthHost, port)
    })
}

/** A poller that keeps its connection open must not hold up the end of the process. */
const lingerSeconds = 1

const serving = (host: string, port: number): Layer.Layer<HealthServer, HealthPortUnavailable, Health> => {
  const server = NodeHttpServer.layer(createServer, { host, port, gracefulShutdownTimeout: `${lingerSeconds} seconds` })
  const routes = Layer.mergeAll(live, ready, PrometheusMetrics.layerHttp({ path: "/metrics" }))
  return HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(announced(host)),
    Layer.provide(server),
    Layer.catchTag("ServeError", (error) =>
      Layer.effect(HealthServer, Effect.fail(new HealthPortUnavailable({ host, port, reason: String(error.cause) })))
    )
  )
}

const announced = (host: string) =>
  Layer.effect(
    HealthServer,
    Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      const url = `http://${host}:${"port" in address ? address.port : 0}`
      yield* Effect.logInfo("health checks are answered", { url })
      return { url: Option.some(url) }
    })
  )

/** Answers as long as the process can answer at all. */
const live = HttpRouter.add("GET", "/live", HttpServerResponse.jsonUnsafe({ status: "ok" }))

/** 200 when every part is well, else 503; the body lists the parts either way. */
const ready = HttpRouter.add(
  "GET",
  "/ready",
  Effect.gen(function* () {
    const { ready, parts } = yield* (yield* Health).report
    return HttpServerResponse.jsonUnsafe({ status: ready ? "ok" : "unavailable", parts }, { status: ready ? 200 : 503 })
  })
)
