import { Clock, Context, Effect, Layer, Semaphore } from "effect"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { AwsConfig } from "./AwsConfig.ts"
import { waitMeasured } from "./measured.ts"
import type { AwsTarget } from "./Target.ts"
import { type Bucket, fullBucket, type Limit, refill, spend, throttle, waitMillis } from "./TokenBucket.ts"

/**
 * Keeps this process under AWS's rates of calls, per region and set of credentials: a token bucket per quota. A throttled
 * call halves the rate of its class, which then rises again second by second; the SDK's own retries, left alone, would
 * give up three calls in four under load. RunTask and StopTask share a quota of which RunTask leaves a reserve, so that a
 * stop never waits behind a queue of launches.
 */
export type PaceClass =
  | "runTask"
  /** RunTask that found no capacity before: a quarter of the pace at most, so that the others are not kept waiting. */
  | "runTaskAgain"
  | "stopTask"
  /** DescribeTasks, ListTasks. */
  | "readTasks"
  /** RegisterTaskDefinition, DeregisterTaskDefinition. */
  | "modifyTaskDefinition"
  /** DescribeTaskDefinition, ListTaskDefinitions. */
  | "readTaskDefinition"
  | "filterLogEvents"

/** A quota of AWS: some classes have their own, RunTask and StopTask have one together. */
export type Quota = Exclude<PaceClass, "stopTask"> | "modifyTasks"

export class Pace extends Context.Service<
  Pace,
  {
    /** Waits for a token; callers of one class get theirs in order. Interruption gives nothing away. */
    readonly take: (paceClass: PaceClass, target: AwsTarget) => Effect.Effect<void>
    /** AWS throttled a call of this class: halves its rate (at most once a second) and empties its bucket. */
    readonly throttled: (paceClass: PaceClass, target: AwsTarget) => Effect.Effect<void>
    /** How long `take` would wait with so many others ahead (none), in milliseconds: to defer instead of waiting. */
    readonly waitMillis: (paceClass: PaceClass, target: AwsTarget, ahead?: number) => Effect.Effect<number>
    /** What is left of each quota that was used, as of now. */
    readonly rooms: Effect.Effect<ReadonlyArray<Room>>
    /** Takes a token, runs the call, and slows down if the call was throttled. */
    readonly paced: (
      paceClass: PaceClass,
      target: AwsTarget
    ) => <A, R>(call: Effect.Effect<A, AwsFailure, R>) => Effect.Effect<A, AwsFailure, R>
  }
>()("aws/Pace") {
  /** Limits that are not given are AWS's default quotas, a little below. */
  static readonly layer = (limits: PaceLimits = {}) =>
    Layer.effect(
      Pace,
      Effect.sync(() => makePace(limits))
    )

  /** With the limits of the settings. */
  static readonly layerConfig = Layer.effect(
    Pace,
    Effect.map(AwsConfig, ({ runTaskPerSecond, runTaskBurst, filterLogEventsPerSecond }) =>
      makePace({
        runTask: { perSecond: runTaskPerSecond, burst: runTaskBurst },
        ...sharedQuota(runTaskPerSecond, runTaskBurst),
        ...(filterLogEventsPerSecond === undefined ? {} : { filterLogEvents: evenly(filterLogEventsPerSecond) })
      })
    )
  )
}

/** What is left of a quota, in a region, for a set of credentials. */
export interface Room {
  readonly quota: string
  readonly region: string
  readonly credentials: string
  /** Calls that could be made at once. */
  readonly callsLeft: number
  readonly perSecond: number
  readonly limit: Limit
}

export type PaceLimits = Partial<Readonly<Record<Quota, Limit>>>

/** AWS's default quotas, a little below, since others use the account too. */
export const defaultLimits: Readonly<Record<Exclude<Quota, "filterLogEvents" | "runTaskAgain">, Limit>> = {
  runTask: { perSecond: 19, burst: 10 },
  modifyTasks: { perSecond: 38, burst: 95 },
  readTasks: { perSecond: 19, burst: 95 },
  modifyTaskDefinition: { perSecond: 0.95, burst: 19 },
  readTaskDefinition: { perSecond: 19, burst: 48 }
}

/** Whoever had the RunTask quota raised had the one that it shares with StopTask raised too. */
const sharedQuota = (perSecond: number, burst: number): PaceLimits => {
  const { modifyTasks } = defaultLimits
  if (perSecond <= modifyTasks.perSecond) return {}
  return { modifyTasks: { perSecond: 2 * perSecond, burst: Math.max(modifyTasks.burst, burst + stopTaskReserve) } }
}

/**
 * AWS's quota of FilterLogEvents, calls per second and account, in the regions where it is not `filterLogEventsElsewhere`.
 * Source: "CloudWatch Logs quotas" (docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html), row
 * "FilterLogEvents throttle limit in transactions per second", which says that it is not adjustable.
 */
export const filterLogEventsQuotas: ReadonlyMap<string, number> = new Map([
  ["us-east-1", 25],
  ["ap-northeast-3", 5],
  ["ap-southeast-3", 5],
  ["ca-west-1", 5],
  ["eu-central-1", 5],
  ["il-central-1", 5]
])

export const filterLogEventsElsewhere = 10

/** What is used of a quota of FilterLogEvents: people look at logs too. */
const filterLogEventsShare = 0.9

/** The pace of FilterLogEvents in a region, a little below AWS's quota there. */
export const filterLogEventsLimit = (region: string | undefined): Limit =>
  evenly(filterLogEventsShare * (filterLogEventsQuotas.get(region ?? "") ?? filterLogEventsElsewhere))

