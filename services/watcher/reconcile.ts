import { Clock, Effect, Metric, Option } from "effect"
import type { BusUnavailable, PublishError } from "#bus/BusError.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { LeaseKeys, Streams } from "#ecs-core/Subjects.ts"
import { holdLease } from "#process/Lease.ts"
import { unclaimedTasks } from "./metrics.ts"
import { clusterOf, launchedOf, PLACE_SECONDS } from "./reconcileDecide.ts"
import { lookAtLaunched, lookAtRunning, lookWithoutCluster } from "./reconcileTasks.ts"
import { type Launched, type Memory, nothingSeen, type Place, recordOf, type Survey } from "./survey.ts"

/**
 * The sweep over tasks: ECS's list against the records. Whoever holds a task's lease follows it to its end; nothing is
 * left to do here, as long as nobody takes messages or consumers away. Where somebody has, one replica looks once a
 * minute: at every task that runs in the clusters of live runs, and at the tasks that should run and do not. It tells
 * what a watcher would tell, as facts that are created once, and stops what nobody waits for. Records are only read.
 */

/** A holder that is silent for so many rounds is taken over. */
const LEASE_ROUNDS = 3

/** Records read at a time. */
const READS_AT_ONCE = 16

/** Clusters that are compared at most; those whose last run was seen longest ago are left out. */
export const PLACES_MAX = 200

/** Sweeps for ever; of several replicas, the one that holds the lease. */
export const reconcileForEver = (survey: Survey, owner: string): Effect.Effect<never> => {
  const { reconcileSeconds } = survey.fleet.settings
  let memory = nothingSeen()
  const round = Effect.gen(function* () {
    if (yield* holdLease(survey.meta, LeaseKeys.reconcileTasks, owner, LEASE_ROUNDS * reconcileSeconds)) {
      return yield* reconcile(survey, memory)
    }
    memory = nothingSeen()
    return yield* Metric.update(unclaimedTasks, 0)
  }).pipe(Effect.catch((error) => Effect.logWarning("tasks are compared later", { why: error.message })))
  return Effect.forever(Effect.andThen(round, Effect.sleep(`${reconcileSeconds} seconds`)))
}

/** One look at all clusters. One that cannot be asked holds up no other. */
export const reconcile = (survey: Survey, memory: Memory): Effect.Effect<void, PublishError> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    yield* findPlaces(survey, memory, now)
    const first = yield* survey.fleet.messages.first(Streams.fleet, ">")
    const wholeSince = Option.match(first, { onNone: () => now, onSome: ({ time }) => time })
    let without = 0
    for (const place of memory.places.values()) {
      without += yield* lookAt(survey, memory, place, wholeSince)
    }
    yield* Metric.update(unclaimedTasks, without)
  })

const lookAt = (
  survey: Survey,
  memory: Memory,
  place: Place,
  wholeSince: number
): Effect.Effect<number, PublishError> =>
  Effect.gen(function* () {
    const { running, unclaimed: without } = yield* lookAtRunning(survey, place, wholeSince)
    const missing = place.launched.filter(({ taskArn }) => !running.has(taskArn))
    for (const arn of running) memory.goneSince.delete(arn)
    yield* lookAtLaunched(survey, memory, place, missing)
    return without
  }).pipe(Effect.catchTag("AwsFailure", (failure) => Effect.as(placeFailed(survey, memory, place, failure), 0)))

const placeFailed = (survey: Survey, memory: Memory, place: Place, { code, message }: AwsFailure) =>
  Effect.gen(function* () {
    place.nextToken = undefined
    yield* Effect.logWarning("the tasks of a cluster are compared later", { cluster: place.cluster, why: message })
    if (code === "ClusterNotFound") yield* lookWithoutCluster(survey, memory, place.launched)
  }).pipe(Effect.catchTag("AwsFailure", () => Effect.void))

/** The clusters of live runs, with what must be in them, and those of runs before. */
const findPlaces = (survey: Survey, memory: Memory, now: number): Effect.Effect<void, BusUnavailable> =>
  Effect.gen(function* () {
    for (const place of memory.places.values()) place.launched = []
    const launched = yield* launchedRuns(survey, memory)
    const byPlace = Map.groupBy(launched, (each) => JSON.stringify([each.target, clusterOf(each)]))
    for (const [key, there] of byPlace) {
      const [{ target } = { target: {} }] = there
      const place = memory.places.get(key)
      const cluster = there.map(clusterOf)[0] ?? "default"
      memory.places.delete(key)
      memory.places.set(key, { target, cluster, seenAt: now, nextToken: place?.nextToken, launched: there })
    }
    for (const [key, { seenAt }] of memory.places) {
      if (memory.places.size > PLACES_MAX || now - seenAt > PLACE_SECONDS * 1000) memory.places.delete(key)
    }
    const arns = new Set(launched.map(({ taskArn }) => taskArn))
    for (const arn of memory.goneSince.keys()) if (!arns.has(arn)) memory.goneSince.delete(arn)
  })

const launchedRuns = (survey: Survey, memory: Memory): Effect.Effect<ReadonlyArray<Launched>, BusUnavailable> =>
  Effect.gen(function* () {
    const { reconcileRunsMax } = survey.fleet.settings
    const live = (yield* survey.live.keys()).toSorted()
    const from = Math.max(
      0,
      live.findIndex((runId) => runId > memory.lastRun)
    )
    const due = [...live.slice(from), ...live.slice(0, from)].slice(0, reconcileRunsMax)
    memory.lastRun = due.at(-1) ?? ""
    const runs = yield* Effect.forEach(due, (runId) => recordOf(survey, runId), { concurrency: READS_AT_ONCE })
    return runs.flatMap((run): ReadonlyArray<Launched> => {
      const launched = launchedOf(run)
      return run === undefined || launched === undefined ? [] : [{ ...launched, run }]
    })
  })
