import type { Dice } from "./Dice.ts"

/** What happens to one run from outside: who asks for what, and when. Seconds from the beginning. */
export interface RunStory {
  readonly runId: string
  readonly request: Readonly<Record<string, unknown>>
  readonly program: { readonly seconds: number; readonly exitCode: number; readonly linesPerSecond: number }
  /** Its output can be read. */
  readonly logs: boolean
  readonly requestedAt: ReadonlyArray<number>
  readonly cancelledAt: ReadonlyArray<number>
}

/** What the program prints if it is left to its end. */
export const linesOf = ({ program }: RunStory): ReadonlyArray<string> => {
  const count = Math.floor(program.seconds * program.linesPerSecond)
  return Array.from({ length: count }, (_, index) => `line ${index + 1} of ${count}`)
}

/** `limitedPool`: most runs belong to it, and there are more of them. */
export const storiesOf = (dice: Dice, limitedPool?: string): ReadonlyArray<RunStory> =>
  Array.from({ length: limitedPool === undefined ? dice.whole(1, 4) : dice.whole(3, 7) }, (_, index) =>
    storyOf(dice, `r${index + 1}`, limitedPool !== undefined && dice.chance(0.8) ? limitedPool : undefined)
  )

const storyOf = (dice: Dice, runId: string, pool: string | undefined): RunStory => {
  const seconds = dice.spread(0.1, 600)
  const exitCode = dice.chance(0.6) ? 0 : dice.whole(1, 255)
  const linesPerSecond = dice.chance(0.5) ? 0 : Math.min(20 / seconds, 10)
  const logs = dice.chance(0.7)
  const asked = dice.spread(0.1, 60)
  const request = {
    runId,
    ...(pool === undefined ? {} : { pool }),
    image: "program",
    command: [
      "simulate",
      "--seconds",
      String(seconds),
      "--exit-code",
      String(exitCode),
      "--lines-per-second",
      String(linesPerSecond)
    ],
    ...(logs ? { executionRoleArn: "arn:aws:iam::000000000000:role/logs" } : {}),
    ...(dice.chance(0.2) ? { launchType: "EC2" } : {}),
    ...(dice.chance(0.2) ? { autoDeregisterTaskDefinition: true } : {}),
    ...(dice.chance(0.4) ? { retry: retryOf(dice) } : {}),
    taskStartTimeoutSeconds: dice.whole(30, 600),
    launchTimeoutSeconds: Math.round(dice.spread(60, 20_000)),
    ...(dice.chance(0.3) ? { runTimeoutSeconds: Math.round(dice.spread(10, 600)) } : {})
  }
  const { requestedAt, cancelledAt } = actsOf(dice, asked)
  return { runId, request, program: { seconds, exitCode, linesPerSecond }, logs, requestedAt, cancelledAt }
}

const retryOf = (dice: Dice) => {
  const backoffSeconds = Math.round(dice.spread(1, 100))
  return {
    attempts: dice.whole(0, 3),
    platformAttempts: dice.whole(0, 3),
    backoffSeconds,
    maxBackoffSeconds: backoffSeconds * dice.whole(1, 5),
    ...(dice.chance(0.3) ? { rerunUnknown: true } : {}),
    ...(dice.chance(0.3) ? { onOutcomes: ["failed", "crashed", "timed_out"] } : {})
  }
}

/** Some ask twice, some cancel, now and then before they ask. */
const actsOf = (dice: Dice, asked: number): Pick<RunStory, "requestedAt" | "cancelledAt"> => {
  const again = dice.chance(0.2) ? [asked + dice.spread(0.1, 300)] : []
  if (!dice.chance(0.4)) return { requestedAt: [asked, ...again], cancelledAt: [] }
  const cancelled = Math.max(0.01, asked + dice.spread(0.1, 400) - 5)
  const oncemore = dice.chance(0.2) ? [asked + dice.spread(1, 500)] : []
  return { requestedAt: [asked, ...again], cancelledAt: [cancelled, ...oncemore] }
}
