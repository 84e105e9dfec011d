import { type Instant, millisOf } from "#ecs-core/Instant.ts"
import type { AttemptRecord } from "#ecs-core/Run.ts"
import { phasesOf } from "./phases.ts"
import type { Style } from "./style.ts"
import { printable } from "./text.ts"
import { lengthOf } from "./time.ts"
import { startUpSentence, waterfallLines } from "./waterfall.ts"

const INDENT = "     "

/** One attempt: how it went, its ARNs and places, and its start-up as a waterfall `columns` wide. */
export const attemptLines = (
  style: Style,
  attempt: AttemptRecord,
  nowMillis: number,
  columns: number
): ReadonlyArray<string> => {
  const exitCode = attempt.exitCode === undefined ? "" : ` · exit code ${attempt.exitCode}`
  const state = attempt.outcome ?? attempt.lastStatus ?? "not launched yet"
  const facts = [...waitingFacts(attempt, nowMillis), ...endFacts(attempt), ...knownFacts(attempt)]
  const waterfall = waterfallOf(style, attempt, nowMillis, columns - INDENT.length)
  return [
    `  ${style.bold(String(attempt.attempt))}  ${state}${exitCode}`,
    ...facts.map(([name, value]) => `${INDENT}${name.padEnd(16)} ${printable(value)}`),
    ...(waterfall.length === 0 ? [] : ["", ...waterfall.map((line) => `${INDENT}${line}`)])
  ]
}

type Fact = readonly [name: string, value: string]

const waitingFacts = (attempt: AttemptRecord, nowMillis: number): ReadonlyArray<Fact> => {
  const { deferred } = attempt
  if (deferred === undefined || attempt.taskArn !== undefined || attempt.over === true) return []
  const next = `${timeOf(deferred.nextTryAt)}, ${untilText(deferred.nextTryAt, nowMillis)}`
  return [
    ["waiting", deferred.problem.message],
    ["next try", `number ${deferred.try + 1} at ${next}`]
  ]
}

/** Of an attempt after which the run goes on with another one; that of the last attempt is the run's own. */
const endFacts = ({ problem }: AttemptRecord): ReadonlyArray<Fact> =>
  problem === undefined ? [] : [["ended with", problem.message]]

const untilText = (instant: Instant, nowMillis: number): string => {
  const millis = millisOf(instant) - nowMillis
  return millis > 0 ? `in ${lengthOf(millis)}` : "which is due"
}

const timeOf = (instant: Instant): string => `${instant.slice(11, 19)} UTC`

const knownFacts = (attempt: AttemptRecord): ReadonlyArray<Fact> => {
  const taskId = attempt.taskArn?.split("/").at(-1) ?? "…"
  const known: ReadonlyArray<readonly [string, string | undefined]> = [
    ["task", attempt.taskArn],
    ["task definition", `${attempt.taskDefinitionArn}${sourceOf(attempt)}`],
    ["container", attempt.containerName],
    ["cluster", attempt.clusterArn],
    ["region", attempt.clusterArn === undefined ? attempt.target.region : undefined],
    ...(attempt.logs ?? []).map(
      ({ container, logGroup, logStreamPrefix, region }): Fact => [
        "log stream",
        `${logGroup} ${logStreamPrefix}/${container}/${taskId} (${region})`
      ]
    )
  ]
  return known.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
}

const sourceWords: Readonly<Record<NonNullable<AttemptRecord["definition"]>, string>> = {
  registered: " (registered for it)",
  reused: " (an equal one that was there)",
  linked: " (linked, used as it is)"
}

const sourceOf = ({ definition }: AttemptRecord): string => (definition === undefined ? "" : sourceWords[definition])

const waterfallOf = (
  style: Style,
  attempt: AttemptRecord,
  nowMillis: number,
  columns: number
): ReadonlyArray<string> => {
  const phases = phasesOf(attempt.times ?? {}, attempt.over === true, nowMillis)
  const sentence = startUpSentence(phases)
  return [...waterfallLines(style, phases, columns), ...(sentence === undefined ? [] : [style.dim(sentence)])]
}
