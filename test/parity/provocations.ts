import type { Example, Row } from "#aws/AwsErrorFacts.ts"
import { rows } from "#aws/AwsErrorRows.ts"
import { failureRows } from "#aws/AwsFailureRows.ts"
import type { Fault } from "#aws/model/Fault.ts"
import { least } from "#test/parity/launched.ts"

/** How an error is brought about in a run, and the name of the golden file that says how the run ends. */
export interface Provocation {
  readonly name: string
  /** What goes wrong at AWS, for the calls of the cluster that has the provocation's name. */
  readonly fault?: Fault
  readonly request: Readonly<Record<string, unknown>>
  /** The run is cancelled as soon as its task runs. */
  readonly cancel?: boolean
}

/** Where repeating may help, the run ends with the reason all the same, since its time to launch is over. */
const impatient = { launchTimeoutSeconds: 1 }

/** Calls that a fleet makes on behalf of one run. */
const ownCalls = new Set([
  "RunTask",
  "RegisterTaskDefinition",
  "DescribeTaskDefinition",
  "DescribeVpcs",
  "StopTask",
  "FilterLogEvents"
])

/** How many calls a fault meets: all, where repeating only the deadline ends. The SDK itself repeats some calls once. */
const timesOf = ({ example, retry }: Row): number => {
  if (retry === "capacity") return 0
  return retry === "conflict" || retry === "inactive" || example.action === "RegisterTaskDefinition" ? 1 : 2
}

const canEnd = ({ retry }: Row): boolean => retry !== "credentials"

const faultOf = ({ action, name, status, systemCode, text }: Example, times: number): Fault => {
  const at = { action: ownCalls.has(action) ? action : "RunTask", times }
  if (systemCode !== undefined) return { ...at, reset: "before" }
  const error = { name: name === "" ? "ClientException" : name, message: text }
  return { ...at, error: status === undefined ? error : { ...error, status } }
}

const requestFor = ({ action }: Example): Readonly<Record<string, unknown>> => {
  if (action === "DescribeTaskDefinition") return { taskDefinitionArn: "nobody-registered-it:7", command: ["true"] }
  return action === "StopTask" ? { ...least, command: ["simulate", "--seconds", "60"] } : least
}

/** Every row of the table of AWS's exceptions that can end a run: credentials that are not accepted only make it wait. */
export const exceptions: ReadonlyArray<Provocation> = rows.filter(canEnd).map((row) => {
  const { example, name } = row
  const times = timesOf(row)
  return {
    name,
    fault: faultOf(example, times),
    request: {
      ...requestFor(example),
      ...(times === 0 ? impatient : {}),
      ...(row.retry === "inactive" ? { retry: {} } : {})
    },
    cancel: example.action === "StopTask"
  }
})

/** Every row of the table of RunTask's `failures[]`. */
export const failures: ReadonlyArray<Provocation> = failureRows.map(({ example, name, retry }) => ({
  name,
  fault: { action: "RunTask", times: retry === "never" ? 1 : 0, failures: [example] },
  request: retry === "never" ? least : { ...least, ...impatient }
}))

type Stop = NonNullable<Fault["stop"]>

const failedToStart = (stoppedReason: string): Stop => ({
  stopCode: "TaskFailedToStart",
  stoppedReason,
  beforeRunning: true
})

const ended = (exitCode: number, containerReason?: string): Stop => ({
  stopCode: "EssentialContainerExited",
  stoppedReason: "Essential container in task exited",
  exitCode,
  ...(containerReason === undefined ? {} : { containerReason })
})

/** How tasks end, in ECS's own words (stopped-task errors of the ECS developer guide). */
const stops: Readonly<Record<string, Stop>> = {
  "image-not-pulled": failedToStart(
    "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref docker.io/acme/job:v9: not found"
  ),
  "program-not-found": {
    ...failedToStart("Task failed to start"),
    containerReason:
      'CannotStartContainerError: failed to create shim task: OCI runtime create failed: exec: "serve": executable file not found in $PATH: unknown'
  },
  "no-network-interface": failedToStart("Timeout waiting for network interface provisioning to complete."),
  "no-secrets": failedToStart(
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm"
  ),
  "no-room": failedToStart("RESOURCE:MEMORY"),
  "no-agent": failedToStart("AGENT"),
  "logger-refused": failedToStart(
    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: AccessDeniedException: logs:CreateLogStream"
  ),
  "out-of-memory": ended(137, "OutOfMemoryError: Container killed due to memory usage"),
  "exit-code": ended(3),
  "not-executable": ended(126),
  "command-not-found": ended(127),
  killed: ended(137),
  "segmentation-fault": ended(139),
  "spot-interrupted": { stopCode: "SpotInterruption", stoppedReason: "Your Spot Task was interrupted." },
  "host-retired": {
    stopCode: "TerminationNotice",
    stoppedReason: "ECS is performing maintenance on the underlying infrastructure hosting the task."
  },
  "host-failed": { stopCode: "InfrastructureHealth", stoppedReason: "Host EC2 instance terminated." },
  "stopped-by-service": {
    stopCode: "ServiceSchedulerInitiated",
    stoppedReason: "Scaling activity initiated by deployment ecs-svc/1"
  },
  "stopped-by-others": { stopCode: "UserInitiated", stoppedReason: "Task stopped by user" },
  "exit-code-missing": {
    stopCode: "EssentialContainerExited",
    stoppedReason: "Essential container in task exited",
    containerReason: "DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s",
    beforeRunning: true
  }
}

const long = { ...least, command: ["simulate", "--seconds", "60"] }

/** Every diagnosis of a task that ended, and every deadline. */
export const endings: ReadonlyArray<Provocation> = [
  ...Object.entries(stops).map(([name, stop]) => ({ name, fault: { action: "RunTask", stop }, request: long })),
  {
    name: "start-timeout",
    fault: { action: "RunTask", hold: "PROVISIONING" },
    request: { ...least, taskStartTimeoutSeconds: 1 }
  },
  { name: "run-timeout", request: { ...long, runTimeoutSeconds: 1 } },
  { name: "cancelled", request: long, cancel: true }
]
