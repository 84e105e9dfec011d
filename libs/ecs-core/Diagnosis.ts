import type { ErrorCode, Problem } from "./errors.ts"
import type { Phase } from "./Messages.ts"
import type { Outcome } from "./RunState.ts"
import { parseStopReason, type StopCode, StopCodes } from "./StopReason.ts"

/** What DescribeTasks says of a task that is over; names as ECS spells them. */
export interface EndedTask {
  readonly stopCode?: string | undefined
  readonly stoppedReason?: string | undefined
  readonly containers: ReadonlyArray<{
    readonly name: string
    readonly exitCode?: number | undefined
    readonly reason?: string | undefined
  }>
}

export interface Diagnosis {
  readonly outcome: Outcome
  /** −1 where a container that ran left none. */
  readonly exitCode?: number
  readonly problem?: Problem
  readonly phase?: Phase
  /** The cause lies with the platform and passes: another launch may help. */
  readonly passing?: true
}

/**
 * The outcome of an ended task. The program's own end wins: only where ECS says that somebody stopped the task
 * (`UserInitiated`) does our stop code decide. Texts of AWS change, so that only stop codes, exit codes and the
 * leading error class of a reason are read (peers 94, 95, 99, 100).
 */
export const diagnose = (task: EndedTask, containerName: string): Diagnosis => {
  const container = task.containers.find(({ name }) => name === containerName)
  const ours =
    task.stopCode === "UserInitiated" || task.stopCode === undefined ? parseStopReason(task.stoppedReason) : undefined
  if (ours !== undefined && ours.code !== StopCodes.containerExited) return stoppedByUs(ours, container?.exitCode)
  if (task.stopCode === "TaskFailedToStart" || neverPulled(task, container) || neverStarted(container))
    return failedToStart(task, container?.reason)
  if (task.stopCode !== undefined && Object.hasOwn(platformStops, task.stopCode)) return platformStop(task)
  if (task.stopCode === "UserInitiated" && ours === undefined) return stoppedByOthers(task, container?.exitCode)
  if (container?.exitCode === undefined) return noExitCode(task, containerName, container?.reason)
  return ownEnd(container.exitCode, container.reason)
}

/** A failed pull is one whatever the stop code says (peers 100), as long as the program left no exit code. */
const neverPulled = (task: EndedTask, container: EndedTask["containers"][number] | undefined): boolean =>
  container?.exitCode === undefined && (container?.reason ?? task.stoppedReason)?.startsWith("CannotPull") === true

/** One that waited for another in vain has an exit code from the agent, 143, though it never ran. */
const neverStarted = (container: EndedTask["containers"][number] | undefined): boolean =>
  container?.reason?.startsWith("CannotStartContainerError: dependency graph") === true

const ownEnd = (exitCode: number, reason: string | undefined): Diagnosis => {
  if (exitCode === 0) return { outcome: "succeeded", exitCode }
  if (reason?.startsWith("OutOfMemory") === true) {
    return failed(
      exitCode,
      "OutOfMemory",
      "The container was killed because it used more memory than it had.",
      "Raise `memory`."
    )
  }
  const [message, advice] = exitHints[exitCode] ?? [`The program ended with exit code ${exitCode}.`, LOOK_AT_LOGS]
  return failed(exitCode, "ProgramFailed", message, advice)
}

const LOOK_AT_LOGS = "Look at its output: `fleet logs <runId>`."

const exitHints: Readonly<Record<number, readonly [string, string]>> = {
  126: [
    "The command was found but is not executable (exit code 126).",
    "Check the file's mode and architecture in the image."
  ],
  127: ["A command was not found (exit code 127).", "Check the command and the image's PATH."],
  137: [
    "The program was killed (exit code 137).",
    "It may have run out of memory: raise `memory`, or look at its output."
  ],
  139: ["The program crashed with a segmentation fault (exit code 139).", LOOK_AT_LOGS],
  143: ["The program was terminated (exit code 143).", LOOK_AT_LOGS]
}

const failed = (exitCode: number, code: ErrorCode, message: string, advice: string): Diagnosis => ({
  outcome: "failed",
  exitCode,
  problem: { code, message, advice }
})

/** Our stop reason names the deadline, e.g. `300 s`. */
const after = (detail: string): string => (detail === "" ? "" : ` after ${detail}`)

const stoppedByUs = (
  ours: { readonly code: StopCode; readonly detail: string },
  exitCode: number | undefined
): Diagnosis => {
  const code = exitCode === undefined ? {} : { exitCode }
  if (ours.code === StopCodes.cancelled) {
    const why = ours.detail === "" ? "" : `: ${ours.detail}`
    return {
      outcome: "cancelled",
      ...code,
      problem: problem("Cancelled", `The run was cancelled${why}.`, "Request it again if it is still wanted.")
    }
  }
  return { outcome: "timed_out", ...code, ...missed(ours) }
}

/** The deadline that the task missed. */
const missed = ({ code, detail }: { readonly code: StopCode; readonly detail: string }): Omit<Diagnosis, "outcome"> => {
  if (code === StopCodes.provisioningTimeout) {
    const message = `Timed out${after(detail)} in PROVISIONING, waiting for the capacity provider; the task was stopped.`
    const advice =
      "Raise `provisioningTimeoutSeconds`, or let the capacity provider scale out: `fleet describe <runId>`."
    return { phase: "start", problem: problem("StartTimeout", message, advice) }
  }
  if (code === StopCodes.startTimeout) {
    const message = `Timed out${after(detail)} while watching task for status RUNNING; the task was stopped.`
    const advice = "Raise `taskStartTimeoutSeconds`, or find out why the task does not start: `fleet describe <runId>`."
    return { phase: "start", problem: problem("StartTimeout", message, advice) }
  }
  const allowed = detail === "" ? "" : ` (${detail})`
  const message = `The program ran longer than allowed${allowed}; the task was stopped.`
  return { phase: "run", problem: problem("RunTimeout", message, "Raise `runTimeoutSeconds`.") }
}

