import type { Task } from "@aws-sdk/client-ecs"
import { Result } from "effect"
import { text } from "#bus/Message.ts"
import type { WirePublish } from "#bus/wire/Wire.ts"
import { isEnd, LogCodecs, type LogLine } from "#ecs-core/LogLine.ts"
import { type Run, RunCodec } from "#ecs-core/Run.ts"
import { isOutcome, type RunState, transitions } from "#ecs-core/RunState.ts"
import { BucketNames, parseSubject } from "#ecs-core/Subjects.ts"

const recordKey = new RegExp(`^\\$KV\\.${BucketNames.runs}\\.(.+)$`)

/** What became of one run's log, as far as it was published. */
export interface SeenLog {
  readonly lines: Array<LogLine & { readonly attempt: number }>
  ends: number
  complete: boolean
}

/** A launch may be on its way for so long when its end is wished: latencies, time-outs, skewed clocks. */
const LATE_MILLIS = 120_000

/**
 * Sees everything that reaches the server and ECS, and notices at once what must never happen: two tasks of one attempt,
 * an order without its record, a record that goes back, a second end, lines after the last.
 */
export class Witness {
  readonly violations: Array<string> = []
  /** What happened, in order: one line each, with the seconds since the beginning. */
  readonly story: Array<string> = []
  readonly records = new Map<string, Run>()
  readonly finished = new Map<string, number>()
  readonly logs = new Map<string, SeenLog>()
  /** Task ARNs by `startedBy`. */
  readonly tasks = new Map<string, Set<string>>()
  /** Task ARNs that the platform stopped or forgot. */
  readonly broken = new Set<string>()
  trimmed = false
  /** How many runs of a limited pool may have a task at a time. */
  readonly mostRunning = new Map<string, number>()
  /** Task ARNs that came to be after their attempt was given up: nobody can have kept a slot for them. */
  private readonly stragglers = new Set<string>()
  private readonly views = new Map<string, Task>()
  private readonly created = new Map<string, Date>()
  private readonly now: () => number

  private readonly startedAt: number
  private readonly fleet: string
  private readonly isPrompt: boolean

  /**
   * `now`: epoch milliseconds. `fleet` stands before what this one notes. `isPrompt`: no process is
   * ever frozen, so that what happens long after its reason has gone is an error.
   */
  constructor(now: () => number, startedAt: number, fleet: string, isPrompt: boolean) {
    this.now = now
    this.startedAt = startedAt
    this.fleet = fleet
    this.isPrompt = isPrompt
  }

  note(what: string): void {
    this.story.push(`${((this.now() - this.startedAt) / 1000).toFixed(3)} ${this.fleet}${what}`)
  }

  violated(what: string): void {
    this.note(`VIOLATION ${what}`)
    this.violations.push(`${this.fleet}${what}`)
  }

  /** A message that the server has stored. */
  stored(message: WirePublish): void {
    const { subject } = message
    const runId = recordKey.exec(subject)?.[1]
    if (runId !== undefined) return this.recorded(runId, text(message))
    const parsed = parseSubject(subject)
    if (parsed === undefined) return
    this.note(subject)
    if (parsed.kind === "run.finished") this.ended(parsed.runId)
    if (parsed.kind === "logs") this.logged(parsed.runId, text(message))
    if (parsed.kind === "taskdef.ready" || parsed.kind === "task.stop") {
      const attempts = this.records.get(parsed.runId)?.attempts ?? []
      if (!attempts.some(({ attempt }) => attempt === parsed.attempt)) this.violated(`${subject} has no record`)
    }
  }

  private ended(runId: string): void {
    const times = (this.finished.get(runId) ?? 0) + 1
    this.finished.set(runId, times)
    if (times > 1) this.violated(`run.finished.${runId} was stored ${times} times`)
  }

  private logged(runId: string, json: string): void {
    const log = this.logs.get(runId) ?? { lines: [], ends: 0, complete: false }
    this.logs.set(runId, log)
    const message = Result.getOrThrow(LogCodecs.message.decode(json))
    if (log.ends > 0) this.violated(`logs.${runId} goes on after its end`)
    if (!isEnd(message)) log.lines.push(...message.lines.map((line) => ({ ...line, attempt: message.attempt })))
    else {
      log.ends++
      log.complete = message.end.complete
    }
  }