/** One call after the other: with a burst, a second could hold more calls than the quota has. */
const evenly = (perSecond: number): Limit => ({ perSecond, burst: 1 })

/** Tokens of the shared quota that RunTask leaves to StopTask. */
export const stopTaskReserve = 20

/** Buckets kept at one time; the longest unused ones are forgotten, and start full again. */
export const maxBuckets = 1000

interface Lane {
  readonly buckets: Map<string, Bucket>
  readonly lines: Map<string, Semaphore.Semaphore>
  readonly limits: PaceLimits
}

/** One quota that a class draws on, and what it must leave there. */
interface Draw {
  readonly key: string
  readonly limit: Limit
  readonly reserve: number
}

const makePace = (limits: PaceLimits): Pace["Service"] => {
  const lane: Lane = { buckets: new Map(), lines: new Map(), limits }
  const take = (paceClass: PaceClass, target: AwsTarget) =>
    lineOf(lane, paceClass, target)
      .withPermit(takeFirst(lane, draws(lane, paceClass, target)))
      .pipe(waitMeasured(paceClass))
  const throttled = (paceClass: PaceClass, target: AwsTarget) =>
    Effect.map(Clock.currentTimeMillis, (now) => slowDown(lane, draws(lane, paceClass, target), now))
  return {
    take,
    throttled,
    rooms: Effect.map(Clock.currentTimeMillis, (now) => roomsOf(lane, now)),
    waitMillis: (paceClass, target, ahead = 0) =>
      Effect.map(Clock.currentTimeMillis, (now) => longestWait(lane, draws(lane, paceClass, target), now, ahead)),
    paced: (paceClass, target) => (call) =>
      Effect.andThen(take(paceClass, target), call).pipe(
        Effect.tapError((failure) => (failure.retry === "throttle" ? throttled(paceClass, target) : Effect.void))
      )
  }
}

const draws = (lane: Lane, paceClass: PaceClass, target: AwsTarget): ReadonlyArray<Draw> => {
  const draw = (quota: Quota, reserve: number): Draw => ({
    key: keyOf(quota, target),
    limit: limitOf(lane.limits, quota, target.region),
    reserve
  })
  const launch = [draw("runTask", 0), draw("modifyTasks", stopTaskReserve)]
  if (paceClass === "stopTask") return [draw("modifyTasks", 0)]
  if (paceClass === "runTaskAgain") return [...launch, draw("runTaskAgain", 0)]
  return paceClass === "runTask" ? launch : [draw(paceClass, 0)]
}

const limitOf = (limits: PaceLimits, quota: Quota, region: string | undefined): Limit => {
  if (quota === "filterLogEvents") return limits.filterLogEvents ?? filterLogEventsLimit(region)
  if (quota !== "runTaskAgain") return limits[quota] ?? defaultLimits[quota]
  const { perSecond, burst } = limits.runTask ?? defaultLimits.runTask
  return limits.runTaskAgain ?? { perSecond: perSecond / 4, burst: Math.max(1, burst / 4) }
}

const keyOf = (name: string, target: AwsTarget) => `${name}|${target.credentials ?? "default"}|${target.region ?? ""}`

const takeFirst = (lane: Lane, wanted: ReadonlyArray<Draw>): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (true) {
      const now = yield* Clock.currentTimeMillis
      const wait = longestWait(lane, wanted, now)
      if (wait === 0) return wanted.forEach((draw) => put(lane, draw.key, spend(current(lane, draw, now))))
      yield* Effect.sleep(wait)
    }
  })

const longestWait = (lane: Lane, wanted: ReadonlyArray<Draw>, now: number, ahead = 0): number =>
  Math.max(...wanted.map((draw) => waitMillis(current(lane, draw, now), draw.reserve + ahead)))

const slowDown = (lane: Lane, [own]: ReadonlyArray<Draw>, now: number): void => {
  if (own !== undefined) put(lane, own.key, throttle(current(lane, own, now), own.limit, now))
}

const current = (lane: Lane, draw: Draw, now: number): Bucket => {
  const known = lane.buckets.get(draw.key)
  return known === undefined ? fullBucket(draw.limit, now) : refill(known, draw.limit, now)
}

const put = (lane: Lane, key: string, bucket: Bucket): void => {
  lane.buckets.delete(key)
  lane.buckets.set(key, bucket)
  dropOldest(lane.buckets)
}

const dropOldest = (kept: Map<string, unknown>): void => {
  const [oldest] = kept.keys()
  if (kept.size > maxBuckets && oldest !== undefined) kept.delete(oldest)
}

const roomsOf = ({ buckets, limits }: Lane, now: number): ReadonlyArray<Room> =>
  [...buckets].map(([key, bucket]) => {
    const [quota = "", credentials = "", region = ""] = key.split("|")
    const limit = limitOf(limits, quota as Quota, region)
    const { perSecond, tokens } = refill(bucket, limit, now)
    return { quota, region, credentials, callsLeft: tokens, perSecond, limit }
  })

const lineOf = (lane: Lane, paceClass: PaceClass, target: AwsTarget): Semaphore.Semaphore => {
  const key = keyOf(paceClass, target)
  const known = lane.lines.get(key)
  if (known !== undefined) return known
  const line = Semaphore.makeUnsafe(1)
  lane.lines.set(key, line)
  dropOldest(lane.lines)
  return line
}
