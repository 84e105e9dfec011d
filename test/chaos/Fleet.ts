import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Context, Effect, Layer, Schedule, type Scope } from "effect"
import { Bus } from "#bus/Bus.ts"
import type { NatsBinary } from "#bus/server/NatsBinary.ts"
import type { NatsServerHandle } from "#bus/server/NatsServer.ts"
import { readConfig } from "#process/ConfigReport.ts"
import { setUpFleet, topologyConfig } from "#process/FleetSetup.ts"
import { LocalAws } from "#services/local-aws/LocalAws.ts"
import { connectOperator, type Operator } from "#test/chaos/Operator.ts"
import { fillCompileCache, type Replica, startReplicas } from "#test/chaos/Replicas.ts"
import { type LocalAwsProcess, localAwsService, startLocalAws, startServers } from "#test/chaos/Surroundings.ts"
import { sdkEnv } from "#test/support/LocalAws.ts"

/** A whole fleet of processes, with everything around it. */
export interface Fleet {
  /** Every log and every store; stays where it is when something went wrong. */
  readonly folder: string
  readonly servers: ReadonlyArray<NatsServerHandle>
  readonly aws: LocalAwsProcess
  readonly replicas: ReadonlyArray<Replica>
  readonly operator: Operator
}

export interface FleetOptions {
  readonly binary: NatsBinary
  readonly servers: 1 | 3
  /** Settings of the services and of local-aws. */
  readonly settings: Readonly<Record<string, string>>
  /** Of the services alone. */
  readonly serviceSettings?: Readonly<Record<string, string>>
}

/** Waiting is short where a service has died; everything else is near to production. */
export const quickTakeOver: Readonly<Record<string, string>> = {
  FLEET_ACK_WAIT_SECONDS: "3",
  FLEET_LEASE_SECONDS: "3",
  FLEET_LOGS_DRAIN_QUIET_SECONDS: "1",
  FLEET_AWS_MISSING_STREAM_SECONDS: "0.5",
  FLEET_AWS_RUN_TASK_PER_SECOND: "100",
  FLEET_AWS_RUN_TASK_BURST: "100"
}

/** A folder that goes when the scope closes, unless `keep` says otherwise by then. */
export const trialFolder = (keep: () => boolean): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "ecs-fleet-chaos-"))),
    (folder) => Effect.sync(() => (keep() ? undefined : rmSync(folder, { recursive: true, force: true })))
  )

/** Streams and consumers, as `fleet init` makes them; a cluster that has just been started may need a while. */
const createTopology = Effect.gen(function* () {
  const settings = yield* readConfig(topologyConfig, { env: definedOf(process.env) })
  yield* Effect.retry(setUpFleet(settings), { schedule: Schedule.spaced("1 second"), times: 30 })
})

const definedOf = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))

/**
 * Servers, local-aws, and two replicas of each service, as processes that do not outlive this one; gone when the scope
 * closes. Everything inherits this process's environment, which is changed for that. The context has the ports of the bus
 * and local-aws, as the tests' support asks for them.
 */
export const startFleet = (folder: string, { binary, servers: count, settings, serviceSettings }: FleetOptions) =>
  Effect.gen(function* () {
    const own = { LOG_FORMAT: "json", NODE_COMPILE_CACHE: join(folder, "compile-cache"), FLEET_REPLICAS: String(count) }
    Object.assign(process.env, own, settings)
    yield* Effect.sync(fillCompileCache)
    const servers = yield* startServers(folder, binary, count)
    const urls = servers.map(({ url }) => url)
    const aws = yield* startLocalAws(folder)
    Object.assign(process.env, sdkEnv(aws.url), { NATS_URL: urls.join(",") }, serviceSettings)
    const bus = yield* Layer.build(Bus.layer({ servers: urls, name: "chaos" }))
    yield* Effect.provideContext(createTopology, bus)
    const replicas = yield* startReplicas(folder, 2)
    const fleet: Fleet = { folder, servers, aws, replicas, operator: yield* connectOperator(urls) }
    return { fleet, context: Context.add(bus, LocalAws, localAwsService(aws.url)) }
  })
