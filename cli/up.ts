import { join } from "node:path"
import { Effect, Option, Queue, References } from "effect"
import { Command, Flag, GlobalFlag } from "effect/cli"
import { connectionSettings, DEFAULT_NATS_PORT } from "./connection.ts"
import { option } from "./flags.ts"
import { Interrupts } from "./Interrupts.ts"
import { fleetHome } from "./local/home.ts"
import { holdHome } from "./local/lock.ts"
import { startFleet } from "./local/start.ts"
import { Output } from "./Output.ts"
import { componentLine, readyText } from "./render/up.ts"

const DEFAULT_AWS_PORT = 4577

export interface UpOptions {
  readonly natsPort: number
  readonly awsPort: number
  readonly aws: boolean
}

export const up = Command.make(
  "up",
  {
    natsPort: Flag.Int("nats-port").pipe(
      Flag.withDefault(DEFAULT_NATS_PORT),
      Flag.withDescription("Where nats-server listens; where NATS_URL is set, that server is used and none is started")
    ),
    awsPort: Flag.Int("aws-port").pipe(
      Flag.withDefault(DEFAULT_AWS_PORT),
      Flag.withDescription("Where local-aws listens")
    ),
    aws: option("aws", "Use AWS itself with the credentials at hand, and start no local-aws")
  },
  (options) => runUp(options)
).pipe(
  Command.withDescription("Start a whole fleet in this process: nats-server, local-aws and the four services"),
  Command.withExamples([
    { command: "fleet up", description: "to try it out; keeps its files in .fleet, Ctrl-C stops everything" },
    { command: "NATS_URL=nats://nats.internal:4222 fleet up --aws", description: "your NATS, your AWS account" }
  ])
)

/** Warnings of the services are worth a line here, unless `--log-level` says otherwise. */
const logLevel = Effect.map(GlobalFlag.LogLevel, (given) => Option.getOrElse(given, () => "Warn" as const))

const runUp = Effect.fnUntraced(function* (options: UpOptions) {
  const everything = Effect.provideService(Effect.scoped(serve(options)), References.MinimumLogLevel, yield* logLevel)
  yield* Effect.raceFirst(everything, asked)
})

/** Completes when Ctrl-C or SIGTERM asks to stop; the race's loser then closes everything. */
const asked = Effect.scoped(
  Effect.gen(function* () {
    const interrupts = yield* Interrupts
    yield* Queue.take(yield* interrupts.claim)
    yield* interrupts.ending
    yield* (yield* Output).err("\nStopping.\n")
  })
)

const serve = Effect.fnUntraced(function* (options: UpOptions) {
  const { out, outStyle } = yield* Output
  const home = fleetHome(process.env, process.cwd())
  const held = yield* holdHome(home)
  const nats = yield* connectionSettings
  const fleet = yield* startFleet({
    nats: nats.isGiven ? { use: nats.options } : { storeDir: join(home, "nats"), port: options.natsPort },
    aws: options.aws ? { real: true } : { real: false, port: options.awsPort },
    tell: (component) => out(componentLine(outStyle, component))
  })
  yield* held.announce(fleet.natsUrl)
  yield* out(readyText(outStyle, process.env))
  return yield* fleet.died
})
