import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import { Worker } from "node:worker_threads"
import { type SeedResult, simulate } from "./simulate.ts"
import type { Share } from "./worker.ts"

/**
 * `npm run simulate -- --seeds N --seed S`: lives through N seeds from S on; ends with 1 if one of them went wrong, with
 * `--until-failure` as soon as one did.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    story: { type: "boolean", default: false },
    "until-failure": { type: "boolean", default: false },
    workers: { type: "string", default: String(availableParallelism()) }
  }
})

const whole = (name: "seeds" | "seed" | "workers", minimum: number): number => {
  const value = Number(values[name])
  if (Number.isSafeInteger(value) && value >= minimum) return value
  process.stderr.write(`--${name} must be a whole number from ${minimum}, got "${values[name]}"\n`)
  process.exit(2)
}

const SHOWN_MAX = 20
const PROGRESS_EVERY = 500

interface Tally {
  done: number
  readonly failed: Array<number>
  readonly outcomes: Map<string, number>
  hours: number
}

const take = (
  tally: Tally,
  seeds: number,
  { seed, violations, outcomes, seconds }: Omit<SeedResult, "story">
): void => {
  tally.done++
  tally.hours += seconds / 3600
  for (const outcome of outcomes) tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1)
  if (violations.length > 0) {
    tally.failed.push(seed)
    if (tally.failed.length <= SHOWN_MAX) {
      process.stdout.write(`✗ seed ${seed}: ${violations.join("; ").slice(0, 500)}\n`)
      process.stdout.write(`  again, with its story: npm run simulate -- --seeds 1 --seed ${seed} --story\n`)
    }
  }
  if (tally.done % PROGRESS_EVERY === 0) process.stdout.write(`${tally.done} of ${seeds} seeds\n`)
}

const share = (given: Share, took: (result: Omit<SeedResult, "story">) => void, stop: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: given })
    stop.addEventListener("abort", () => void worker.terminate(), { once: true })
    worker.on("message", took)
    worker.once("error", reject)
    worker.once("exit", () => resolve())
  })

const run = async (first: number, seeds: number, workers: number): Promise<Tally> => {
  const tally: Tally = { done: 0, failed: [], outcomes: new Map(), hours: 0 }
  const shares = Array.from(
    { length: Math.min(workers, seeds) },
    (_, index): Share => ({
      first: first + index,
      last: first + seeds - 1,
      step: Math.min(workers, seeds)
    })
  )
  const enough = new AbortController()
  const took = (result: Omit<SeedResult, "story">) => {
    if (enough.signal.aborted) return
    take(tally, seeds, result)
    if (values["until-failure"] && result.violations.length > 0) enough.abort()
  }
  await Promise.all(shares.map((given) => share(given, took, enough.signal)))
  return tally
}

const [first, seeds, workers] = [whole("seed", 0), whole("seeds", 1), whole("workers", 1)]
if (values.story) {
  const { story, violations } = simulate(first)
  process.stdout.write(`${[...story, ...violations.map((each) => `✗ ${each}`)].join("\n")}\n`)
  process.exitCode = violations.length > 0 ? 1 : 0
} else {
  const begun = performance.now()
  const { done, failed, outcomes, hours } = await run(first, seeds, workers)
  const runs = [...outcomes.values()].reduce((sum, each) => sum + each, 0)
  const kinds = [...outcomes].toSorted(([, a], [, b]) => b - a).map(([outcome, count]) => `${count} ${outcome}`)
  process.stdout.write(`${runs} runs: ${kinds.join(", ")}; ${Math.round(hours)} hours of the fleet's time\n`)
  const seconds = Math.round((performance.now() - begun) / 1000)
  process.stdout.write(
    `${done} seeds from ${first} on, ${done - failed.length} passed, ${failed.length} failed, ${seconds} s\n`
  )
  process.exitCode = failed.length > 0 || done < seeds ? 1 : 0
}
