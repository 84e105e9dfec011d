import { canonicalJson } from "./Digest.ts"
import { evolve, type RequestSeen, type RunMessage } from "./Evolve.ts"
import type { RunId } from "./Ids.ts"
import { type Instant, millisOf } from "./Instant.ts"
import type { RunFinished } from "./Messages.ts"
import { isFinal, isQueued, isTombstone, type Run, runFinished } from "./Run.ts"

/**
 * A record made again from the stored messages of its run. They stand in the stream in the order in which they were
 * published, which need not be that in which the dispatcher folded them: several handlers work on one run at a time. So
 * what had to follow from the record decides. An attempt proves that no cancel had been folded before it was ordered, and
 * `run.finished` says how the run ended: of the orders in which the messages can have been folded, the first that leads
 * there is taken. What none of them explains, since messages are gone, is as `run.finished` says, and the record is
 * `incomplete`.
 */

/** What is stored about one run. */
export interface History {
  readonly runId: RunId
  /** The first request with this id; undefined = it has left the inbox. */
  readonly request: RequestSeen | undefined
  /** All else, in the order of the stream. */
  readonly messages: ReadonlyArray<RunMessage>
}

type Told = ReadonlyArray<RunMessage>
type Finished = Extract<RunMessage, { readonly kind: "run.finished" }>

/** The record; undefined where there is nothing to make one from. */
export const rebuild = (history: History): Run | undefined => {
  const finished = history.messages.find((message): message is Finished => message.kind === "run.finished")?.message
  const facts = history.messages.filter(({ kind }) => kind !== "run.finished")
  const base = baseOf(history, facts, finished)
  const orders = ordersOf(base === undefined ? history.request : undefined, facts)
  const fold = (order: Told, step: typeof evolve) => order.reduce<Run | undefined>(step, base)
  if (finished === undefined) return flagged(orders[0] && fold(orders[0], evolve))
  const end: Finished = { kind: "run.finished", message: finished }
  const explained = orders.map((order) => fold([...order, end], evolve)).find((run) => endsSo(run, finished))
  const run = explained ?? (orders[0] && fold([...orders[0], end], unlessItEnds))
  const told = run === undefined ? undefined : asFinished(run, finished)
  return explained === undefined && told !== undefined ? { ...told, incomplete: true } : flagged(told)
}

/** What an incomplete history starts from; undefined = its own first message. */
const baseOf = ({ runId, request }: History, facts: Told, finished: RunFinished | undefined): Run | undefined => {
  const isOrdered = (attempt: number) =>
    facts.some((fact) => fact.kind === "taskdef.ready" && fact.message.attempt === attempt)
  const hasOrders = facts.every((fact) => isOrdered(attemptOf(fact) ?? 0) || attemptOf(fact) === undefined)
  if (request !== undefined) {
    const asked = hasOrders ? undefined : evolve(undefined, { kind: "run.requested", message: request })
    return asked === undefined ? undefined : { ...asked, incomplete: true }
  }
  const isWish = finished === undefined && facts.every(({ kind }) => kind === "run.cancel")
  return isWish ? undefined : withoutRequest(runId, facts, finished)
}

const withoutRequest = (runId: RunId, facts: Told, finished: RunFinished | undefined): Run => {
  const times = facts.flatMap((fact) => timeOf(fact) ?? []).toSorted((a, b) => millisOf(a) - millisOf(b))
  const at = finished?.requestedAt ?? times[0] ?? "1970-01-01T00:00:00.000Z"
  const nothing = { attempts: [], problems: [], notices: [], timeline: [] }
  return { runId, state: "defining", requestedAt: at, updatedAt: at, ...nothing, incomplete: true }
}

const timeOf = (event: RunMessage): Instant | undefined => {
  if ("at" in event) return event.at
  return "at" in event.message ? event.message.at : undefined
}

const attemptOf = (event: RunMessage): number | undefined =>
  "message" in event && "attempt" in event.message ? event.message.attempt : undefined

