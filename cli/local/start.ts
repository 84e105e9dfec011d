/**
 * A whole fleet in this process: nats-server and local-aws, and on them the four services, each as it runs on its own.
 * What is started ends with the scope, in the opposite order: the services first, while NATS still answers them.
 */

import { ConfigProvider, type Context, Effect, Layer, Schema } from "effect"
import { Bus, type Ports } from "#bus/Bus.ts"
import { Connection, type ConnectionOptions } from "#bus/Connection.ts"
import { obtainNatsServer } from "#bus/server/NatsBinary.ts"
import { type NatsServerFailed, runNatsServer } from "#bus/server/NatsServer.ts"
import { DEFAULT_POOL } from "#ecs-core/Pool.ts"
import { readAll } from "#process/ConfigReport.ts"
import { setUpFleet, topologyConfig } from "#process/FleetSetup.ts"
import { localAwsEnvironment, localServiceSettings, setEnvironment } from "./awsEnvironment.ts"
import { createDefaultPool, localPool, readPool } from "./pool.ts"

export interface StartOptions {
  readonly nats: NatsChoice
  readonly aws: AwsChoice
  /** Told of each component as it comes up. */
  readonly tell: (component: Component) => Effect.Effect<void>
}

/** A server that is there already, or where to keep the files of one's own; port 0 = any free one. */
export type NatsChoice = { readonly use: ConnectionOptions } | { readonly storeDir: string; readonly port: number }

/** AWS itself with the credentials at hand, or local-aws on this port; 0 = any free one. */
export type AwsChoice = { readonly real: true } | { readonly real: false; readonly port: number }

/** One line of `fleet up`. */
export interface Component {
  readonly name: string
  readonly where: string
  readonly about: string
}

export interface Fleet {
  readonly natsUrl: string
  /** The ports of the bus, over one connection. */
  readonly ports: Context.Context<Ports | Connection>
  /** Never succeeds; fails when what everything stands on is gone. */
  readonly died: Effect.Effect<never, { readonly message: string }>
}

/** A port that is to be listened on is in use. */
export class PortTaken extends Schema.TaggedError<PortTaken>()("PortTaken", {
  port: Schema.Int,
  advice: Schema.String
}) {
  override get message() {
    return `Port ${this.port} of this machine is taken. ${this.advice}`
  }
}

/** Starts everything; it is ready when this returns, and ends with the scope. */
export const startFleet = Effect.fnUntraced(function* (options: StartOptions) {
  const [nats, , { services, serviceNames }] = yield* Effect.all(
    [startNats(options), startAws(options), Effect.promise(() => import("./services.ts"))],
    { concurrency: "unbounded" }
  )
  const ports = yield* Layer.build(Bus.layer(nats.connection))
  yield* setUp(options).pipe(Effect.provideContext(ports))
  const variables = options.aws.real ? process.env : { ...localServiceSettings, ...process.env }
  yield* Layer.build(services(variables)).pipe(Effect.provideContext(ports))
  for (const name of serviceNames) yield* options.tell({ name, where: "in this process", about: "" })
  const { closed } = yield* Effect.provideContext(Connection, ports)
  const fleet: Fleet = { natsUrl: nats.url, ports, died: Effect.raceFirst(nats.died, closed) }
  return fleet
})

const startNats = Effect.fnUntraced(function* ({ nats, tell }: StartOptions) {
  if ("use" in nats) {
    const url = nats.use.servers.join(",")
    yield* tell({ name: "nats-server", where: url, about: "as NATS_URL says" })
    return { url, connection: { ...nats.use, name: "fleet up" }, died: Effect.never }
  }
  const binary = yield* obtainNatsServer()
  const { url, died } = yield* runNatsServer({ binary, ...nats }).pipe(Effect.mapError(natsPortTaken(nats.port)))
  yield* tell({ name: "nats-server", where: url, about: `${binary.version}, files in ${nats.storeDir}` })
  return { url, connection: { servers: [url], name: "fleet up" }, died }
})

const natsPortTaken = (port: number) => (failed: NatsServerFailed) =>
  failed.log.includes("address already in use")
    ? new PortTaken({
        port,
        advice:
          `If a NATS server has it, use that one with NATS_URL=nats://127.0.0.1:${port}; ` +
          "or choose another port with --nats-port."
      })
    : failed

const startAws = Effect.fnUntraced(function* ({ aws, tell }: StartOptions) {
  if (aws.real) return yield* tell({ name: "aws", where: "AWS itself", about: "with the credentials of this process" })
  const { LocalAws } = yield* Effect.promise(() => import("#services/local-aws/LocalAws.ts"))
  const running = yield* Layer.build(LocalAws.layer({ port: aws.port })).pipe(
    Effect.catchTag("CannotListen", () => new PortTaken({ port: aws.port, advice: "Choose another with --aws-port." }))
  )
  const { url } = yield* Effect.provideContext(LocalAws, running)
  yield* Effect.sync(() => setEnvironment(localAwsEnvironment(url)))
  yield* tell({ name: "local-aws", where: url, about: "tasks run as processes of this machine" })
})

const setUp = Effect.fnUntraced(function* ({ aws, tell }: StartOptions) {
  const { created, fleetId } = yield* setUpFleet(yield* readAll(topologyConfig, ConfigProvider.fromEnv()))
  const about =
    created.length === 0 ? "streams and buckets are there" : `${created.length} streams, buckets and consumers created`
  yield* tell({ name: "fleet", where: fleetId, about })
  yield* tell({ name: "pool", where: DEFAULT_POOL, about: aws.real ? yield* poolForAws : yield* createDefaultPool })
})

const poolForAws = Effect.map(readPool(DEFAULT_POOL), (pool) => {
  if (pool === undefined) return "is not there: requests must name image and executionRoleArn"
  return pool["image"] === localPool.image
    ? `is for local-aws: requests must name image and executionRoleArn`
    : "is there"
})
