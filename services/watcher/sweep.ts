import { Clock, Effect } from "effect"
import type { PublishError } from "#bus/BusError.ts"
import type { Lease } from "#bus/Consumer.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { Codecs, type TaskStarted } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { type Action, judge, pollMillis, type SeenTask, type Watched } from "./decide.ts"
import { type Fleet, seenTask } from "./Fleet.ts"

/** DescribeTasks takes at most 100 tasks of one cluster. */
export const DESCRIBE_MAX = 100

/** Wait after a failed look; the tasks keep their owner. */
const FAILED_LOOK_MILLIS = 2000

/** A task that this replica owns. */
export interface Owned {
  watched: Watched
  readonly lease: Lease
  nextLookAt: number
}

export type OwnedTasks = Map<string, Owned>

/** Asks once about every task that is due, in batches by account, region and cluster. */
export const sweep = (fleet: Fleet, owned: OwnedTasks): Effect.Effect<void> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const batches = batchesOf(owned, now)
    yield* Effect.forEach(batches, (batch) => lookAt(fleet, owned, batch), {
      concurrency: fleet.settings.describeConcurrency,
      discard: true
    })
  })

const batchesOf = (owned: OwnedTasks, nowMillis: number): ReadonlyArray<ReadonlyArray<Owned>> => {
  const groups = new Map<string, Array<Owned>>()
  for (const [key, each] of owned) {
    if (!each.lease.isHeld()) owned.delete(key)
    else if (each.nextLookAt <= nowMillis) {
      const place = placeOf(each.watched.started)
      const group = groups.get(place)
      if (group === undefined) groups.set(place, [each])
      else group.push(each)
    }
  }
  return [...groups.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / DESCRIBE_MAX) }, (_, at) =>
      group.slice(at * DESCRIBE_MAX, (at + 1) * DESCRIBE_MAX)
    )
  )
}

const placeOf = ({ target, clusterArn }: TaskStarted): string =>
  JSON.stringify([target.credentials, target.region, clusterArn])

const lookAt = (fleet: Fleet, owned: OwnedTasks, batch: ReadonlyArray<Owned>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const first = batch[0]?.watched.started
    if (first === undefined) return
    const arns = batch.map(({ watched }) => watched.started.taskArn)
    const paced = fleet.pace.paced("readTasks", first.target)
    const answer = yield* paced(fleet.ecs.describeTasks(first.target, first.clusterArn, arns))
    const tasks = new Map(
      answer.tasks.map(seenTask).flatMap((task) => (task === undefined ? [] : [[task.taskArn, task]]))
    )
    yield* Effect.forEach(batch, (each) => follow(fleet, owned, each, tasks.get(each.watched.started.taskArn)), {
      concurrency: 16,
      discard: true
    })
  }).pipe(Effect.catch((failure) => lookLater(batch, failure)))

const lookLater = (batch: ReadonlyArray<Owned>, failure: AwsFailure) =>
  Effect.gen(function* () {
    yield* Effect.logWarning("tasks could not be described", { tasks: batch.length, why: failure.message })
    const now = yield* Clock.currentTimeMillis
    for (const each of batch) each.nextLookAt = now + FAILED_LOOK_MILLIS
  })

/** Carries out what an answer means; what was published stays true if the rest fails and is done again. */
const follow = (fleet: Fleet, owned: OwnedTasks, each: Owned, task: SeenTask | undefined): Effect.Effect<void> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const { watched, actions } = judge(each.watched, task, now)
    yield* Effect.forEach(actions, (action) => carryOut(fleet, owned, each, action), { discard: true })
    each.watched = watched
    each.nextLookAt = now + pollMillis(watched, fleet.settings.youngPollSeconds, now)
  }).pipe(
    Effect.catch((error) =>
      Effect.gen(function* () {
        const { runId } = each.watched.started
        yield* Effect.logWarning("a look is repeated", { runId, why: error.message })
        each.nextLookAt = (yield* Clock.currentTimeMillis) + FAILED_LOOK_MILLIS
      })
    )
  )

const carryOut = (
  fleet: Fleet,
  owned: OwnedTasks,
  each: Owned,
  action: Action
): Effect.Effect<unknown, PublishError | AwsFailure> => {
  const { runId, attempt, target, clusterArn, taskArn } = each.watched.started
  switch (action._tag) {
    case "PublishChanged": {
      const data = Codecs.taskChanged.encode(action.fact)
      return fleet.publisher.publish({ stream: Streams.fleet, subject: Subjects.taskChanged(runId, attempt), data })
    }
    case "PublishStopped": {
      const data = Codecs.taskStopped.encode(action.fact)
      const { outcome } = action.fact
      return fleet.publisher
        .createOnce({ stream: Streams.fleet, subject: Subjects.taskStopped(runId, attempt), data })
        .pipe(Effect.tap(() => Effect.logInfo("attempt over", { runId, attempt, outcome })))
    }
    case "StopTask":
      return fleet.pace.paced("stopTask", target)(fleet.ecs.stopTask(target, clusterArn, taskArn, action.reason))
    case "Release":
      return Effect.andThen(
        each.lease.ack,
        Effect.sync(() => owned.delete(leaseKey(each.watched.started)))
      )
  }
}

export const leaseKey = ({ runId, attempt }: Pick<TaskStarted, "runId" | "attempt">): string => `${runId}.${attempt}`
