import { Clock, Effect, Exit, FiberSet, Metric, Result } from "effect"
import type { LogsInput, LogsPage } from "#aws/ContainerLogs.ts"
import { inTrace } from "#bus/Trace.ts"
import type { AwsFailure, RetryClass } from "#ecs-core/errors.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Subjects } from "#ecs-core/Subjects.ts"
import { lastFact } from "#process/Handling.ts"
import { type Brought, carryOn } from "./attempts.ts"
import { type Attempt, type Desk, dropLost, type LogStream, type Pass, type Place } from "./Desk.ts"
import * as metrics from "./metrics.ts"
import { ALONE_SECONDS, choose, isStarted, isWorthAsking, nextDueAt, pauseMillis } from "./plan.ts"
import { isDeepDue, type LogEvent, startOf, take } from "./reading.ts"

/** Pages of a shared call's answer that are read before others have their turn; a deep look has more (`pagesMax`). */
export const SHARED_PAGES_MAX = 3

/** The same of streams that nobody has seen: for those that are missing, each page may take several calls. */
export const NEW_PAGES_MAX = 2

/** How many attempts publish at one time what one look brought. */
const PUBLISH_CONCURRENCY = 16

/** Whoever has nothing to do looks again after this time. */
const IDLE_MILLIS = 10_000

/** Reads for ever: whenever a region has a call to spare, the streams that have waited longest are asked for. */
export const keepReading = (desk: Desk): Effect.Effect<never> =>
  Effect.scoped(
    Effect.gen(function* () {
      const looks = yield* FiberSet.make<void, never>()
      const cycle = Effect.gen(function* () {
        desk.news.closeUnsafe()
        dropLost(desk)
        yield* Metric.update(metrics.attempts, desk.attempts.size)
        let wait = IDLE_MILLIS
        for (const place of desk.places.values()) {
          wait = Math.min(wait, yield* serve(desk, place, (each) => FiberSet.run(looks, each)))
        }
        yield* Effect.raceFirst(desk.news.await, Effect.sleep(wait))
      })
      return yield* Effect.raceFirst(Effect.forever(cycle), Effect.andThen(FiberSet.join(looks), Effect.never))
    })
  )

/** Begins looks as long as there are calls to spare and streams that are due; answers when there may be more to do. */
const serve = (desk: Desk, place: Place, begin: (look: Effect.Effect<void>) => Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    while (true) {
      const now = yield* Clock.currentTimeMillis
      if (place.looks >= desk.settings.readConcurrency) return IDLE_MILLIS
      const wait = yield* desk.pace.waitMillis("filterLogEvents", place.target, place.waiting)
      if (wait > 0) return wait
      const claim = nextClaim(place, now)
      if (claim === undefined) return Math.max(1, nextDueAt([...place.streams]) - now)
      yield* begin(look(desk, claim))
    }
  })

/** Streams of one look; nobody else looks at them until it is over. */
export interface Claim {
  readonly place: Place
  readonly streams: ReadonlyArray<LogStream>
  /** It has not called yet. */
  isWaiting: boolean
}

/** The next look; undefined = nothing is due. */
export const nextClaim = (place: Place, nowMillis: number): Claim | undefined => {
  const streams = choose([...place.streams], nowMillis, place.isAloneNext)
  if (streams.length === 0) return undefined
  place.isAloneNext = streams[0]?.isAlone !== true
  place.looks++
  place.waiting++
  for (const stream of streams) stream.isBusy = true
  return { place, streams, isWaiting: true }
}

const hasTurn = (claim: Claim): void => {
  if (claim.isWaiting) claim.place.waiting--
  claim.isWaiting = false
}

/** Asks once for these streams, and publishes what is new. */
export const look = (desk: Desk, claim: Claim): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (yield* desk.gate.whenOpen(claim.place.target)) notRead(claim.streams, yield* Clock.currentTimeMillis)
    const begun = yield* Effect.filter(claim.streams, (each) => hasBegun(desk, each), { concurrency: "unbounded" })
    const [first] = begun
    if (first === undefined) return undefined
    const pass = first.pass ?? passOf(begun, yield* Clock.currentTimeMillis)
    const heard = yield* Effect.result(readPages(desk, claim, begun, pass))
    return yield* Result.isFailure(heard)
      ? missed(desk, begun, heard.failure)
      : publish(desk, begun, pass, heard.success)
  }).pipe(
    Effect.onExit((exit) => release(desk, claim, Exit.isSuccess(exit) ? exit.value : undefined)),
    Effect.asVoid
  )

