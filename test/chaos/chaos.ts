import { Clock, Effect, Option, Schedule } from "effect"
import type { Fault } from "#aws/model/Fault.ts"
import { newestNatsServer, obtainNatsServer } from "#bus/server/NatsBinary.ts"
import { type Fleet, quickTakeOver, startFleet, trialFolder } from "#test/chaos/Fleet.ts"
import type { Judgement } from "#test/chaos/judge.ts"
import type { PoolsJudgement } from "#test/chaos/judgeLimited.ts"
import { type Kills, killLeaders, killServices, makeKills } from "#test/chaos/kills.ts"
import { type Ledger, makeLedger, overCount } from "#test/chaos/Ledger.ts"
import {
  createPools,
  judgeLimited,
  NARROW,
  type OtherTimes,
  otherPrograms,
  requestOthers
} from "#test/chaos/limited.ts"
import type { ChaosOptions } from "#test/chaos/options.ts"
import { chaosProgram, loudProgram, type Program } from "#test/chaos/programs.ts"
import { readyLives } from "#test/chaos/Replicas.ts"
import { judgeAll, runAll, type Workload, workload } from "#test/chaos/trial.ts"
import { calls, inject } from "#test/support/LocalAws.ts"

/** What local-aws does to every kind of call. */
const weather: ReadonlyArray<Fault> = [
  { action: "*", probability: 0.05, reset: "after" },
  { action: "*", probability: 0.05, error: { name: "ThrottlingException", message: "Rate exceeded" } },
  { action: "*", probability: 0.02, error: { name: "ServerException", message: "Service unavailable", status: 500 } }
]

const say = (line: string) => Effect.sync(() => console.log(line))

/** True: every promise was kept. The last line that it prints is a summary. */
export const chaos = (options: ChaosOptions) =>
  Effect.gen(function* () {
    const binary = yield* binaryFor(options)
    if (binary === undefined) return true
    let isPassed = false
    const folder = yield* trialFolder(() => !isPassed)
    const settings = { ...quickTakeOver, FLEET_AWS_MAX_ATTEMPTS: "1", LOCAL_AWS_FAULT_SEED: String(options.seed) }
    const { fleet, context } = yield* startFleet(folder, { binary, servers: options.isClustered ? 3 : 1, settings })
    isPassed = yield* Effect.provideContext(storm(fleet, options, binary.version), context)
    return isPassed
  }).pipe(Effect.scoped)

/** A cluster needs a server that keeps its promises; where none can be had, that is said, and nothing fails. */
const binaryFor = ({ isClustered, runs }: ChaosOptions) =>
  Effect.gen(function* () {
    if (!isClustered) return yield* obtainNatsServer()
    const { binary, reason } = yield* newestNatsServer()
    if (Option.isNone(binary)) yield* say(`${runs} runs skipped: needs a nats-server for a cluster (${reason})`)
    return Option.getOrUndefined(binary)
  })

const programOf =
  ({ lines }: ChaosOptions) =>
  (runId: string, at: number): Program =>
    lines === undefined ? chaosProgram(runId, at) : loudProgram(runId, lines)

const storm = (fleet: Fleet, options: ChaosOptions, version: string) =>
  Effect.gen(function* () {
    const startedAt = yield* Clock.currentTimeMillis
    const ledger = makeLedger()
    const kills = makeKills()
    const load: Workload = {
      programs: workload(options.runs, programOf(options)),
      atOnce: options.atOnce,
      perSecond: 50,
      stallSeconds: options.stallSeconds,
      ...(options.limited === undefined ? {} : { pool: NARROW, others: otherPrograms })
    }
    const times: OtherTimes = new Map()
    if (options.limited !== undefined) yield* createPools(options.limited)
    yield* say(`${options.runs} runs on ${fleet.servers.length} nats-server ${version}; logs in ${fleet.folder}`)
    yield* Effect.forEach(weather, inject, { discard: true })
    const elapsed = Effect.map(Clock.currentTimeMillis, (now) => Math.round((now - startedAt) / 1000))
    const troubles = [
      killServices(fleet.replicas, options, kills),
      options.limited === undefined ? Effect.void : requestOthers(ledger, load, kills, weather, times),
      options.isClustered ? killLeaders(fleet, ledger, options.runs, kills) : Effect.void,
      progress(ledger, options.runs + (load.others?.size ?? 0), kills, elapsed)
    ]
    const storm = Effect.andThen(Effect.all(troubles, { concurrency: "unbounded", discard: true }), Effect.never)
    yield* Effect.raceFirst(runAll(ledger, load), storm)
    const judgement = yield* judgeAll(fleet, ledger, load)
    const pools = options.limited === undefined ? undefined : yield* judgeLimited(options.limited, load, times)
    if (pools !== undefined) yield* say(poolsLine(pools))
    const violations = [...judgement.violations, ...(pools?.violations ?? [])]
    return yield* report(fleet, { ...judgement, violations }, kills, yield* elapsed)
  })

const poolsLine = ({ most, otherMillis, places: [half, nearly, all] }: PoolsJudgement): string =>
  `at most ${most} tasks of the limited pool at a time; half of its runs started within ${half} places of their turn, 95 % within ${nearly}, all within ${all}; another pool's runs had their task within ${otherMillis} ms`

const progressSeconds = 5

const progress = (ledger: Ledger, runs: number, kills: Kills, elapsed: Effect.Effect<number>) =>
  Effect.repeat(
    Effect.flatMap(elapsed, (seconds) =>
      say(
        `${seconds} s: ${overCount(ledger)} of ${runs} runs over, ${kills.services} kills, ${kills.leaders} of leaders`
      )
    ),
    Schedule.spaced(`${progressSeconds} seconds`)
  )

const shownViolations = 10

const report = (fleet: Fleet, judgement: Judgement, kills: Kills, seconds: number) =>
  Effect.gen(function* () {
    const { finished, tasks, linesLost, linesDoubled, violations } = judgement
    const { calls: made, refused } = yield* calls
    const lives = fleet.replicas.map(readyLives)
    const total = (counts: Iterable<number>) => [...counts].reduce((sum, count) => sum + count, 0)
    yield* say(
      `services got to work ${total(lives)} times; ${total(Object.values(made))} calls to AWS, ${total(Object.values(refused))} refused`
    )
    for (const violation of violations.slice(0, shownViolations)) yield* say(`  ${violation}`)
    if (violations.length > 0) yield* say(`${violations.length} promises broken; logs: ${fleet.folder}`)
    const leaders = kills.leaders === 0 ? "" : `, ${kills.leaders} kills of leaders`
    yield* say(
      `${finished} runs finished, ${tasks} tasks, ${linesLost} lines lost, ${linesDoubled} lines doubled, ${kills.services} kills${leaders}, ${seconds} s`
    )
    return violations.length === 0
  })
