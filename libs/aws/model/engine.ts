import { Cause, type Clock, Effect, FiberMap, FiberSet, Latch, Result, type Scope } from "effect"
import { giveBackRoom } from "./instances.ts"
import { append, createGroup, createStream } from "./LogStore.ts"
import { placeWaiting } from "./launch.ts"
import { type Command, step, type TaskEvent } from "./lifecycle.ts"
import { type ContainerSpec, type LogLocation, type Runtime, RuntimeRefused, type Started } from "./Runtime.ts"
import { findTask, forgetTask, putTask, regionOf, type TaskKey, type TaskRecord, type World } from "./World.ts"

/**
 * The shell around the pure life cycle. One fiber sleeps until the next thing of the whole world is due, so that a
 * hundred thousand waiting tasks cost no timer; one fiber per task exists only while its containers do. All changes of
 * the world happen in synchronous steps, so no two of them interleave.
 */
export interface Engine {
  readonly world: World
  readonly runtime: Runtime["Service"]
  readonly clock: Clock.Clock
  /** One fiber per task whose containers run, by task id. */
  readonly tasks: FiberMap.FiberMap<string>
  readonly runTask: (id: string, effect: Effect.Effect<void>) => void
  readonly runOther: (effect: Effect.Effect<void>) => void
  /** The containers of each task that runs, to be stopped. */
  readonly started: Map<string, ReadonlyArray<Started>>
  /** Opened when something becomes due earlier than the scheduler sleeps. */
  readonly wake: Latch.Latch
  sleepsUntil: number
}

export const makeEngine = (
  world: World,
  runtime: Runtime["Service"],
  clock: Clock.Clock
): Effect.Effect<Engine, never, Scope.Scope> =>
  Effect.gen(function* () {
    const tasks = yield* FiberMap.make<string>()
    const others = yield* FiberSet.make<void>()
    const runTask = yield* FiberMap.runtime(tasks)()
    const runOther = yield* FiberSet.runtime(others)()
    const wake = yield* Latch.make(false)
    const engine: Engine = {
      world,
      runtime,
      clock,
      tasks,
      runTask: (id, effect) => void runTask(id, logged("task", effect)),
      runOther: (effect) => void runOther(logged("stop", effect)),
      started: new Map(),
      wake,
      sleepsUntil: Number.POSITIVE_INFINITY
    }
    yield* Effect.forkScoped(Effect.forever(logged("scheduler", schedule(engine))))
    return engine
  })

