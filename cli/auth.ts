import { randomBytes } from "node:crypto"
import { join, relative, resolve } from "node:path"
import { Clock, Effect, Option, Result } from "effect"
import { Command, Flag } from "effect/cli"
import { fleetTopology, topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { ServiceNames } from "#ecs-core/Subjects.ts"
import { type AuthPlan, authFiles, readerOf, stateOf, tlsFiles, writeFiles } from "./auth/files.ts"
import { authUsers } from "./auth/users.ts"
import { ExitCodes } from "./exitCode.ts"
import { failure } from "./Failure.ts"
import { option } from "./flags.ts"
import { Output } from "./Output.ts"
import { type AuthWritten, authText } from "./render/auth.ts"

const DEFAULT_FOLDER = "fleet-auth"

const many = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.atLeast(0), Flag.withMetavar(metavar), Flag.withDescription(description))

const init = Command.make(
  "init",
  {
    out: Flag.String("out").pipe(
      Flag.withDefault(DEFAULT_FOLDER),
      Flag.withMetavar("folder"),
      Flag.withDescription("Where to write")
    ),
    producer: many("producer", "name[=id,id]", "Somebody who publishes requests and cancels: any, or of these run ids"),
    reader: many("reader", "name[=id,id]", "Somebody who reads lines and outcomes: all, or of these runs"),
    tls: Flag.String("tls").pipe(
      Flag.optional,
      Flag.withMetavar("host,address"),
      Flag.withDescription("Also an authority, and a certificate for a server of these names")
    ),
    passwords: option("passwords", "Users and passwords instead of NKeys; the server's file then holds secrets"),
    force: option("force", "Overwrite files that changed; seeds and passwords stay")
  },
  Effect.fn(function* (flags) {
    const users = yield* given(authUsers(flags), ExitCodes.usage)
    const hosts = yield* hostsIn(flags.tls)
    yield* initAuth({
      folder: resolve(flags.out),
      users,
      method: flags.passwords ? "passwords" : "nkeys",
      ...(hosts.length === 0 ? {} : { tls: { hosts, certificates: yield* loadCertificates } }),
      force: flags.force,
      nowMillis: yield* Clock.currentTimeMillis,
      random: randomBytes
    })
  })
).pipe(
  Command.withDescription("Write accounts and permissions for nats-server, and credentials for each service and user"),
  Command.withExamples([
    { command: "fleet auth init --producer airflow", description: "the fleet's own users and one producer" },
    { command: "fleet auth init --producer web --reader web", description: "one that asks and reads" },
    { command: "fleet auth init --reader guest=r-4j8x0m2kqz", description: "one that sees one run only" },
    { command: "fleet auth init --tls nats.internal,10.0.0.5", description: "with a certificate for the server" }
  ])
)

export const auth = Command.make("auth").pipe(
  Command.withDescription("Who may do what: credentials and permissions for NATS"),
  Command.withSubcommands([init])
)

const loadCertificates = Effect.promise(() => import("./auth/certificates.ts"))

const hostPattern = /^[A-Za-z0-9.:-]+$/

const hostsIn = (given: Option.Option<string>) => {
  const hosts = Option.match(given, { onNone: () => [], onSome: (text) => text.split(",") })
  const wrong = hosts.filter((host) => !hostPattern.test(host))
  return wrong.length === 0
    ? Effect.succeed(hosts)
    : Effect.fail(
        failure(
          `--tls: "${wrong.join('", "')}" must be a host name or an address; several have commas between`,
          ExitCodes.usage
        )
      )
}

const initAuth = Effect.fnUntraced(function* (plan: AuthPlan) {
  const { out, outStyle } = yield* Output
  const read = readerOf(plan.folder)
  const planned = yield* given(authFiles(plan, fleetTopology(topologyDefaults), read), ExitCodes.failed)
  const files = planned.map((file) => ({ ...file, state: stateOf(file, read) }))
  const changed = files.filter(({ state }) => state === "changed").map(({ name }) => join(plan.folder, name))
  if (changed.length > 0 && !plan.force) return yield* failure(wouldChangeText(changed))
  yield* Effect.try({
    try: () => writeFiles(files, plan.folder),
    catch: (error) => failure(`Could not write to ${plan.folder}: ${String(error)}`)
  })
  const tls = { certificate: tlsFiles.server, key: tlsFiles.serverKey }
  const written: AuthWritten = {
    folder: relative(process.cwd(), plan.folder) || ".",
    files,
    services: ServiceNames,
    outside: plan.users.filter(({ side }) => side === "outside").map(({ name }) => name),
    ...(plan.tls === undefined ? {} : { tls })
  }
  yield* out(authText(outStyle, written))
})

const wouldChangeText = (files: ReadonlyArray<string>): string =>
  `These files are there and would change: ${files.join(", ")}. Overwrite them with --force, which keeps all seeds and passwords, or choose another folder with --out.`

const given = <A>(result: Result.Result<A, ReadonlyArray<string>>, exitCode: number) =>
  Effect.fromResult(Result.mapError(result, (problems) => failure(problems.join("\n"), exitCode)))
