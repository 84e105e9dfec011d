import type { RunTaskRequest, RunTaskResponse, Task } from "@aws-sdk/client-ecs"
import { type CallEntry, CallLog, type RegionalCounts, type Window } from "./CallLog.ts"

/** A task that RunTask started, and what was last seen of it. */
export interface LaunchedTask {
  readonly taskArn: string
  readonly region: string
  readonly clusterArn: string
  readonly taskDefinitionArn: string
  readonly startedBy?: string
  readonly clientToken?: string
  /** Epoch milliseconds; `endedAt` = STOPPED, or lost. */
  readonly createdAt: number
  readonly endedAt?: number
  readonly lastStatus: string
  readonly stopCode?: string
  readonly stoppedReason?: string
  readonly containers: ReadonlyArray<{ readonly name: string; readonly exitCode?: number; readonly reason?: string }>
}

/** What the control API tells about calls. */
export interface CallCounts extends RegionalCounts {
  /** Different client tokens of RunTask. */
  readonly runTaskClientTokens: number
}

/** The same of some of the time. */
export interface CallsWithin extends RegionalCounts {
  /** Epoch milliseconds: of calls before then, some are forgotten. */
  readonly knownSince: number
}

/** The book that local-aws keeps beside the model: every call and every task ever launched, for tests to check. */
export interface Journal {
  /** A call came, or was refused; `at` in epoch milliseconds. */
  readonly called: (entry: CallEntry, at: number) => void
  readonly launching: (input: RunTaskRequest) => void
  readonly launched: (region: string, input: RunTaskRequest, answer: RunTaskResponse) => void
  readonly ended: (taskArn: string, at: number) => void
  readonly seen: (tasks: ReadonlyArray<Task>) => void
  readonly counts: () => CallCounts
  readonly callsWithin: (window: Window) => CallsWithin
  /** In order of launch. */
  readonly tasks: () => ReadonlyArray<LaunchedTask>
}

/** Maps and sets keep the order of insertion: the first key is the oldest. */
const dropOldest = (keys: Map<string, unknown> | Set<string>, max: number): void => {
  for (const key of keys.keys()) {
    if (keys.size <= max) return
    keys.delete(key)
  }
}

/** Holds at most `tasksMax` tasks and as many client tokens, and the times of `callsMax` calls; the oldest go first. */
export const makeJournal = (tasksMax: number, callsMax: number): Journal => {
  const calls = new CallLog(callsMax)
  const tokens = new Set<string>()
  const tasks = new Map<string, LaunchedTask>()
  let forgottenTokens = 0
  const remember = (region: string, token: string | undefined, task: Task) => {
    const entry = { ...stateOf(task), ...launchOf(region, token, task) }
    if (!tasks.has(entry.taskArn)) tasks.set(entry.taskArn, entry)
  }
  const update = (task: Task) => {
    const known = tasks.get(task.taskArn ?? "")
    if (known !== undefined) tasks.set(known.taskArn, { ...known, ...stateOf(task) })
  }
  return {
    called: (entry, at) => calls.add(entry, at),
    launching: ({ clientToken }) => {
      if (clientToken !== undefined) tokens.add(clientToken)
      const before = tokens.size
      dropOldest(tokens, tasksMax)
      forgottenTokens += before - tokens.size
    },
    launched: (region, input, answer) => {
      for (const task of answer.tasks ?? []) remember(region, input.clientToken, task)
      dropOldest(tasks, tasksMax)
    },
    ended: (taskArn, endedAt) => {
      const known = tasks.get(taskArn)
      if (known !== undefined) tasks.set(taskArn, { ...known, endedAt })
    },
    seen: (answered) => answered.forEach(update),
    counts: () => ({ ...calls.totals(), runTaskClientTokens: tokens.size + forgottenTokens }),
    callsWithin: (window) => calls.within(window),
    tasks: () => [...tasks.values()]
  }
}

const launchOf = (region: string, token: string | undefined, task: Task) => ({
  taskArn: task.taskArn ?? "",
  region,
  clusterArn: task.clusterArn ?? "",
  taskDefinitionArn: task.taskDefinitionArn ?? "",
  createdAt: task.createdAt?.getTime() ?? 0,
  ...(task.startedBy === undefined ? {} : { startedBy: task.startedBy }),
  ...(token === undefined ? {} : { clientToken: token })
})

const stateOf = (task: Task) => ({
  lastStatus: task.lastStatus ?? "",
  ...(task.stopCode === undefined ? {} : { stopCode: task.stopCode }),
  ...(task.stoppedReason === undefined ? {} : { stoppedReason: task.stoppedReason }),
  containers: (task.containers ?? []).map(({ name, exitCode, reason }) => ({
    name: name ?? "",
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(reason === undefined ? {} : { reason })
  }))
})
