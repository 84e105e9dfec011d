import { Cause, type Clock, Effect, FiberMap, FiberSet, Latch, type Scope } from "effect"
import { checkPace } from "./healthChecks.ts"
import { giveBackRoom } from "./instances.ts"
import { openLog } from "./LogDriver.ts"
import { placeWaiting } from "./launch.ts"
import { step } from "./lifecycle.ts"
import type { Runtime, Started } from "./Runtime.ts"
import { type ContainerHost, runContainer } from "./runContainer.ts"
import { type Command, isStopping, type TaskEvent } from "./taskChanges.ts"
import { findTask, forgetTask, loseTask, putTask, type TaskKey, type TaskRecord, type World } from "./World.ts"

/**
 * The shell around the pure life cycle. One fiber sleeps until the next thing of the whole world is due, so that a
 * hundred thousand waiting tasks cost no timer; one fiber per container exists only while it does. All changes of the
 * world happen in synchronous steps, so no two of them interleave.
 */
export interface Engine {
  readonly world: World
  readonly runtime: Runtime["Service"]
  readonly clock: Clock.Clock
  /** One fiber per container that runs, by `<task id>/<name>`. */
  readonly containers: FiberMap.FiberMap<string>
  readonly runContainer: (key: string, effect: Effect.Effect<void>) => void
  readonly runOther: (effect: Effect.Effect<void>) => void
  /** The containers that run, to be stopped, by the same key. */
  readonly started: Map<string, Started>
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
    const containers = yield* FiberMap.make<string>()
    const others = yield* FiberSet.make<void>()
    const run = yield* FiberMap.runtime(containers)()
    const runOther = yield* FiberSet.runtime(others)()
    const wake = yield* Latch.make(false)
    const engine: Engine = {
      world,
      runtime,
      clock,
      containers,
      runContainer: (key, effect) => void run(key, logged("container", effect)),
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
  const record = findTask(engine.world, key)
  if (record !== undefined) endContainers(engine, record)
  if (record !== undefined && record.task.lastStatus !== "STOPPED") end(engine, record)
  const isKnown = loseTask(engine.world, key, engine.clock.currentTimeMillisUnsafe())
  wakeScheduler(engine)
  return isKnown
}

const end = (engine: Engine, record: TaskRecord): void => {
  engine.world.options.onEnd(record.task.taskArn ?? "", engine.clock.currentTimeMillisUnsafe())
  giveBack(engine, record)
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
  if (hasStopped) end(engine, next.record)
  const hasStarted = next.record.task.lastStatus === "RUNNING" && record.task.lastStatus !== "RUNNING"
  if (hasStarted && record.vanishAfterSeconds !== undefined)
    engine.world.due.push(now + record.vanishAfterSeconds * 1000, { _tag: "Vanishing", key: record.key })
  if (next.command !== undefined) obey(engine, next.record, next.command)
}

const obey = (engine: Engine, record: TaskRecord, command: Command): void => {
  switch (command._tag) {
    case "Start":
      for (const name of command.names) startContainer(engine, record, name)
      return
    case "Stop": {
      const running = command.names.flatMap((name) => engine.started.get(containerKey(record.key, name)) ?? [])
      return engine.runOther(Effect.forEach(running, (each) => each.stop, { concurrency: "unbounded", discard: true }))
    }
    case "Abandon":
      return endContainers(engine, record)
  }
}

export const containerKey = ({ id }: TaskKey, name: string): string => `${id}/${name}`

/** Ends the containers of a task at once. */
const endContainers = (engine: Engine, { containers, key }: TaskRecord): void =>
  engine.runOther(
    Effect.forEach(containers, (spec) => FiberMap.remove(engine.containers, containerKey(key, spec.containerName)), {
      concurrency: "unbounded",
      discard: true
    })
  )

// The fiber runs at once, up to its first wait, and only then is in the map. Whoever ended the task meanwhile could not
// reach it there, and one that failed to start may have ended the task before the next one's turn.
const startContainer = (engine: Engine, record: TaskRecord, name: string): void => {
  const spec = record.containers.find(({ containerName }) => containerName === name)
  const current = findTask(engine.world, record.key)
  if (spec === undefined || current === undefined || isStopping(current.task)) return
  const key = containerKey(record.key, name)
  engine.runContainer(key, runContainer(hostOf(engine, record, key), spec))
  if (isOver(findTask(engine.world, record.key))) engine.runOther(FiberMap.remove(engine.containers, key))
}

const isOver = (record: TaskRecord | undefined): boolean =>
  record === undefined || ["DEPROVISIONING", "STOPPED"].includes(record.task.lastStatus ?? "")

const hostOf = (engine: Engine, { key, task }: TaskRecord, containerKey: string): ContainerHost => ({
  runtime: engine.runtime,
  now: () => engine.clock.currentTimeMillisUnsafe(),
  checkPace: checkPace[engine.world.options.timeScale],
  openLog: (location) => openLog(engine.world, location, task.startedBy, engine.clock.currentTimeMillisUnsafe()),
  started: (container) => void engine.started.set(containerKey, container),
  ended: () => void engine.started.delete(containerKey),
  tell: (event) => void tell(engine, key, event)
})
