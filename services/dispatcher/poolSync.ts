import { Effect, type Scope } from "effect"
import type { Bucket } from "#bus/Bucket.ts"
import type { BusUnavailable, KeyExists, PublishError, RevisionConflict } from "#bus/BusError.ts"
import { goodKey } from "#ecs-core/Subjects.ts"
import { ConfigInvalid, type ConfigProblem } from "#process/ConfigReport.ts"
import { registerWhereServed } from "#process/Health.ts"
import { type PoolsRead, type PoolsUnusable, readPoolSource } from "#process/PoolSource.ts"
import { type PoolStep, poolSteps } from "./poolFile.ts"

/** Looks at the bucket in a row while others write to it too; then the next round goes on. */
export const POOL_LOOKS_MAX = 10

export interface PoolSyncSettings {
  readonly pools: string | undefined
  readonly poolsRefreshSeconds: number
  readonly region: string
}

/** What this replica knows of the file. */
export interface Known {
  read: PoolsRead
  /** It has not been brought into the bucket yet. */
  isNews: boolean
  /** What `/ready` says. */
  status: string
}

type Follower = Effect.Effect<never, BusUnavailable | PublishError>

/**
 * Brings the pools of `FLEET_POOLS` into the bucket, and answers the worker that follows their file from then on;
 * undefined = there is none. What cannot be used at the start is a bad setting. Later the last good version stays in
 * force, and `/ready` and the log say so.
 */
export const followPools = (
  bucket: Bucket,
  settings: PoolSyncSettings,
  runTimeoutSecondsMax: number
): Effect.Effect<Follower | undefined, ConfigInvalid | PublishError, Scope.Scope> =>
  Effect.gen(function* () {
    const { pools: from, poolsRefreshSeconds, region } = settings
    if (from === undefined) return undefined
    const reading = (version?: string) => readPoolSource(from, { runTimeoutSecondsMax, region, version })
    const read = yield* Effect.mapError(reading(), badSetting)
    if (read === undefined) return undefined
    const known: Known = { read, isNews: true, status: "ok" }
    yield* registerWhereServed({ name: "pools", check: Effect.sync(() => known.status) })
    yield* settle(bucket, known)
    const look = Effect.suspend(() => reading(known.read.version)).pipe(
      Effect.matchEffect({ onFailure: (error) => notUsed(known, error), onSuccess: (fresh) => used(known, fresh) }),
      Effect.andThen(settle(bucket, known))
    )
    return Effect.forever(Effect.andThen(Effect.sleep(`${poolsRefreshSeconds} seconds`), look))
  })

const badSetting = ({ from, problems }: PoolsUnusable): ConfigInvalid => {
  const [first, ...rest] = problems.map(
    ({ advice, message }): ConfigProblem => ({
      name: "FLEET_POOLS",
      problem: `in ${from}: ${withoutStop(message)}`,
      advice: withoutStop(advice)
    })
  )
  return new ConfigInvalid({ problems: [first ?? { name: "FLEET_POOLS", problem: "is empty", advice: "" }, ...rest] })
}

const withoutStop = (sentence: string): string => sentence.replace(/\.$/, "")

/** The same error at every look is told once. */
const notUsed = (known: Known, error: PoolsUnusable): Effect.Effect<void> =>
  Effect.suspend(() => {
    const status = `the last good version is in force: ${error.message.replaceAll("\n", " ")}`
    const isTold = known.status === status
    known.status = status
    return isTold
      ? Effect.void
      : Effect.logError("the file of pools cannot be used; its last good version stays in force", {
          why: error.message
        })
  })

const used = (known: Known, fresh: PoolsRead | undefined): Effect.Effect<void> =>
  Effect.sync(() => {
    known.status = "ok"
    if (fresh === undefined) return
    known.read = fresh
    known.isNews = true
  })

/** Makes the bucket what the file says. What another one wrote first is looked at again; what is done is not done twice. */
export const settle = (bucket: Bucket, known: Known): Effect.Effect<void, BusUnavailable | PublishError> =>
  Effect.gen(function* () {
    let open: ReadonlySet<string> | undefined
    for (let looks = 0; looks < POOL_LOOKS_MAX; looks++) {
      const steps = poolSteps(known.read.pools, yield* bucket.entries(), known.isNews)
      const left = yield* Effect.filter(
        steps.filter(({ pool }) => open === undefined || open.has(pool)),
        (step) => Effect.map(carryOut(bucket, step), (isDone) => !isDone)
      )
      if (left.length === 0) {
        known.isNews = false
        return
      }
      open = new Set(left.map(({ pool }) => pool))
    }
    yield* Effect.logWarning("others write the same pools; trying again later", { pools: [...(open ?? [])] })
  })

/** False = the entry is another one by now. */
const carryOut = (bucket: Bucket, step: PoolStep): Effect.Effect<boolean, PublishError> =>
  changed(bucket, step).pipe(
    Effect.andThen(Effect.logInfo("pool set by its file", { pool: step.pool, step: step.kind, why: step.why })),
    Effect.as(true),
    Effect.catchTags({ KeyExists: () => Effect.succeed(false), RevisionConflict: () => Effect.succeed(false) })
  )

const changed = (bucket: Bucket, step: PoolStep): Effect.Effect<void, KeyExists | RevisionConflict | PublishError> => {
  switch (step.kind) {
    case "create":
      return Effect.asVoid(bucket.create(step.pool, step.value))
    case "update":
      return Effect.asVoid(bucket.update(step.pool, step.value, step.revision))
    case "delete":
      return Effect.andThen(bucket.delete(goodKey(step.pool)), bucket.deleteRevision(step.pool, step.revision))
  }
}
