import { StopTaskCommand } from "@aws-sdk/client-ecs"
import { Clock, Effect, Stream } from "effect"
import { median } from "#bench/figures.ts"
import { natsServerPid, takenBy } from "#bench/resources.ts"
import { Messages } from "#bus/Messages.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { Filters, Streams } from "#ecs-core/Subjects.ts"
import { calls, ecsClient, LocalAws, sdkEnv } from "#test/support/LocalAws.ts"
import { tempFolder } from "#test/support/NatsServer.ts"
import { type ServiceProcess, startService } from "#test/support/Processes.ts"

/** What watchers take while they hold tasks; of several, memory is the largest one's and the rest that of all. */
export interface Window {
  /** Cores. */
  readonly cpu: number
  readonly server: number
  /** Most resident memory so far, MB. */
  readonly memory: number
  /** Calls per minute. */
  readonly describe: number
  readonly list: number
  /** Both: they share a quota. */
  readonly reads: number
}

/** How long ends went unnoticed, seconds. */
export interface Noticed {
  readonly half: number
  readonly longest: number
}

/** Starts watchers, and waits until they hold so many tasks between them and have looked at each. */
export const takeOver = (watchers: number, tasks: number) =>
  Effect.gen(function* () {
    const env = { ...sdkEnv((yield* LocalAws).url), NATS_URL: (yield* NatsServer).url }
    const folder = yield* tempFolder("watchers")
    const begun = yield* Clock.currentTimeMillis
    const running = yield* Effect.forEach(Array.from({ length: watchers }), () => startService("watcher", folder, env))
    const { replay } = yield* Messages
    // A task that is looked at for the first time is told to be RUNNING.
    const told = replay({ stream: Streams.fleet, subject: Filters.taskChanged, follow: true })
    yield* Stream.runDrain(Stream.take(told, tasks))
    const seconds = ((yield* Clock.currentTimeMillis) - begun) / 1000
    return { running, seconds }
  })

export const windowOf = (running: ReadonlyArray<ServiceProcess>, seconds: number) =>
  Effect.gen(function* () {
    const before = yield* stateOf(running)
    yield* Effect.sleep(seconds * 1000)
    const after = yield* stateOf(running)
    const millis = after.at - before.at
    const perMinute = (action: string) => (60_000 * ((after.calls[action] ?? 0) - (before.calls[action] ?? 0))) / millis
    const [describe, list] = [perMinute("DescribeTasks"), perMinute("ListTasks")]
    return {
      cpu: (after.cpuMillis - before.cpuMillis) / millis,
      server: (after.serverMillis - before.serverMillis) / millis,
      memory: after.memory,
      describe,
      list,
      reads: describe + list
    } satisfies Window
  })

const stateOf = (running: ReadonlyArray<ServiceProcess>) =>
  Effect.gen(function* () {
    const taken = yield* Effect.forEach(running, ({ pid }) => takenBy(pid))
    return {
      at: yield* Clock.currentTimeMillis,
      calls: (yield* calls).calls,
      cpuMillis: taken.reduce((sum, { cpuMillis }) => sum + cpuMillis, 0),
      serverMillis: (yield* takenBy(yield* natsServerPid)).cpuMillis,
      memory: Math.max(...taken.map(({ peakMegabytes }) => peakMegabytes))
    }
  })

/** Ends these tasks, and waits until a watcher has told of each. */
export const notice = (arns: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const ecs = yield* ecsClient
    const { replay } = yield* Messages
    const endedAt = yield* Clock.currentTimeMillis
    yield* Effect.forEach(arns, (task) => Effect.promise(() => ecs.send(new StopTaskCommand({ task }))), {
      concurrency: 10,
      discard: true
    })
    const told = replay({ stream: Streams.fleet, subject: Filters.taskStopped, follow: true })
    const facts = yield* Stream.runCollect(Stream.take(told, arns.length))
    const seconds = facts.map(({ time }) => (time - endedAt) / 1000)
    return { half: median(seconds), longest: Math.max(...seconds) } satisfies Noticed
  })
