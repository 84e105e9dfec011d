import type { RunTaskRequest } from "@aws-sdk/client-ecs"
import { Effect, Result } from "effect"
import { type Answer, client } from "./AwsException.ts"
import { containerKey, type Engine, tell, wakeScheduler } from "./engine.ts"
import { step } from "./lifecycle.ts"
import { runTask } from "./runTask.ts"
import { terminatedExitCode } from "./simulated.ts"
import { isStopping, type LifeOptions, type TaskEvent } from "./taskChanges.ts"
import { findTask, parseTaskArn, putTask, type TaskRecord } from "./World.ts"

/**
 * Tasks that have been running for hours, at once: whoever needs a hundred thousand of them can neither wait nor have so
 * many programs. Each is launched by RunTask's own rules as of that time, and led through its states by the model's own
 * steps. Only its containers run nothing: they end, with SIGTERM's exit code, when they are asked to.
 */
export interface LongRunning {
  /** One task for each of these. */
  readonly startedBy: ReadonlyArray<string>
  readonly runningSeconds: number
}

/** Their ARNs, in order; the first refusal ends it, and those before it are there. */
export const launchLongRunning = (
  engine: Engine,
  region: string,
  input: RunTaskRequest,
  { runningSeconds, startedBy }: LongRunning
): Answer<ReadonlyArray<string>> => {
  const then = engine.clock.currentTimeMillisUnsafe() - runningSeconds * 1000
  const arns: Array<string> = []
  for (const each of startedBy) {
    const answer = runTask(engine.world, region, { ...input, startedBy: each }, then)
    if (Result.isFailure(answer)) return Result.fail(answer.failure)
    const { failures = [], tasks = [] } = answer.success
    if (failures.length > 0) return Result.fail(client(`RunTask failed: ${failures[0]?.reason}`))
    for (const { taskArn = "" } of tasks) {
      lead(engine, taskArn, then)
      arns.push(taskArn)
    }
  }
  wakeScheduler(engine)
  return Result.succeed(arns)
}

/** One that waits for room on an instance goes on waiting. */
const lead = (engine: Engine, taskArn: string, then: number): void => {
  const key = parseTaskArn(taskArn)
  const record = key === undefined ? undefined : findTask(engine.world, key)
  if (record?.dueAt === undefined) return
  const led = startedAt(record, then, engine.world.options)
  putTask(engine.world, led, record.dueAt)
  for (const name of Object.keys(led.begunAt ?? {})) hold(engine, led, name)
}

/** As it is once all containers that start by themselves have started. */
const startedAt = (record: TaskRecord, then: number, options: LifeOptions): TaskRecord => {
  const names: Array<string> = []
  let led = record
  while (led.task.lastStatus !== "RUNNING" && !isStopping(led.task)) {
    const name = names.shift()
    if (name === undefined && led.asked !== undefined) break
    const event: TaskEvent = name === undefined ? { _tag: "TimeOver" } : { _tag: "ContainerStarted", name }
    const { command, record: next } = step({ ...led, dueAt: undefined }, event, then, options)
    if (command?._tag === "Start") names.push(...command.names)
    led = next
  }
  return led
}

const hold = (engine: Engine, { key }: TaskRecord, name: string): void => {
  const held = containerKey(key, name)
  const stop = Effect.sync(() => {
    engine.started.delete(held)
    tell(engine, key, { _tag: "ContainerExited", name, exitCode: terminatedExitCode })
  })
  engine.started.set(held, { exit: Effect.never, stop })
}