const logged = (what: string, effect: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.catchCause(effect, (cause) =>
    Cause.hasInterruptsOnly(cause) ? Effect.interrupt : Effect.logError(`model of ECS: the ${what} fiber failed`, cause)
  )

/** To be called after each operation: something may be due earlier than the scheduler sleeps. */
export const wakeScheduler = (engine: Engine): void => {
  const next = engine.world.due.nextAt
  if (next !== undefined && next < engine.sleepsUntil) engine.wake.openUnsafe()
}

const schedule = (engine: Engine): Effect.Effect<never> =>
  Effect.gen(function* () {
    while (true) {
      const now = engine.clock.currentTimeMillisUnsafe()
      runDue(engine, now)
      const next = engine.world.due.nextAt
      engine.sleepsUntil = next ?? Number.POSITIVE_INFINITY
      engine.wake.closeUnsafe()
      yield* next === undefined ? engine.wake.await : Effect.raceFirst(Effect.sleep(next - now), engine.wake.await)
    }
  })

const runDue = (engine: Engine, now: number): void => {
  const { world } = engine
  for (let due = world.due.pop(now); due !== undefined; due = world.due.pop(now)) {
    const { value } = due
    if (value._tag === "Token") {
      world.regions.get(value.region)?.clusters.get(value.cluster)?.tokens.delete(value.token)
      continue
    }
    if (value._tag === "Vanishing") {
      forget(engine, value.key)
      continue
    }
    const record = findTask(world, value.key)
    if (record?.dueAt === undefined || record.dueAt > now) continue
    if (record.task.lastStatus === "STOPPED") forgetTask(world, value.key)
    else advance(engine, { ...record, dueAt: undefined }, { _tag: "TimeOver" }, now)
  }
}

/** Tells a task what happened; false = there is no such task (any more). */
export const tell = (engine: Engine, key: TaskKey, event: TaskEvent): boolean => {
  const record = findTask(engine.world, key)
  if (record === undefined) return false
  advance(engine, record, event, engine.clock.currentTimeMillisUnsafe())
  wakeScheduler(engine)
  return true
}

/** Removes a task whatever its state, and ends its containers. */
export const forget = (engine: Engine, key: TaskKey): boolean => {
  engine.runOther(FiberMap.remove(engine.tasks, key.id))
  const record = findTask(engine.world, key)
  if (record !== undefined && record.task.lastStatus !== "STOPPED") giveBack(engine, record)
  const isKnown = forgetTask(engine.world, key)
  wakeScheduler(engine)
  return isKnown
}

/** The room that the task had on an instance is free again: others may have waited for it. */
const giveBack = (engine: Engine, { key, placing, task }: TaskRecord): void => {
  const cluster = engine.world.regions.get(key.region)?.clusters.get(key.cluster)
  const instance = cluster?.instances.get(task.containerInstanceArn ?? "")
  if (cluster === undefined || instance === undefined || placing === undefined) return
  giveBackRoom(instance, placing.needs, placing.group)
  placeWaiting(engine.world, key.region, cluster, engine.clock.currentTimeMillisUnsafe())
}

const advance = (engine: Engine, record: TaskRecord, event: TaskEvent, now: number): void => {
  const next = step(record, event, now, engine.world.options)
  putTask(engine.world, next.record, record.dueAt)
  const hasStopped = next.record.task.lastStatus === "STOPPED" && record.task.lastStatus !== "STOPPED"
  if (hasStopped) giveBack(engine, next.record)
  const hasStarted = next.record.task.lastStatus === "RUNNING" && record.task.lastStatus !== "RUNNING"
  if (hasStarted && record.vanishAfterSeconds !== undefined)
    engine.world.due.push(now + record.vanishAfterSeconds * 1000, { _tag: "Vanishing", key: record.key })
  if (next.command !== undefined) obey(engine, next.record, next.command)
}

const obey = (engine: Engine, record: TaskRecord, command: Command): void => {
  const { id } = record.key
  switch (command) {
    case "StartContainers":
      return startContainers(engine, record)
    case "StopContainers":
      return engine.runOther(
        Effect.forEach(engine.started.get(id) ?? [], (each) => each.stop, { concurrency: "unbounded", discard: true })
      )
    case "AbandonContainers":
      return engine.runOther(FiberMap.remove(engine.tasks, id))
  }
}

// The fiber runs at once, up to its first wait, and only then is in the map. Whoever ended the task meanwhile could not
// reach it there.
const startContainers = (engine: Engine, record: TaskRecord): void => {
  engine.runTask(record.key.id, runContainers(engine, record))
  const status = findTask(engine.world, record.key)?.task.lastStatus
  if (status === undefined || status === "DEPROVISIONING" || status === "STOPPED") {
    engine.runOther(FiberMap.remove(engine.tasks, record.key.id))
  }
}

const runContainers = (engine: Engine, record: TaskRecord): Effect.Effect<void> =>
  Effect.gen(function* () {
    const started = yield* Effect.forEach(record.containers, (spec) => startContainer(engine, record.key, spec), {
      concurrency: "unbounded"
    })
    const running = started.filter((each) => each !== undefined)
    engine.started.set(
      record.key.id,
      running.map((each) => each.container)
    )
    tell(engine, record.key, { _tag: "ContainersStarted" })
    yield* Effect.forEach(running, (each) => watchContainer(engine, record.key, each.spec, each.container), {
      concurrency: "unbounded",
      discard: true
    })
  }).pipe(Effect.scoped, Effect.ensuring(Effect.sync(() => engine.started.delete(record.key.id))))

const watchContainer = (engine: Engine, key: TaskKey, spec: ContainerSpec, container: Started): Effect.Effect<void> =>
  container.exit.pipe(
    Effect.catchCause((cause) =>
      Effect.succeed({ exitCode: 255, reason: `ContainerRuntimeError: ${Cause.pretty(cause)}` })
    ),
    Effect.map((exit) => void tell(engine, key, { _tag: "ContainerExited", name: spec.containerName, ...exit }))
  )

const startContainer = (
  engine: Engine,
  key: TaskKey,
  spec: ContainerSpec
): Effect.Effect<{ readonly spec: ContainerSpec; readonly container: Started } | undefined, never, Scope.Scope> =>
  Effect.gen(function* () {
    const output = openLog(engine, spec.logs)
    if (Result.isFailure(output)) return yield* new RuntimeRefused({ reason: output.failure })
    const container = yield* engine.runtime.start(spec, output.success)
    return { spec, container }
  }).pipe(
    Effect.catchDefect((defect) =>
      Effect.fail(new RuntimeRefused({ reason: `ContainerRuntimeError: ${String(defect)}` }))
    ),
    Effect.catchTag("RuntimeRefused", ({ reason, exitCode }) => {
      const code = exitCode === undefined ? {} : { exitCode }
      tell(engine, key, { _tag: "ContainerRefused", name: spec.containerName, reason, ...code })
      return Effect.succeed(undefined)
    })
  )

/** Where a container's lines go; as on Fargate, a missing group stops the start unless the options say to make it. */
const openLog = (engine: Engine, location: LogLocation | undefined): Result.Result<(line: string) => void, string> => {
  if (location === undefined) return Result.succeed(() => {})
  const { logs } = regionOf(engine.world, location.region)
  const now = engine.clock.currentTimeMillisUnsafe()
  const known = logs.groups.get(location.group)
  if (known === undefined && !location.createGroup) return Result.fail(missingGroup)
  const group = known ?? createGroup(logs, location.group, now)
  const stream = group.streams.get(location.stream) ?? createStream(logs, group, location.stream, now)
  const delayMillis = engine.world.options.logDelaySeconds * 1000
  return Result.succeed((message) => {
    const timestamp = engine.clock.currentTimeMillisUnsafe()
    append(logs, stream, { timestamp, ingestionTime: timestamp + delayMillis, message })
  })
}

const missingGroup =
  "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create " +
  "Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. : exit status 1"
