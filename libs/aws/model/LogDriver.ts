import { Result } from "effect"
import { takeMissingSeconds } from "./faults.ts"
import { addToBatch, type Batch, closeInlet, isClosed, openBatch } from "./ingestion.ts"
import { createGroup, createStream } from "./LogStore.ts"
import type { LogLocation } from "./Runtime.ts"
import { regionOf, type World } from "./World.ts"

/** What Docker's awslogs driver does for a container that runs. */
export interface LogDriver {
  /** One line, at a time in epoch milliseconds. */
  readonly write: (line: string, now: number) => void
  /** The container has ended. */
  readonly close: (now: number) => void
}

const nowhere: LogDriver = { write: () => {}, close: () => {} }

/** As on Fargate, a missing group stops the start unless the options say to make it; the failure is the reason. */
export const openLog = (
  world: World,
  location: LogLocation | undefined,
  startedBy: string | undefined,
  now: number
): Result.Result<LogDriver, string> => {
  if (location === undefined) return Result.succeed(nowhere)
  const { logs } = regionOf(world, location.region)
  const known = logs.groups.get(location.group)
  if (known === undefined && !location.createGroup) return Result.fail(missingGroup)
  const group = known ?? createGroup(logs, location.group, now)
  const place = { ...location, startedBy }
  const stream =
    group.streams.get(location.stream) ??
    createStream(logs, group, location.stream, now, {
      startedBy,
      missingSeconds: takeMissingSeconds(world, place, now)
    })
  const inlet = { world, place, stream }
  let batch: Batch | undefined
  return Result.succeed({
    write: (line, now) => {
      if (batch === undefined || isClosed(batch, line, now)) batch = openBatch(inlet, now)
      addToBatch(inlet, batch, { timestamp: now, message: line })
    },
    close: (now) => closeInlet(inlet, now)
  })
}

const missingGroup =
  "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create " +
  "Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. : exit status 1"