/** The orders in which the messages can have been folded, the likeliest first. */
const ordersOf = (request: RequestSeen | undefined, facts: Told): ReadonlyArray<Told> => {
  const asked: Told = request === undefined ? [] : [{ kind: "run.requested", message: request }]
  return [facts, ...rejectedLast(facts)].flatMap((told) => {
    const cancels = told.filter(isCancel)
    const rest = told.filter((fact) => !isCancel(fact))
    const last = Math.max(0, ...rest.map((fact) => attemptOf(fact) ?? 0))
    if (cancels.length === 0) return [[...asked, ...rest]]
    if (last === 0) return [byTime(request, told), [...asked, ...told], [...asked, ...rest, ...cancels]]
    const isLast = (fact: RunMessage) => attemptOf(fact) === last
    const ordered = rest.findIndex(isLast) + 1
    const early = [...rest.slice(0, ordered), ...cancels, ...rest.slice(ordered)]
    return [notBefore(told, told.findIndex(isLast)), early, [...rest, ...cancels]].map((order) => [...asked, ...order])
  })
}

const isCancel = ({ kind }: RunMessage): boolean => kind === "run.cancel"

/** The cancels that stand before this message follow it. */
const notBefore = (told: Told, index: number): Told => {
  const until = told.slice(0, index + 1)
  return [...until.filter((each) => !isCancel(each)), ...until.filter(isCancel), ...told.slice(index + 1)]
}

/** A cancel that was stored before its request waited for it as a tombstone. */
const byTime = (request: RequestSeen | undefined, told: Told): Told => {
  if (request === undefined) return told
  const isBefore = (event: RunMessage) => event.kind === "run.cancel" && millisOf(event.at) < millisOf(request.at)
  const asked: RunMessage = { kind: "run.requested", message: request }
  return [...told.filter(isBefore), asked, ...told.filter((each) => !isBefore(each))]
}

/** Of a rejection and a start of one attempt, the first to be folded was believed: the start may have been. */
const rejectedLast = (facts: Told): ReadonlyArray<Told> => {
  const starts = new Set(facts.filter(({ kind }) => kind === "task.started").map(attemptOf))
  const isLate = (fact: RunMessage) => fact.kind === "task.rejected" && starts.has(fact.message.attempt)
  const late = facts.filter(isLate)
  if (late.length === 0) return []
  const moved = facts.filter((fact) => !isLate(fact))
  return [
    moved.flatMap((fact) =>
      fact.kind === "task.started" ? [fact, ...late.filter((each) => attemptOf(each) === fact.message.attempt)] : [fact]
    )
  ]
}

const unlessItEnds = (run: Run | undefined, event: RunMessage): Run | undefined => {
  const next = evolve(run, event)
  return next !== undefined && isFinal(next) && event.kind !== "run.finished" ? run : next
}

const endsSo = (run: Run | undefined, finished: RunFinished): boolean => {
  const own = run === undefined ? undefined : runFinished(run)
  return own !== undefined && canonicalJson(endOf(own)) === canonicalJson(endOf(finished))
}

const endOf = ({ outcome, exitCode, phase, finishedAt }: RunFinished) => ({ outcome, exitCode, phase, finishedAt })

/** What earlier messages told may be in the last one only. */
const asFinished = (run: Run, finished: RunFinished): Run => ({
  ...run,
  problems: finished.errors ?? (finished.error === undefined ? [] : [finished.error]),
  ...(finished.startedAt === undefined ? {} : { startedAt: finished.startedAt }),
  ...(isWhole(run, finished) ? {} : { incomplete: true })
})

/** As many attempts as were ordered, of the request that was answered. */
const isWhole = (run: Run, { attempts, requestedAt }: RunFinished): boolean =>
  run.attempts.length === attempts && millisOf(run.requestedAt) === millisOf(requestedAt)

/** Attempts that are missing in between, or a run of which only the request is left, tell of messages that are gone. */
const flagged = (run: Run | undefined): Run | undefined => {
  if (run === undefined || isTombstone(run)) return run
  const isGapless = run.attempts.every(({ attempt }, index) => attempt === index + 1)
  const isBare = !isFinal(run) && !isQueued(run) && run.attempts.length === 0
  return isGapless && !isBare ? run : { ...run, incomplete: true }
}
