import { Effect } from "effect"
import { Ec2Network } from "#aws/Ec2Network.ts"
import { Ecs } from "#aws/Ecs.ts"
import { Gate } from "#aws/gate/Gate.ts"
import { Pace } from "#aws/Pace.ts"
import { type Bucket, Buckets } from "#bus/Bucket.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import type { FleetId } from "#ecs-core/Ids.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { type LaneLimits, type Lanes, makeLanes } from "./lanes.ts"

/** What the launcher's handler works with. */
export interface Fleet {
  readonly fleetId: FleetId
  readonly publisher: typeof Publisher.Service
  readonly messages: typeof Messages.Service
  readonly runs: Bucket
  /** Where a drain is told. */
  readonly meta: Bucket
  readonly ecs: typeof Ecs.Service
  readonly network: typeof Ec2Network.Service
  readonly pace: typeof Pace.Service
  readonly gate: typeof Gate.Service
  readonly lanes: Lanes
}

export const laneLimits: LaneLimits = { orders: 1024, calls: 32 }

export const makeFleet = (fleetId: FleetId, limits: LaneLimits = laneLimits) =>
  Effect.gen(function* () {
    const pace = yield* Pace
    const buckets = yield* Buckets
    const fleet: Fleet = {
      fleetId,
      publisher: yield* Publisher,
      messages: yield* Messages,
      runs: yield* buckets.open(BucketNames.runs),
      meta: yield* buckets.open(BucketNames.meta),
      ecs: yield* Ecs,
      network: yield* Ec2Network,
      pace,
      gate: yield* Gate,
      lanes: makeLanes(pace, limits)
    }
    return fleet
  })
