import { assert, describe, it } from "@effect/vitest"
import { diagnose, type EndedTask } from "#ecs-core/Diagnosis.ts"

/** Whether another launch may help. Whether the program may have run is not asked here. */
const isPassing = (task: Partial<EndedTask>): boolean => diagnose({ containers: [], ...task }, "main").passing === true

const failedToStart = (reason: string): ReadonlyArray<Partial<EndedTask>> => [
  { stopCode: "TaskFailedToStart", stoppedReason: reason },
  {
    stopCode: "TaskFailedToStart",
    stoppedReason: "Task failed to start",
    containers: [{ name: "main", reason }]
  }
]

describe("a failed start passes", () => {
  it.each([
    "Timeout waiting for network interface provisioning to complete.",
    "Timeout waiting for EphemeralStorage provisioning to complete.",
    "CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: dial tcp 10.0.0.1:443: i/o timeout",
    "CannotPullContainerError: failed to copy: unexpected EOF",
    "CannotPullContainerError: invalid argument",
    "CannotPullContainerError: httpReaderSeeker: failed open: 429 Too Many Requests - Server message: toomanyrequests: Rate exceeded",
    "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet 'subnet-1': AuthFailure",
    "Unable to attach network interface to unused device index",
    "Service Discovery instance could not be registered",
    "RESOURCE:MEMORY",
    "AGENT",
    "EMPTY CAPACITY PROVIDER",
    "Capacity is unavailable at this time. Please try again later or in a different availability zone",
    "You’ve reached the limit on the number of vCPUs you can run concurrently",
    "InternalError: please retry",
    "DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s"
  ])("after %s (peers 101)", (reason) => {
    for (const task of failedToStart(reason)) assert.isTrue(isPassing(task))
  })
})

describe("a failed start stays", () => {
  it.each([
    "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found",
    "CannotPullECRContainerError: AccessDeniedException",
    "CannotPullContainerError: manifest for GEOFFREY not found",
    'CannotStartContainerError: exec: "nope": executable file not found in $PATH',
    "ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException",
    "AGENTS of change",
    "no reason given"
  ])("after %s (peers 101)", (reason) => {
    for (const task of failedToStart(reason)) assert.isFalse(isPassing(task))
  })
})

describe("an end passes where the platform made it", () => {
  const reason = "Essential container in task exited"
  it.each([
    { stopCode: "SpotInterruption", containers: [], passes: true },
    { stopCode: "TerminationNotice", containers: [], passes: true },
    { stopCode: "InfrastructureHealth", containers: [{ name: "main", exitCode: 137 }], passes: true },
    { stopCode: "ServiceSchedulerInitiated", containers: [], passes: false },
    { stopCode: "EssentialContainerExited", containers: [{ name: "main" }], passes: true },
    { stopCode: undefined, containers: [], passes: true },
    {
      stopCode: "EssentialContainerExited",
      containers: [{ name: "main", reason: "CannotStartContainerError: bad" }],
      passes: false
    },
    { stopCode: "EssentialContainerExited", containers: [{ name: "main", exitCode: 1 }], passes: false },
    { stopCode: "EssentialContainerExited", containers: [{ name: "main", exitCode: 0 }], passes: false },
    { stopCode: "UserInitiated", containers: [], passes: false }
  ])("$stopCode with $containers: $passes (peers 101)", ({ containers, passes, stopCode }) => {
    assert.strictEqual(isPassing({ stopCode, containers, stoppedReason: reason }), passes)
  })
})
