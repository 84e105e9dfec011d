import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { connect, PermissionViolationError } from "@nats-io/transport-node"
import { ConfigProvider, Effect } from "effect"
import { natsOptions } from "#bus/Connection.ts"
import { connectionConfig, connectionOptions } from "#bus/ConnectionConfig.ts"
import type { NatsBinary } from "#bus/server/NatsBinary.ts"
import type { NatsServerHandle } from "#bus/server/NatsServer.ts"
import { readConfig } from "#process/ConfigReport.ts"
import { fleet } from "#test/support/fleetCommand.ts"
import { runTestServer, tempFolder } from "#test/support/NatsServer.ts"

export type Env = Readonly<Record<string, string>>

/** A nats-server with the accounts that `fleet auth init` has written, and the credentials beside them. */
export interface GuardedServer {
  readonly server: NatsServerHandle
  /** What `fleet auth init` wrote into. */
  readonly folder: string
  /** The environment of this user, with the server's address. */
  readonly envOf: (user: string) => Env
  /** Subjects that the server refused until now, each as often as it did, by user. */
  readonly violations: () => ReadonlyArray<string>
}

/** Writes credentials with these arguments of `fleet auth init` and starts a server with them; TLS as `tls` says. */
export const guardedServer = Effect.fnUntraced(function* (
  binary: NatsBinary,
  args: ReadonlyArray<string> = [],
  tls: (folder: string) => string = () => ""
) {
  const folder = yield* tempFolder("auth")
  const written = yield* fleet({ folder }, "auth", "init", "--out", ".", ...args)
  assert.strictEqual(written.code, 0, written.err)
  const extraConfig = `${readFileSync(join(folder, "accounts.conf"), "utf8")}\n${tls(folder)}`
  const server = yield* runTestServer({ binary, extraConfig })
  const guarded: GuardedServer = {
    server,
    folder,
    envOf: (user) => ({ ...envIn(join(folder, `${user}.env`)), NATS_URL: server.url }),
    violations: () =>
      [...readFileSync(server.logFile, "utf8").matchAll(/(Publish|Subscription) Violation - (.*)$/gm)].map(
        ([line = ""]) => line
      )
  }
  return guarded
})

const envIn = (path: string): Env =>
  Object.fromEntries(
    readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])
  )

/** How a process with this environment connects. */
export const optionsOf = (env: Env) =>
  Effect.map(readConfig(connectionConfig, { env }), (values) => connectionOptions(values, "test")).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
  )

/** A client as the bus connects it, without the bus. */
export const connectedAs = (env: Env) =>
  Effect.flatMap(optionsOf(env), (options) =>
    Effect.acquireRelease(
      Effect.promise(() => connect(natsOptions(options))),
      (connection) => Effect.promise(() => connection.close())
    )
  )

/** Nobody may publish here: the server's refusal says that it has seen all that was published before. */
const LAST = "nobody.may.publish.here"

/** Which of these subjects the server refuses to this user. */
export const refused = (env: Env, subjects: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const connection = yield* connectedAs(env)
    const answers = connection.status()
    for (const subject of [...subjects, LAST]) connection.publish(subject)
    return yield* Effect.promise(async () => {
      const denied = new Set<string>()
      for await (const status of answers) {
        if (status.type !== "error" || !(status.error instanceof PermissionViolationError)) continue
        if (status.error.subject === LAST) break
        denied.add(status.error.subject)
      }
      return subjects.filter((subject) => denied.has(subject))
    })
  }).pipe(Effect.scoped)
