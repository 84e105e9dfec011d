import { Effect } from "effect"
import { type Bucket, Buckets } from "#bus/Bucket.ts"
import type { BusUnavailable } from "#bus/BusError.ts"
import type { FleetId } from "#ecs-core/Ids.ts"
import type { Target } from "#ecs-core/Messages.ts"
import type { AttemptRecord, Run } from "#ecs-core/Run.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { readRun } from "#process/RunRecords.ts"
import type { Fleet } from "./Fleet.ts"

/** What the sweep over tasks works with, and what it remembers. */

/** What the sweep works with. */
export interface Survey {
  readonly fleet: Fleet
  readonly fleetId: FleetId
  readonly runs: Bucket
  readonly live: Bucket
  readonly meta: Bucket
}

export const makeSurvey = (fleet: Fleet, fleetId: FleetId): Effect.Effect<Survey, BusUnavailable, Buckets> =>
  Effect.gen(function* () {
    const buckets = yield* Buckets
    return {
      fleet,
      fleetId,
      runs: yield* buckets.open(BucketNames.runs),
      live: yield* buckets.open(BucketNames.live),
      meta: yield* buckets.open(BucketNames.meta)
    }
  })

export type Launched = AttemptRecord & { readonly taskArn: string; readonly run: Run }

/** A cluster in which runs of this fleet are, or were lately. */
export interface Place {
  readonly target: Target
  readonly cluster: string
  seenAt: number
  /** Where the list of its tasks goes on, if one sweep could not see all of them. */
  nextToken: string | undefined
  /** Those that must be there. */
  launched: ReadonlyArray<Launched>
}

/** What one replica remembers from sweep to sweep, as long as it holds the lease. */
export interface Memory {
  lastRun: string
  readonly places: Map<string, Place>
  /** Since when a task that must be there was seen to have ended, or was not known, by ARN; epoch milliseconds. */
  readonly goneSince: Map<string, number>
}

export const nothingSeen = (): Memory => ({ lastRun: "", places: new Map(), goneSince: new Map() })

/** What cannot be read is not known; that is the dispatcher's to tell. */
export const recordOf = ({ runs }: Survey, runId: string): Effect.Effect<Run | undefined, BusUnavailable> =>
  readRun(runs, runId).pipe(
    Effect.map(({ run }) => run),
    Effect.catchTag("RecordUnreadable", () => Effect.undefined)
  )
