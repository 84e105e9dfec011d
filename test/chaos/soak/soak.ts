import { Clock, Effect, Schedule } from "effect"
import { obtainNatsServer } from "#bus/server/NatsBinary.ts"
import { type Fleet, startFleet, trialFolder } from "#test/chaos/Fleet.ts"
import type { Judgement } from "#test/chaos/judge.ts"
import { type Ledger, makeLedger, overCount } from "#test/chaos/Ledger.ts"
import { showBacklog } from "#test/chaos/Operator.ts"
import type { SoakOptions } from "#test/chaos/options.ts"
import { soakProgram } from "#test/chaos/programs.ts"
import { serverPid } from "#test/chaos/Surroundings.ts"
import { growthAllowed, growthOf, residentBytes, type Sample } from "#test/chaos/soak/memory.ts"
import { judgeAll, runAll, type Workload, workload } from "#test/chaos/trial.ts"

/**
 * local-aws is a test double that keeps an account of everything: its memory is shown, and not judged. Nor is that of
 * nats-server, which indexes every subject that it stores.
 */
const settings = {
  LOCAL_AWS_RUNTIME: "simulated",
  LOCAL_AWS_STOPPED_TASK_TTL_SECONDS: "300",
  LOG_LEVEL: "warn"
}

/** As in a small container: what may be collected is collected, rather than kept because there is room. */
const serviceSettings = { NODE_OPTIONS: "--max-old-space-size=256" }

/** The memory of a process that has just started says nothing; of a short trial, the first third is left out. */
const warmUpSeconds = ({ minutes }: SoakOptions): number => Math.min(300, minutes * 20)

const sampleSeconds = 10
const say = (line: string) => Effect.sync(() => console.log(line))

/** Samples by process, and whether its memory has to be flat. */
type Samples = Map<string, { readonly isJudged: boolean; readonly samples: Array<Sample> }>

/** True: every promise was kept, memory is flat, and nothing is left over. The last line that it prints is a summary. */
export const soak = (options: SoakOptions) =>
  Effect.gen(function* () {
    const binary = yield* obtainNatsServer()
    let isPassed = false
    const folder = yield* trialFolder(() => !isPassed)
    const { fleet, context } = yield* startFleet(folder, { binary, servers: 1, settings, serviceSettings })
    isPassed = yield* Effect.provideContext(trial(fleet, options), context)
    return isPassed
  }).pipe(Effect.scoped)

const trial = (fleet: Fleet, options: SoakOptions) =>
  Effect.gen(function* () {
    const runs = Math.round(options.minutes * 60 * options.perSecond)
    const load: Workload = {
      programs: workload(runs, soakProgram),
      atOnce: runs,
      perSecond: options.perSecond,
      stallSeconds: 180
    }
    const ledger = makeLedger()
    const samples: Samples = new Map()
    const startedAt = yield* Clock.currentTimeMillis
    const elapsed = Effect.map(Clock.currentTimeMillis, (now) => (now - startedAt) / 1000)
    yield* say(`${runs} runs, ${options.perSecond} a second; logs in ${fleet.folder}`)
    const sampling = Effect.repeat(sample(fleet, samples, elapsed), Schedule.fixed(`${sampleSeconds} seconds`))
    const telling = Effect.repeat(tell(fleet, ledger, samples, elapsed), Schedule.fixed("1 minute"))
    const watching = Effect.all([sampling, telling], { concurrency: 2, discard: true })
    yield* Effect.raceFirst(runAll(ledger, load), Effect.andThen(watching, Effect.never))
    yield* sample(fleet, samples, elapsed)
    const judgement = yield* judgeAll(fleet, ledger, load)
    return yield* report(fleet, judgement, samples, options, yield* elapsed)
  })

const processesOf = (fleet: Fleet) =>
  Effect.map(
    Effect.forEach(fleet.replicas, ({ name, pid }) => Effect.map(pid, (pid) => ({ name, pid, isJudged: true }))),
    (services) => [
      ...services,
      { name: "nats-server", pid: serverPid(fleet.folder), isJudged: false },
      { name: "local-aws", pid: fleet.aws.pid, isJudged: false }
    ]
  )

const sample = (fleet: Fleet, samples: Samples, elapsed: Effect.Effect<number>) =>
  Effect.gen(function* () {
    const processes = yield* processesOf(fleet)
    const resident = yield* residentBytes(processes.flatMap(({ pid }) => pid ?? []))
    const atSeconds = yield* elapsed
    for (const { name, pid, isJudged } of processes) {
      const bytes = resident.get(pid ?? 0)
      if (bytes === undefined) continue
      const known = samples.get(name) ?? { isJudged, samples: [] }
      known.samples.push({ atSeconds, bytes })
      samples.set(name, known)
    }
  })

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)}`

const tell = (fleet: Fleet, ledger: Ledger, samples: Samples, elapsed: Effect.Effect<number>) =>
  Effect.gen(function* () {
    const backlog = showBacklog(yield* fleet.operator.backlog)
    const memory = [...samples].map(([name, { samples }]) => `${name} ${megabytes(samples.at(-1)?.bytes ?? 0)}`)
    const minutes = Math.round((yield* elapsed) / 60)
    yield* say(`${minutes} min: ${overCount(ledger)} runs over; MB: ${memory.join(", ")}; in hand: ${backlog}`)
  })

const shownViolations = 10

const report = (
  fleet: Fleet,
  { finished, tasks, linesLost, linesDoubled, violations }: Judgement,
  samples: Samples,
  options: SoakOptions,
  seconds: number
) =>
  Effect.gen(function* () {
    const rows = [...samples].map(([name, { isJudged, samples }]) => ({
      name,
      isJudged,
      ...growthOf(samples, warmUpSeconds(options))
    }))
    yield* say(`process        most MB after ${Math.round(warmUpSeconds(options))} s   and at the end   growth`)
    for (const row of rows) yield* say(rowOf(row))
    const grown = rows.filter(({ isFlat, isJudged }) => isJudged && !isFlat)
    const limit = `${growthAllowed.share * 100} % and ${megabytes(growthAllowed.bytes)} MB`
    const problems = [...violations, ...grown.map(({ name }) => `${name}: memory grew by more than ${limit}`)]
    for (const problem of problems.slice(0, shownViolations)) yield* say(`  ${problem}`)
    if (problems.length > 0) yield* say(`${problems.length} promises broken; logs: ${fleet.folder}`)
    yield* say(
      `${finished} runs finished, ${tasks} tasks, ${linesLost} lines lost, ${linesDoubled} lines doubled, ` +
        `memory of ${rows.length - grown.length} of ${rows.length} processes flat, ${Math.round(seconds)} s`
    )
    return problems.length === 0
  })

interface Row {
  readonly name: string
  readonly isJudged: boolean
  readonly warmBytes: number
  readonly endBytes: number
}

const rowOf = ({ name, isJudged, warmBytes, endBytes }: Row): string =>
  [
    name.padEnd(16),
    megabytes(warmBytes).padStart(12),
    megabytes(endBytes).padStart(15),
    megabytes(endBytes - warmBytes).padStart(8),
    isJudged ? "" : "  (shown only)"
  ].join(" ")
