import { Effect, Latch } from "effect"
import { CredentialSets } from "#aws/credentials/CredentialSets.ts"
import { Ecs } from "#aws/Ecs.ts"
import { Gate } from "#aws/gate/Gate.ts"
import { Pace } from "#aws/Pace.ts"
import { type Bucket, Buckets } from "#bus/Bucket.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { Topology } from "#bus/Topology.ts"
import { runTimeoutSecondsMax } from "#ecs-core/FleetTopology.ts"
import type { Job } from "#ecs-core/Job.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import type { Arrivals } from "./arrivals.ts"
import type { DispatcherSettings } from "./config.ts"
import { type Definitions, makeDefinitions } from "./definitions.ts"
import { type Lookups, makeLookups } from "./lookups.ts"
import { makePoolMemory, type PoolMemory } from "./pools.ts"
import { type EcsPort, type Place, pacedEcs } from "./register.ts"

export interface Queues {
  /** Pools that have a queue, whatever their limits are by now. */
  readonly pools: Set<string>
  /** The order of the queue is that of the requests. */
  readonly arrivals: Arrivals
  /** Wakes those who serve the queues. */
  readonly news: Latch.Latch
}

/** What the dispatcher's handlers work with. */
export interface Fleet {
  readonly publisher: typeof Publisher.Service
  readonly messages: typeof Messages.Service
  readonly runs: Bucket
  readonly live: Bucket
  readonly pools: Bucket
  readonly poolMemory: PoolMemory
  readonly meta: Bucket
  readonly topology: typeof Topology.Service
  readonly queues: Queues
  readonly definitions: Definitions
  /** The entries behind `definitions`. */
  readonly definitionEntries: Bucket
  readonly lookups: Lookups
  readonly ecs: EcsPort
  readonly gate: typeof Gate.Service
  readonly credentials: typeof CredentialSets.Service
  readonly region: string
  readonly runTimeoutSecondsMax: number
}

export const makeFleet = (settings: DispatcherSettings) =>
  Effect.gen(function* () {
    const buckets = yield* Buckets
    const definitionEntries = yield* buckets.open(BucketNames.taskDefinitions)
    const fleet: Fleet = {
      publisher: yield* Publisher,
      messages: yield* Messages,
      runs: yield* buckets.open(BucketNames.runs),
      live: yield* buckets.open(BucketNames.live),
      pools: yield* buckets.open(BucketNames.pools),
      poolMemory: makePoolMemory(),
      meta: yield* buckets.open(BucketNames.meta),
      topology: yield* Topology,
      queues: { pools: new Set(), arrivals: new Map(), news: Latch.makeUnsafe() },
      definitions: yield* makeDefinitions(definitionEntries, settings),
      definitionEntries,
      lookups: yield* makeLookups(settings),
      ecs: pacedEcs(yield* Ecs, yield* Pace),
      gate: yield* Gate,
      credentials: yield* CredentialSets,
      region: settings.region,
      runTimeoutSecondsMax: runTimeoutSecondsMax(settings.streamAgeSeconds)
    }
    return fleet
  })

/** Where a job runs: its own region, else that of its pool's set of credentials, else the dispatcher's. */
export const placeOf = ({ credentials: sets, region }: Fleet, job: Pick<Job, "region" | "credentials">): Place => ({
  region: job.region ?? sets.find(job.credentials)?.region ?? region,
  ...(job.credentials === undefined ? {} : { credentials: job.credentials })
})
