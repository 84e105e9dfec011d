import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import {
  type NatsBinary,
  type NatsServerUnavailable,
  newestNatsServer,
  obtainNatsServer
} from "#bus/server/NatsBinary.ts"
import { NatsServer, type NatsServerFailed, type NatsServerOptions, runNatsServer } from "#bus/server/NatsServer.ts"

/** A folder of its own below the system's temp folder, removed with the scope. */
export const tempFolder = (name: string) =>
  Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), `ecs-fleet-${name}-`))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
  )

export type TestServerOptions = Partial<Omit<NatsServerOptions, "storeDir">>

/** A real nats-server on a free port with an empty store, gone at the scope's end. Default binary: the first found. */
export const runTestServer = Effect.fnUntraced(function* (options: TestServerOptions = {}) {
  const binary = options.binary ?? (yield* obtainNatsServer())
  return yield* runNatsServer({ ...options, binary, storeDir: yield* tempFolder("nats") })
})

/** The same as a layer. Every use of the returned value within one `provide` tree shares one server. */
export const layerTestWith = (
  options: TestServerOptions
): Layer.Layer<NatsServer, NatsServerUnavailable | NatsServerFailed> => Layer.effect(NatsServer, runTestServer(options))

/** A server of the first binary found; what most tests want. */
export const layerTest = layerTestWith({})

/**
 * Defines a suite twice: on the server found first (the oldest that is supported, where the machine has Debian's) and on
 * the newest that can be had. Where there is no newer one, one skipped test says why. At the top level of a test file:
 *
 *     await onNatsServers("publisher", (binary) => {
 *       layer(layerTestWith({ binary }))((it) => { it.effect("…", …) })
 *     })
 */
export const onNatsServers = async (name: string, define: (binary: NatsBinary) => void): Promise<void> => {
  const [found, newest] = await Effect.runPromise(Effect.all([obtainNatsServer(), newestNatsServer()]))
  const others = Option.toArray(newest.binary).filter(({ version }) => version !== found.version)
  describe.each([found, ...others])(`${name} on nats-server $version`, (binary) => {
    define(binary)
  })
  const reason = Option.isSome(newest.binary) ? `${found.version} is the newest` : newest.reason
  const missing = others.length === 0 ? [{ reason }] : []
  // oxlint-disable-next-line vitest/no-disabled-tests, vitest/expect-expect -- what is missing stands in the test's name
  it.skip.each(missing)(`${name} on the newest nats-server (needs another one: $reason)`, () => undefined)
}
