import { filterLogEvents, getLogEvents } from "#aws/model/logReads.ts"
import { createLogGroup, createLogStream, putLogEvents } from "#aws/model/logs.ts"
import type { EcsModelOptions } from "#aws/model/World.ts"
import { aWorld, ok, region } from "./EcsWorld.ts"

/** The model's log group `g` with streams `a` and `b`, without the shell around it. */
export const aLogWorld = (options: Partial<EcsModelOptions> = {}) => {
  const world = aWorld(options)
  ok(createLogGroup(world, region, { logGroupName: "g" }, 0))
  for (const logStreamName of ["a", "b"]) ok(createLogStream(world, region, { logGroupName: "g", logStreamName }, 0))
  /** One batch, at `now`; each line is the stream's name and its time. */
  const putAt = (now: number, logStreamName: string, ...timestamps: ReadonlyArray<number>) => {
    const logEvents = timestamps.map((timestamp) => ({ timestamp, message: `${logStreamName}${timestamp}` }))
    return ok(putLogEvents(world, region, { logGroupName: "g", logStreamName, logEvents }, now))
  }
  const filter = (more: object = {}, now = 1e6) =>
    ok(filterLogEvents(world, region, { logGroupName: "g", ...more }, now))
  const get = (more: object = {}, now = 1e6) =>
    ok(getLogEvents(world, region, { logGroupName: "g", logStreamName: "a", ...more }, now))
  return {
    world,
    putAt,
    put: (logStreamName: string, ...timestamps: ReadonlyArray<number>) => putAt(0, logStreamName, ...timestamps),
    filter,
    get,
    texts: (more: object = {}, now?: number) => textsOf(filter(more, now))
  }
}

interface Page {
  readonly events?: ReadonlyArray<{ readonly message?: string | undefined }> | undefined
}

export const textsOf = ({ events = [] }: Page): ReadonlyArray<string> => events.map(({ message = "" }) => message)
