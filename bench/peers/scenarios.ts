import { Clock, Effect, Schedule } from "effect"
import type { Figure, Options } from "#bench/Benchmark.ts"
import { figure, quantile } from "#bench/figures.ts"
import { keyed } from "#bench/keys.ts"
import { calls, callsWithin } from "#test/support/LocalAws.ts"
import type { RunningPeer, Timing } from "./Peer.ts"
import { atOnceOf, longSeconds, oneByOne } from "./programs.ts"

export type Figures = Readonly<Record<string, Figure>>

const PATIENCE_SECONDS = 240

/** Asks until so many runs satisfy the fact, or have failed; false: they did not in time. */
const until = (peer: RunningPeer, count: number, fact: (timing: Timing) => boolean) =>
  peer.timings.pipe(
    Effect.map((timings) => timings.filter((timing) => fact(timing) || timing.isFailed).length >= count),
    Effect.repeat({ until: (isDone) => isDone, schedule: Schedule.spaced("250 millis") }),
    Effect.timeoutOrElse({ duration: `${PATIENCE_SECONDS} seconds`, orElse: () => Effect.succeed(false) })
  )

const isLaunched = ({ arrivedAt }: Timing): boolean => arrivedAt !== undefined
const isOver = ({ endedAt, noticedAt }: Timing): boolean => endedAt !== undefined && noticedAt !== undefined

type Span = (timing: Timing) => number | undefined

const between =
  (from: keyof Timing, to: keyof Timing): Span =>
  (timing) => {
    const [begun, done] = [timing[from], timing[to]]
    return typeof begun === "number" && typeof done === "number" ? done - begun : undefined
  }

/** What is measured of each run; the times of local-aws are whole milliseconds. */
const spans: Readonly<Record<string, Span>> = {
  handIn: between("handedInAt", "arrivedAt"),
  submit: between("submittedAt", "arrivedAt"),
  notice: between("endedAt", "noticedAt")
}

const PARTS = 3

/** Thirds of the runs, in their order, as repetitions. */
const thirds = (timings: ReadonlyArray<Timing>): ReadonlyArray<ReadonlyArray<Timing>> =>
  Array.from({ length: PARTS }, (_, at) =>
    timings.slice(Math.floor((at * timings.length) / PARTS), Math.floor(((at + 1) * timings.length) / PARTS))
  )

const spanFigures = (timings: ReadonlyArray<Timing>): Figures =>
  Object.assign(
    {},
    ...Object.entries(spans).map(([name, span]) => {
      const of = (part: ReadonlyArray<Timing>) => part.flatMap((timing) => span(timing) ?? [])
      if (of(timings).length === 0) return {}
      const each = thirds(timings).map(of)
      return {
        [`${name}.p50`]: figure(
          "ms",
          each.map((values) => quantile(values, 0.5))
        ),
        [`${name}.max`]: figure(
          "ms",
          each.map((values) => Math.max(...values))
        )
      }
    })
  )

/** Runs that nobody measures: a process that has just started is not what works all day. */
export const warmUp = Effect.fnUntraced(function* (peer: RunningPeer, runs: number) {
  yield* peer.order(atOnceOf(runs))
  yield* until(peer, runs, isOver)
})

/** Runs one by one: how long everything takes, and the calls it costs. */
export const onePerSecond = Effect.fnUntraced(function* (peer: RunningPeer, runs: number, { say }: Options) {
  const before = (yield* peer.timings).length
  const from = yield* Clock.currentTimeMillis
  yield* peer.order(oneByOne(runs))
  const isWhole = yield* until(peer, before + runs, isOver)
  const to = yield* Clock.currentTimeMillis
  const timings = (yield* peer.timings).slice(before)
  if (!isWhole) yield* say(`  ${timings.filter(isOver).length} of ${runs} runs were over in time`)
  const { calls: made } = yield* callsWithin(from, to)
  const perRun = Object.entries(made).map(([action, count]) => [action, figure("calls/run", [count / runs])] as const)
  const all = Object.values(made).reduce((sum, count) => sum + count, 0)
  return {
    ...spanFigures(timings),
    ...keyed("calls", { ...Object.fromEntries(perRun), all: figure("calls/run", [all / runs]) }),
    lost: figure("runs", [runs - timings.filter(isOver).length])
  } satisfies Figures
})

/** So many long tasks more than there are, all of them running: memory, some seconds later. */
export const inFlight = Effect.fnUntraced(function* (peer: RunningPeer, more: number, { say }: Options) {
  const before = (yield* peer.timings).length
  const from = yield* Clock.currentTimeMillis
  yield* peer.order(atOnceOf(more, longSeconds))
  const isWhole = yield* until(peer, before + more, isLaunched)
  const launched = (yield* peer.timings).filter(isLaunched).length - before
  if (!isWhole) yield* say(`  ${launched} of ${more} long runs were launched in time`)
  const seconds = ((yield* Clock.currentTimeMillis) - from) / 1000
  yield* Effect.sleep(5000)
  const { all, worker } = yield* peer.memory
  return { isWhole, worker: figure("MB", [worker]), all: figure("MB", [all]), seconds: figure("s", [seconds]) }
})

/** Many at once where AWS throttles: how long until the last one is launched, how many never are, and what was refused. */
export const atOnce = Effect.fnUntraced(function* (peer: RunningPeer, runs: number) {
  yield* peer.order(atOnceOf(runs))
  yield* until(peer, runs, isLaunched)
  const timings = yield* peer.timings
  const first = Math.min(...timings.map(({ handedInAt }) => handedInAt))
  const arrived = timings.flatMap(({ arrivedAt }) => arrivedAt ?? [])
  const { refused } = yield* calls
  return {
    seconds: figure("s", [(Math.max(first, ...arrived) - first) / 1000]),
    notLaunched: figure("runs", [runs - arrived.length]),
    refused: figure("calls", [Object.values(refused).reduce((sum, count) => sum + count, 0)])
  } satisfies Figures
})
