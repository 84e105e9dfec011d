import { Context, Effect, Layer } from "effect"
import { CurrentAccount } from "./Account.ts"
import { defaults, type Settings } from "./config.ts"
import { handle } from "./handle.ts"
import { Leftovers, runtimeLayer } from "./runtime/choose.ts"
import type { EngineMissing } from "./runtime/docker.ts"
import { type CannotListen, serve } from "./Server.ts"

/** local-aws as it runs: give `url` to the AWS SDK as `endpoint` or `AWS_ENDPOINT_URL`. */
export class LocalAws extends Context.Service<
  LocalAws,
  {
    readonly host: string
    /** The real one, also if the settings asked for port 0. */
    readonly port: number
    readonly url: string
  }
>()("local-aws/LocalAws") {
  /**
   * Serves until its scope closes; then every container has ended. What the settings do not say is as in `defaults`.
   */
  static readonly layer = (settings: Partial<Settings> = {}): Layer.Layer<LocalAws, CannotListen | EngineMissing> => {
    const all = { ...defaults, ...settings }
    return Layer.effect(LocalAws, start(all)).pipe(
      Layer.provide(CurrentAccount.layer(all)),
      Layer.provide(runtimeLayer(all))
    )
  }
}

const start = Effect.fnUntraced(function* (settings: Settings) {
  const current = yield* CurrentAccount
  const { port } = yield* serve(settings, (request, requestId) => handle({ current, settings }, request, requestId))
  yield* (yield* Leftovers).remove
  const { host } = settings
  if (!isLoopback(host))
    yield* Effect.logWarning(
      `local-aws listens on ${host}: whoever reaches port ${port} can run programs on this machine`
    )
  return LocalAws.of({ host, port, url: urlOf(host, port) })
})

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || host.startsWith("127.")

/** A wildcard address is no address to call. */
const urlOf = (host: string, port: number): string => {
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`
}