/** `failed`: how the call failed, if it did. */
const release = ({ news, settings }: Desk, claim: Claim, failed: RetryClass | undefined): Effect.Effect<void> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    hasTurn(claim)
    claim.place.looks--
    for (const stream of claim.streams) {
      const isOver = stream.attempt.endedAt !== undefined
      stream.isBusy = false
      stream.lookedAt = now
      stream.isAlone = stream.hasMore || now < stream.aloneUntil
      stream.dueAt = now + pauseMillis(stream, { isOver, failed }, settings.pollMillis, now)
    }
    news.openUnsafe()
  })

/** A container that has not started has no log stream yet. */
const hasBegun = (desk: Desk, stream: LogStream): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    if (stream.exists || stream.hasStarted) return true
    const { runId, attempt } = stream.attempt.started
    const told = lastFact(desk.ports.messages, Subjects.taskChanged(runId, attempt), Codecs.taskChanged)
    const change = yield* Effect.orElseSucceed(told, () => undefined)
    stream.hasStarted ||= isStarted(change?.lastStatus)
    return stream.hasStarted || isWorthAsking(change?.lastStatus, stream.askedAt, yield* Clock.currentTimeMillis)
  })

const passOf = (streams: ReadonlyArray<LogStream>, startedAt: number): Pass => {
  const isDeep = streams.some(({ attempt, reading }) => isDeepDue(reading, attempt.endedAt !== undefined, startedAt))
  const startTime = Math.min(...streams.map(({ reading }) => startOf(reading, isDeep)))
  return { startedAt, isDeep, startTime, nextToken: undefined }
}

/** What the pages of one look held. */
interface Heard {
  readonly events: ReadonlyMap<string, ReadonlyArray<LogEvent>>
  /** Of these nothing is known: they were missing a moment ago, and not asked for. */
  readonly unasked: ReadonlySet<string>
  readonly missing: ReadonlySet<string>
  /** There are more pages. */
  readonly nextToken: string | undefined
  /** Up to there all of them were read; undefined = only some of them were. */
  readonly reached: number | undefined
}

const readPages = (
  desk: Desk,
  claim: Claim,
  streams: ReadonlyArray<LogStream>,
  pass: Pass
): Effect.Effect<Heard, AwsFailure> =>
  Effect.gen(function* () {
    const events = new Map<string, Array<LogEvent>>()
    const [unasked, missing] = [new Set<string>(), new Set<string>()]
    const logStreams = streams.map(({ reading }) => reading.logStream)
    const logGroup = streams[0]?.group ?? ""
    let { nextToken } = pass
    let reached: number | undefined
    for (const stream of streams) stream.askedAt = pass.startedAt
    for (let page = 0; page < pagesOf(desk, streams, pass); page++) {
      const token = nextToken === undefined ? {} : { nextToken }
      const answer = yield* readPage(desk, claim, { logGroup, logStreams, startTime: pass.startTime, ...token })
      for (const { logStream, ...event } of answer.events) {
        const list = events.get(logStream)
        if (list === undefined) events.set(logStream, [event])
        else list.push(event)
      }
      reached = answer.reached
      for (const stream of answer.unasked) unasked.add(stream)
      for (const stream of answer.missing) missing.add(stream)
      nextToken = answer.nextToken
      if (nextToken === undefined) break
    }
    return { events, unasked, missing, nextToken, reached }
  })

const readPage = ({ logs, pace }: Desk, claim: Claim, input: LogsInput): Effect.Effect<LogsPage, AwsFailure> => {
  const { target } = claim.place
  const isThrottle = ({ retry }: AwsFailure) => retry === "throttle"
  return pace.take("filterLogEvents", target).pipe(
    Effect.tap(() => Effect.sync(() => hasTurn(claim))),
    Effect.andThen(logs.read(target, input)),
    Effect.tapError((failure) => (isThrottle(failure) ? pace.throttled("filterLogEvents", target) : Effect.void))
  )
}

const pagesOf = ({ settings }: Desk, [first]: ReadonlyArray<LogStream>, { isDeep }: Pass): number => {
  if (first?.isAlone === true) return 1
  if (first?.exists !== true) return NEW_PAGES_MAX
  return isDeep ? settings.pagesMax : SHARED_PAGES_MAX
}