  private recorded(runId: string, json: string): void {
    if (json === "") return
    const next = Result.getOrThrow(RunCodec.decode(json))
    const known = this.records.get(runId)
    this.records.set(runId, next)
    this.note(`record ${runId}: ${next.state}, ${next.attempts.length} attempts`)
    if (known === undefined) return
    if (!mayFollow(known.state, next.state)) this.violated(`record ${runId} went from ${known.state} to ${next.state}`)
    if (next.attempts.length < known.attempts.length) this.violated(`record ${runId} lost an attempt`)
    for (const [index, { taskVersion = 0 }] of next.attempts.entries()) {
      const before = known.attempts[index]?.taskVersion ?? 0
      if (taskVersion < before) this.violated(`record ${runId} went from version ${before} back to ${taskVersion}`)
    }
  }

  /** RunTask answered with this task, though the answer may get lost. */
  launched(startedBy: string, task: Task): void {
    const arn = task.taskArn ?? ""
    const all = this.tasks.get(startedBy) ?? new Set()
    if (!all.has(arn)) this.began(startedBy, arn)
    this.tasks.set(startedBy, all.add(arn))
    this.created.set(arn, task.createdAt ?? new Date(0))
    if (all.size > 1) this.violated(`${startedBy} has ${all.size} tasks`)
  }

  private began(startedBy: string, arn: string): void {
    this.note(`RunTask ${startedBy}: ${arn.slice(-8)}`)
    const run = this.records.get(startedBy.split("/")[1] ?? "")
    const since = run?.finishedAt ?? run?.cancel?.at
    if (run === undefined) return this.violated(`${startedBy} was launched without a record`)
    const attempt = run.attempts.find((each) => String(each.attempt) === startedBy.split("/")[2])
    if (isOutcome(run.state) || attempt?.over === true) this.stragglers.add(arn)
    const lateMillis = since === undefined ? 0 : this.now() - Date.parse(since)
    if (this.isPrompt && lateMillis > LATE_MILLIS)
      this.violated(`${startedBy} was launched ${lateMillis / 1000} s after its end was wished`)
  }

  /** The limited pool whose run a task was launched for. */
  limitedPoolOf(startedBy: string): string | undefined {
    const pool = this.records.get(startedBy.split("/")[1] ?? "")?.pool
    return pool !== undefined && this.mostRunning.has(pool) ? pool : undefined
  }

  /** Tasks of a pool that count against its limit: neither stragglers nor such as ECS said it does not know. */
  countedTasks(pool: string): ReadonlyArray<string> {
    return [...this.tasks].flatMap(([startedBy, arns]) => {
      if (this.limitedPoolOf(startedBy) !== pool) return []
      const run = this.records.get(startedBy.split("/")[1] ?? "")
      const attempt = run?.attempts.find((each) => String(each.attempt) === startedBy.split("/")[2])
      return attempt?.lastStatus === "DELETED" ? [] : [...arns].filter((arn) => !this.stragglers.has(arn))
    })
  }

  counted(pool: string, tasks: ReadonlyArray<Task>): void {
    const most = this.mostRunning.get(pool) ?? Number.POSITIVE_INFINITY
    const alive = tasks.filter(({ lastStatus }) => lastStatus !== "STOPPED")
    if (alive.length > most) this.violated(`pool ${pool} has ${alive.length} tasks, of ${most} at most`)
  }

  troubled(arn: string, what: string): void {
    this.note(`${what}: ${arn.slice(-8)}`)
    this.broken.add(arn)
  }

  createdAt(arn: string): Date | undefined {
    return this.created.get(arn)
  }

  /** The task as it was described before; the present description is kept for the next time. */
  olderView(task: Task): Task {
    const arn = task.taskArn ?? ""
    const older = this.views.get(arn) ?? task
    this.views.set(arn, task)
    return older
  }
}

const mayFollow = (from: RunState, to: RunState): boolean =>
  from === to || (!isOutcome(from) && transitions[from].includes(to))