const stoppedByOthers = (task: EndedTask, exitCode: number | undefined): Diagnosis => ({
  outcome: "cancelled",
  ...(exitCode === undefined ? {} : { exitCode }),
  problem: problem(
    "StoppedExternally",
    `Somebody outside this fleet stopped the task: ${task.stoppedReason ?? "no reason given"}.`,
    "Ask who stopped it (CloudTrail, action StopTask), then request the run again."
  )
})

const problem = (code: ErrorCode, message: string, advice: string): Problem => ({ code, message, advice })

const failedToStart = (task: EndedTask, containerReason: string | undefined): Diagnosis => {
  const reason = containerReason ?? task.stoppedReason ?? "no reason given"
  const [code, advice] = startFailures.find(([, , pattern]) => pattern.test(reason)) ?? [
    "TaskFailedToStart" as const,
    "Read the reason; `fleet describe <runId>` shows the task's times."
  ]
  const isPassing = isPassingReason(containerReason) || isPassingReason(task.stoppedReason)
  return {
    outcome: "crashed",
    problem: problem(code, `The task failed to start: ${reason}`, advice),
    ...(isPassing ? { passing: true } : {})
  }
}

/**
 * Reasons that pass: what the platform lacked a moment ago, or lost on the way (Dagster's list, peers 101, and the
 * reasons of capacity of the ECS developer guide). A missing image or a missing permission does not pass.
 */
const passingReasons: ReadonlyArray<RegExp> = [
  /^Timeout waiting for (network interface|EphemeralStorage) provisioning/i,
  /^Unexpected EC2 error/i,
  /^Unable to attach network interface/i,
  /^Service Discovery instance could not be registered/i,
  /^CannotPull.*(i\/o timeout|\bEOF\b|invalid argument|toomanyrequests)/is,
  /^(RESOURCE:|AGENT$|EMPTY CAPACITY PROVIDER|NO ACTIVE INSTANCES|Capacity is unavailable)/,
  /reached the limit on the number of/i,
  /^(InternalError|DockerTimeoutError|ContainerRuntimeTimeoutError|DockerStateError)/
]

const isPassingReason = (reason: string | undefined): boolean =>
  reason !== undefined && passingReasons.some((pattern) => pattern.test(reason))

const startFailures: ReadonlyArray<readonly [ErrorCode, string, RegExp]> = [
  [
    "ImagePullFailed",
    "Check the image's name and tag, that the execution role may pull it, and that the subnets reach the registry.",
    /^CannotPull/
  ],
  [
    "ProgramNotFound",
    "Check the command: its first word must be a program in the image.",
    /executable file not found|no such file or directory|command not found/i
  ],
  [
    "NoCapacity",
    "The capacity provider could not place the task; try again later or widen the subnets.",
    /^(RESOURCE|AGENT|EMPTY CAPACITY PROVIDER|NO ACTIVE INSTANCES)/
  ],
  [
    "LoggerPermissionMissing",
    "Allow the execution role logs:CreateLogStream, logs:PutLogEvents and logs:CreateLogGroup.",
    /(logger|awslogs).*(AccessDenied|not authorized)/i
  ],
  [
    "TaskFailedToStart",
    "Create the log group, or let it be created: option `awslogs-create-group`, and logs:CreateLogGroup on the execution role.",
    /log group does not exist/i
  ],
  [
    "AccessDenied",
    "Allow the action that the reason names in the policy of the execution role.",
    /AccessDenied|not authorized to perform/
  ]
]

const platformStops: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  SpotInterruption: [
    "SpotInterrupted",
    "Request it again, or use launchType FARGATE for runs that must not be interrupted."
  ],
  TerminationNotice: ["HostTerminated", "AWS retired the host; request it again."],
  InfrastructureHealth: ["HostTerminated", "The host failed; request it again."],
  ServiceSchedulerInitiated: ["HostTerminated", "An ECS service stopped the task; runs should not belong to a service."]
}

const platformStop = (task: EndedTask): Diagnosis => {
  const [code, advice] = platformStops[task.stopCode ?? ""] ?? ["HostTerminated" as const, "Request it again."]
  return {
    outcome: "crashed",
    problem: problem(code, `ECS stopped the task: ${task.stoppedReason ?? task.stopCode}`, advice),
    ...(task.stopCode === "ServiceSchedulerInitiated" ? {} : { passing: true })
  }
}

const noExitCode = (task: EndedTask, containerName: string, reason: string | undefined): Diagnosis => ({
  outcome: "crashed",
  exitCode: -1,
  problem: problem(
    "ExitCodeMissing",
    `Container "${containerName}" left no exit code: ${reason ?? task.stoppedReason ?? "no reason given"}.`,
    "The infrastructure ended the task; request it again and look at `fleet describe <runId>` if it recurs."
  ),
  ...(task.stopCode !== "UserInitiated" && (reason === undefined || isPassingReason(reason)) ? { passing: true } : {})
})