/** Publishes what was heard; "transient" where that failed, and the same has to be read again. */
const publish = (
  desk: Desk,
  streams: ReadonlyArray<LogStream>,
  pass: Pass,
  heard: Heard
): Effect.Effect<RetryClass | undefined> => {
  const isCut = heard.nextToken !== undefined
  const brought = streams.map((stream): Brought => {
    const { logStream } = stream.reading
    const isUnasked = heard.unasked.has(logStream)
    const reached = isCut && !isUnasked ? heard.reached : undefined
    const { isDeep, startedAt } = pass
    const events = heard.events.get(logStream) ?? []
    const taken = take(stream.reading, events, { startedAt, isDeep, isCut, reached })
    return { stream, taken, isHeard: !isCut && !isUnasked }
  })
  const loudest = isCut ? loudestOf(streams, heard) : undefined
  const byAttempt = Map.groupBy(brought, ({ stream }) => stream.attempt)
  const published = (attempt: Attempt, own: ReadonlyArray<Brought>) =>
    Effect.gen(function* () {
      attempt.unreadable = undefined
      yield* carryOn(desk, attempt, own)
      const now = yield* Clock.currentTimeMillis
      for (const { stream } of own) goOn(stream, pass, heard, { isLoudest: stream === loudest, now })
    })
  const tried = ([attempt, own]: readonly [Attempt, ReadonlyArray<Brought>]) =>
    published(attempt, own).pipe(
      Effect.as(true),
      Effect.catch((error) =>
        Effect.as(Effect.logWarning("lines wait", { runId: attempt.started.runId, why: error.message }), false)
      ),
      inTrace(attempt.trace)
    )
  return Effect.forEach(byAttempt, tried, { concurrency: PUBLISH_CONCURRENCY }).pipe(
    Effect.map((all) => (all.every((isPublished) => isPublished) ? undefined : "transient"))
  )
}

/** Whose events filled the pages. */
const loudestOf = (streams: ReadonlyArray<LogStream>, { events }: Heard): LogStream | undefined => {
  const eventsOf = ({ reading }: LogStream) => events.get(reading.logStream)?.length ?? 0
  return streams.toSorted((one, other) => eventsOf(other) - eventsOf(one))[0]
}

/** What the answer says of a stream whose lines are published. */
const goOn = (
  stream: LogStream,
  pass: Pass,
  { missing, nextToken, unasked }: Heard,
  { isLoudest, now }: { readonly isLoudest: boolean; readonly now: number }
): void => {
  const { logStream } = stream.reading
  if (!unasked.has(logStream)) stream.exists = !missing.has(logStream)
  stream.hasMore = nextToken !== undefined && (stream.isAlone || isLoudest)
  stream.pass = stream.isAlone && nextToken !== undefined ? { ...pass, nextToken } : undefined
  if (isLoudest) stream.aloneUntil = now + ALONE_SECONDS * 1000
}

/** No log stream yet is normal; anything else is told, and the next look reads on from the same place. */
const missed = (
  desk: Desk,
  streams: ReadonlyArray<LogStream>,
  failure: AwsFailure
): Effect.Effect<RetryClass | undefined> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const isMissing = failure.code === "LogStreamNotFound"
    const logGroup = streams[0]?.group
    if (!isMissing) yield* Effect.logWarning("logs could not be read", { logGroup, why: failure.message })
    const nothing = { startedAt: now, isDeep: false, isCut: false, reached: undefined }
    const heardNothing = ([attempt, own]: readonly [Attempt, ReadonlyArray<LogStream>]) => {
      if (!isMissing) notHeard(attempt, own, failure, now)
      const brought = own.map((stream) => ({ stream, taken: take(stream.reading, [], nothing), isHeard: isMissing }))
      return Effect.ignore(carryOn(desk, attempt, brought))
    }
    const byAttempt = Map.groupBy(streams, ({ attempt }) => attempt)
    yield* Effect.forEach(byAttempt, heardNothing, { concurrency: PUBLISH_CONCURRENCY, discard: true })
    return isMissing ? undefined : failure.retry
  })

/** While AWS throttles or rejects the credentials, the time for draining does not run. */
const notHeard = (attempt: Attempt, streams: ReadonlyArray<LogStream>, failure: AwsFailure, now: number): void => {
  attempt.unreadable = failure.message
  for (const stream of streams) stream.pass = undefined
  if (failure.retry === "throttle" || failure.retry === "credentials") notRead(streams, now)
}

const notRead = (streams: ReadonlyArray<LogStream>, now: number): void => {
  for (const { attempt } of streams) attempt.behindUntil = now
}
