import { Effect } from "effect"
import { Ecs } from "#aws/Ecs.ts"
import { Pace } from "#aws/Pace.ts"
import { type Bucket, Buckets } from "#bus/Bucket.ts"
import { Consumer } from "#bus/Consumer.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { runTimeoutSecondsMax } from "#ecs-core/FleetTopology.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import type { DispatcherSettings } from "./config.ts"
import { type Definitions, makeDefinitions } from "./definitions.ts"
import { type Lookups, makeLookups } from "./lookups.ts"
import { type EcsPort, pacedEcs } from "./register.ts"

/** What the dispatcher's handlers work with. */
export interface Fleet {
  readonly publisher: typeof Publisher.Service
  readonly messages: typeof Messages.Service
  readonly consumer: typeof Consumer.Service
  readonly runs: Bucket
  readonly live: Bucket
  readonly pools: Bucket
  readonly meta: Bucket
  readonly definitions: Definitions
  /** The entries behind `definitions`. */
  readonly definitionEntries: Bucket
  readonly lookups: Lookups
  readonly ecs: EcsPort
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
      consumer: yield* Consumer,
      runs: yield* buckets.open(BucketNames.runs),
      live: yield* buckets.open(BucketNames.live),
      pools: yield* buckets.open(BucketNames.pools),
      meta: yield* buckets.open(BucketNames.meta),
      definitions: yield* makeDefinitions(definitionEntries, settings),
      definitionEntries,
      lookups: yield* makeLookups(settings),
      ecs: pacedEcs(yield* Ecs, yield* Pace),
      region: settings.region,
      runTimeoutSecondsMax: runTimeoutSecondsMax(settings.streamAgeSeconds)
    }
    return fleet
  })
