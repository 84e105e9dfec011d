import { Clock, Effect, FiberSet, identity, Schedule } from "effect"
import type { PublishError } from "#bus/BusError.ts"
import type { Lease } from "#bus/Consumer.ts"
import { inTrace, type Trace } from "#bus/Trace.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { Codecs, type TaskStarted } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { READ_AGAIN_MILLIS } from "#process/ReadAgain.ts"
import { type Action, type Judgement, judge, judgeWithoutCluster, type Watched } from "./decide.ts"
import { type Fleet, seenTask } from "./Fleet.ts"
import { pollMillis } from "./pollInterval.ts"

/** DescribeTasks takes at most 100 tasks of one cluster. */
export const DESCRIBE_MAX = 100

/** A look whose results could not be published is repeated after this time. */
const FAILED_PUBLISH_MILLIS = 2000

/** A task that this replica owns. */
export interface Owned {
  watched: Watched
  readonly lease: Lease
  /** The run's: what a look tells continues it. */
  readonly trace: Trace | undefined
  nextLookAt: number
}

/** What this replica owns, and about which places ECS is being asked right now. */
export interface OwnedTasks {
  readonly tasks: Map<string, Owned>
  readonly asking: Set<string>
}

export const noTasks = (): OwnedTasks => ({ tasks: new Map(), asking: new Set() })

export const leaseKey = ({ runId, attempt }: Pick<TaskStarted, "runId" | "attempt">): string => `${runId}.${attempt}`

/** Sweeps for ever. An account or a cluster that answers slowly holds up no other: it is left out until it has answered. */
export const keepSweeping = (fleet: Fleet, owned: OwnedTasks, beforeEach: Effect.Effect<void>): Effect.Effect<never> =>
  Effect.scoped(
    Effect.gen(function* () {
      const sweeps = yield* FiberSet.make<void, never>()
      const start = Effect.andThen(beforeEach, FiberSet.run(sweeps, sweep(fleet, owned)))
      const starts = Effect.repeat(start, Schedule.spaced(`${fleet.settings.sweepMillis} millis`))
      return yield* Effect.raceFirst(
        Effect.andThen(starts, Effect.never),
        Effect.andThen(FiberSet.join(sweeps), Effect.never)
      )
    })
  )

/** Asks once about every task that is due, in batches by account, region and cluster, the most overdue first. */
export const sweep = (fleet: Fleet, owned: OwnedTasks): Effect.Effect<void> =>
  Effect.gen(function* () {
    const places = dueByPlace(owned, yield* Clock.currentTimeMillis)
    yield* Effect.forEach(places, ([place, due]) => lookAtPlace(fleet, owned, place, due), {
      concurrency: "unbounded",
      discard: true
    })
  })

const dueByPlace = ({ asking, tasks }: OwnedTasks, nowMillis: number): ReadonlyMap<string, ReadonlyArray<Owned>> => {
  const places = new Map<string, Array<Owned>>()
  for (const [key, each] of tasks) {
    if (!each.lease.isHeld()) tasks.delete(key)
    else if (each.nextLookAt <= nowMillis) {
      const place = placeOf(each.watched.started)
      if (asking.has(place)) continue
      const due = places.get(place)
      if (due === undefined) places.set(place, [each])
      else due.push(each)
    }
  }
  return places
}

const placeOf = ({ target, clusterArn }: TaskStarted): string =>
  JSON.stringify([target.credentials, target.region, clusterArn])

const lookAtPlace = (
  fleet: Fleet,
  owned: OwnedTasks,
  place: string,
  due: ReadonlyArray<Owned>
): Effect.Effect<void> => {
  const { asking } = owned
  const first = due.toSorted((one, other) => one.nextLookAt - other.nextLookAt)
  const batches = Array.from({ length: Math.ceil(first.length / DESCRIBE_MAX) }, (_, at) =>
    first.slice(at * DESCRIBE_MAX, (at + 1) * DESCRIBE_MAX)
  )
  const look = Effect.forEach(batches, (batch) => lookAt(fleet, owned, batch), {
    concurrency: fleet.settings.describeConcurrency,
    discard: true
  })
  return Effect.acquireUseRelease(
    Effect.sync(() => asking.add(place)),
    () => look,
    () => Effect.sync(() => asking.delete(place))
  )
}

const lookAt = (fleet: Fleet, owned: OwnedTasks, batch: ReadonlyArray<Owned>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const first = batch[0]?.watched.started
    if (first === undefined) return
    const { askedAt, tasks } = yield* describe(fleet, first, batch)
    yield* Effect.forEach(
      batch,
      (each) => follow(fleet, owned, each, judge(each.watched, tasks.get(each.watched.started.taskArn), askedAt)),
      {
        concurrency: 16,
        discard: true
      }
    )
  }).pipe(Effect.catch((failure) => lookLater(fleet, owned, batch, failure)))

