import type { Task } from "@aws-sdk/client-ecs"
import { Effect } from "effect"
import { Ecs } from "#aws/Ecs.ts"
import { Gate } from "#aws/gate/Gate.ts"
import { Pace } from "#aws/Pace.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { maskText } from "#ecs-core/Mask.ts"
import type { WatcherSettings } from "./config.ts"
import type { SeenTask } from "./decide.ts"

/** What the watcher's handlers work with. */
export interface Fleet {
  readonly publisher: typeof Publisher.Service
  readonly messages: typeof Messages.Service
  readonly ecs: typeof Ecs.Service
  readonly pace: typeof Pace.Service
  readonly gate: typeof Gate.Service
  readonly settings: WatcherSettings
}

export const makeFleet = (settings: WatcherSettings) =>
  Effect.gen(function* () {
    const fleet: Fleet = {
      publisher: yield* Publisher,
      messages: yield* Messages,
      ecs: yield* Ecs,
      pace: yield* Pace,
      gate: yield* Gate,
      settings
    }
    return fleet
  })

const TIMES = [
  "createdAt",
  "connectivityAt",
  "pullStartedAt",
  "pullStoppedAt",
  "startedAt",
  "executionStoppedAt",
  "stoppingAt",
  "stoppedAt"
] as const

/** ECS quotes the command of a container that it could not start. */
const harmless = (reason: string | undefined): string | undefined =>
  reason === undefined ? undefined : maskText(reason)

/** The SDK's description as decisions read it; undefined where it lacks an ARN. */
export const seenTask = (task: Task): SeenTask | undefined =>
  task.taskArn === undefined
    ? undefined
    : {
        taskArn: task.taskArn,
        lastStatus: task.lastStatus ?? "UNKNOWN",
        version: task.version ?? 1,
        stopCode: task.stopCode,
        stoppedReason: harmless(task.stoppedReason),
        containers: (task.containers ?? []).map(({ name, exitCode, reason }) => ({
          name: name ?? "",
          exitCode,
          reason: harmless(reason)
        })),
        times: Object.fromEntries(
          TIMES.flatMap((name) => {
            const time = task[name]
            return time === undefined ? [] : [[name, instantOf(time.getTime())]]
          })
        )
      }
