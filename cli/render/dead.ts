import { Result } from "effect"
import type { DeadLetter } from "#bus/DeadLetter.ts"
import { text } from "#bus/Message.ts"
import { parseJson } from "#ecs-core/Codec.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { mask } from "#ecs-core/Mask.ts"
import { parseSubject } from "#ecs-core/Subjects.ts"
import type { Style } from "./style.ts"
import { table } from "./table.ts"
import { count, printable } from "./text.ts"
import { age } from "./time.ts"

/** A dead letter, and the subject on which it lies. */
export interface DeadEntry {
  readonly subject: string
  readonly letter: DeadLetter
}

export const NOTHING_DEAD = "No dead letters: every message could be handled.\n"

export const noLetterText = (seq: number): string => `There is no dead letter ${seq}. List them with: fleet dead ls`

/** Characters of a reason in the table; `show` has all of it. */
const REASON_MAX = 80

export const deadTable = (entries: ReadonlyArray<DeadEntry>, nowMillis: number): string =>
  table(
    ["LETTER", "AGE", "SERVICE", "RUN", "SUBJECT", "REASON"],
    entries.map((entry) => {
      const { letter } = entry
      const { runId, service } = whose(entry)
      const reason = printable(letter.reason)
      return [
        String(letter.seq),
        age(instantOf(letter.time), nowMillis),
        service,
        runId,
        printable(letter.subject),
        reason.length > REASON_MAX ? `${reason.slice(0, REASON_MAX - 1)}…` : reason
      ]
    })
  )

const whose = ({ subject }: DeadEntry): { readonly service: string; readonly runId: string } => {
  const parsed = parseSubject(subject)
  return parsed?.kind === "dead" ? parsed : { service: "-", runId: "-" }
}

/** One letter for people. */
export const letterText = (style: Style, entry: DeadEntry, isRaw: boolean): string => {
  const { letter } = entry
  const { runId, service } = whose(entry)
  const rows = [
    ["Letter", String(letter.seq)],
    ["Service", service],
    ["Run", runId],
    ["Reason", printable(letter.reason)],
    ["Since", instantOf(letter.time)],
    [
      "Original",
      `${printable(letter.subject)}, ${letter.stream} ${letter.sequence}, delivered ${count(letter.deliveries, "time")}`
    ],
    ...Object.entries(letter.headers).map(([name, value]) => ["Header", `${printable(name)}: ${printable(value)}`])
  ]
  const head = rows.map(([name = "", value = ""]) => `${style.bold(name.padEnd(8))}  ${value}\n`).join("")
  return `${head}\n${bodyText(letter, isRaw)}\n`
}

const bodyText = ({ data }: DeadLetter, isRaw: boolean): string => {
  if (isRaw) return text({ data })
  const body = bodyOf(data)
  return body === undefined ? NO_JSON : JSON.stringify(body, undefined, 2)
}

/** What cannot be read cannot be masked either. */
const NO_JSON = "The body is not valid JSON. It may hold secrets; show it as it came with: --raw"

const bodyOf = (data: Uint8Array): unknown => Result.getOrUndefined(Result.map(parseJson(text({ data })), mask))

/** One letter for programs. */
export const deadJson = (entry: DeadEntry, isRaw = false): Readonly<Record<string, unknown>> => {
  const { data, isBare: _isBare, seq, time, ...letter } = entry.letter
  return {
    letter: seq,
    ...whose(entry),
    at: instantOf(time),
    ...letter,
    ...(isRaw ? { data: text({ data }) } : { body: bodyOf(data) })
  }
}