/** When ECS was asked, after any wait for credentials and for our turn: what it answers was true then at the earliest. */
const describe = (fleet: Fleet, { clusterArn, target }: TaskStarted, batch: ReadonlyArray<Owned>) => {
  const arns = batch.map(({ watched }) => watched.started.taskArn)
  const call = Effect.gen(function* () {
    const askedAt = yield* Clock.currentTimeMillis
    const answer = yield* fleet.ecs.describeTasks(target, clusterArn, arns)
    const seen = answer.tasks.map(seenTask).flatMap((task) => (task === undefined ? [] : [task]))
    return { askedAt, tasks: new Map(seen.map((task) => [task.taskArn, task])) }
  })
  return Effect.andThen(fleet.gate.whenOpen(target), fleet.pace.paced("readTasks", target)(call))
}

const lookLater = (fleet: Fleet, owned: OwnedTasks, batch: ReadonlyArray<Owned>, failure: AwsFailure) =>
  Effect.gen(function* () {
    yield* Effect.logWarning("tasks could not be described", { tasks: batch.length, why: failure.message })
    const now = yield* Clock.currentTimeMillis
    if (failure.code === "ClusterNotFound") {
      yield* Effect.forEach(batch, (each) => follow(fleet, owned, each, judgeWithoutCluster(each.watched, now)), {
        discard: true
      })
    }
    for (const each of batch) each.nextLookAt = now + READ_AGAIN_MILLIS[failure.retry]
  })

/** Carries out what an answer means. What was told is told once, also where the stop fails and is tried again. */
const follow = (fleet: Fleet, owned: OwnedTasks, each: Owned, { actions, watched }: Judgement) =>
  Effect.gen(function* () {
    yield* Effect.forEach(actions, (action) => publish(fleet, each, action), { discard: true })
    each.watched = { ...watched, stop: each.watched.stop }
    for (const action of actions) {
      if (action._tag !== "StopTask") continue
      yield* stopTask(fleet, each, action.reason)
      each.watched = { ...each.watched, stop: watched.stop }
    }
    if (actions.some(({ _tag }) => _tag === "Release")) yield* release(owned, each)
    const now = yield* Clock.currentTimeMillis
    each.nextLookAt = now + pollMillis(each.watched, fleet.settings, now)
  }).pipe(
    Effect.catch((error) => followLater(each, error)),
    actions.length === 0 ? identity : inTrace(each.trace)
  )

const followLater = (each: Owned, error: PublishError | AwsFailure) =>
  Effect.gen(function* () {
    const { runId, attempt } = each.watched.started
    yield* Effect.logWarning("a look is repeated", { runId, attempt, why: error.message })
    const pause = error._tag === "AwsFailure" ? READ_AGAIN_MILLIS[error.retry] : FAILED_PUBLISH_MILLIS
    each.nextLookAt = (yield* Clock.currentTimeMillis) + pause
  })

const publish = (fleet: Fleet, each: Owned, action: Action): Effect.Effect<void, PublishError> => {
  const { runId, attempt } = each.watched.started
  if (action._tag === "PublishChanged") {
    const data = Codecs.taskChanged.encode(action.fact)
    const subject = Subjects.taskChanged(runId, attempt)
    return Effect.asVoid(fleet.publisher.publish({ stream: Streams.fleet, subject, data }))
  }
  if (action._tag !== "PublishStopped") return Effect.void
  const data = Codecs.taskStopped.encode(action.fact)
  const { outcome } = action.fact
  return Effect.andThen(
    fleet.publisher.createOnce({ stream: Streams.fleet, subject: Subjects.taskStopped(runId, attempt), data }),
    Effect.logInfo("attempt over", { runId, attempt, outcome })
  )
}

const stopTask = (fleet: Fleet, { watched: { started } }: Owned, reason: string): Effect.Effect<void, AwsFailure> => {
  const { runId, attempt, target, clusterArn, taskArn } = started
  return Effect.andThen(
    fleet.pace.paced("stopTask", target)(fleet.ecs.stopTask(target, clusterArn, taskArn, reason)),
    Effect.logInfo("task is stopped", { runId, attempt, reason })
  )
}

/** The lease may have come anew meanwhile: then its new owner stays. */
const release = ({ tasks }: OwnedTasks, each: Owned): Effect.Effect<void> =>
  Effect.andThen(
    each.lease.ack,
    Effect.sync(() => {
      const key = leaseKey(each.watched.started)
      if (tasks.get(key) === each) tasks.delete(key)
    })
  )
