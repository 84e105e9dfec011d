/** What a run does, and so what must come of it. */
export interface Program {
  readonly command: ReadonlyArray<string>
  readonly lines: ReadonlyArray<string>
  readonly exitCode: number
}

const numbered = (prefix: string, count: number, suffix = ""): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, at) => `${prefix}${at + 1}${suffix}`)

/** Lines that name their run, so that those of another one would be seen. */
const shell = (runId: string, lines: number, pauseSeconds: number, exitCode: number): Program => {
  const pause = pauseSeconds === 0 ? "" : `sleep ${pauseSeconds};`
  const loop = `i=1; while [ $i -le ${lines} ]; do echo "$FLEET_RUN_ID line $i"; i=$((i+1)); ${pause} done; exit ${exitCode}`
  return { command: ["sh", "-c", loop], lines: numbered(`${runId} line `, lines), exitCode }
}

export const simulated = (seconds: number, linesPerSecond: number, exitCode: number): Program => {
  const lines = Math.floor(seconds * linesPerSecond)
  const options = { seconds, "exit-code": exitCode, "lines-per-second": linesPerSecond }
  const command = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  return { command: ["simulate", ...command], lines: numbered("line ", lines, ` of ${lines}`), exitCode }
}

/** A mix of programs that end at once, that take a few seconds, that fail, and that write more than one batch. */
export const chaosProgram = (runId: string, at: number): Program => {
  switch (at % 5) {
    case 0:
      return shell(runId, 5, 0, 0)
    case 1:
      return shell(runId, 10, 0.2, 0)
    case 2:
      return shell(runId, 3, 0, 3)
    case 3:
      return simulated(2, 10, 0)
    default:
      return simulated(1, 150, 7)
  }
}

const LINES_PER_BURST = 500

/** A program that writes very much: bursts of 500 lines as fast as a shell can, a second apart. */
export const loudProgram = (runId: string, lines: number): Program => {
  const pause = `[ $((i % ${LINES_PER_BURST})) -eq 0 ] && sleep 1;`
  const loop = `i=1; while [ $i -le ${lines} ]; do echo "$FLEET_RUN_ID line $i"; ${pause} i=$((i+1)); done; exit 0`
  return { command: ["sh", "-c", loop], lines: numbered(`${runId} line `, lines), exitCode: 0 }
}

/** One second to one minute, spread evenly, with a line every five seconds. */
export const soakProgram = (_runId: string, at: number): Program => simulated(1 + ((at * 37) % 60), 0.2, 0)

/** The request that a producer publishes for it. */
export const requestFor = ({ command }: Program, pool?: string) => ({
  ...(pool === undefined ? {} : { pool }),
  image: "local/shell",
  executionRoleArn: "arn:aws:iam::000000000000:role/execution",
  command
})
