import type { FailureRow } from "./AwsErrorFacts.ts"
import { vcpuAdvice } from "./AwsLaunchRows.ts"

const says =
  (pattern: RegExp) =>
  (reason: string): boolean =>
    pattern.test(reason)

// AWS changes these texts without notice. Waiting costs the run its launch deadline at most; giving up costs the run.
export const unknownFailure: FailureRow = {
  name: "unknown-reason",
  example: { reason: "A reason that is not documented" },
  when: () => true,
  code: "NoCapacity",
  retry: "capacity",
  message: "ECS did not place the task.",
  advice:
    "The launch is repeated until the run's launch deadline. Look the reason up in the AWS documentation of RunTask."
}

/** Reasons of RunTask's `failures[]` (API_failures_messages of the ECS developer guide, and texts seen in the wild). */
export const failureRows: ReadonlyArray<FailureRow> = [
  {
    name: "vcpu-quota-reason",
    example: { reason: "You’ve reached the limit on the number of vCPUs you can run concurrently" },
    when: says(/reached the limit on the number of/i),
    code: "VcpuQuotaReached",
    retry: "capacity",
    message: "the account's limit of concurrent vCPUs is reached.",
    advice: vcpuAdvice
  },
  {
    name: "fargate-capacity",
    example: {
      reason: "Capacity is unavailable at this time. Please try again later or in a different availability zone"
    },
    when: says(/Capacity is unavailable/i),
    code: "NoCapacity",
    retry: "capacity",
    message: "Fargate has no capacity for it right now.",
    advice: "The launch is repeated. Add subnets in other availability zones, or FARGATE beside FARGATE_SPOT."
  },
  {
    name: "instance-resources",
    example: { reason: "RESOURCE:MEMORY" },
    when: says(/RESOURCE:/),
    code: "NoCapacity",
    retry: "capacity",
    message: "no container instance has enough free resources.",
    advice: "The launch is repeated. Add container instances, or ask for less CPU, memory or ports."
  },
  {
    name: "agent-disconnected",
    example: { reason: "AGENT" },
    when: says(/^(TaskFailedToStart: )?AGENT$/),
    code: "NoCapacity",
    retry: "capacity",
    message: "the agent of the container instance is not connected.",
    advice: "The launch is repeated. Look at the instance: `aws ecs describe-container-instances`."
  },
  {
    name: "no-active-instances",
    example: { reason: "EMPTY CAPACITY PROVIDER" },
    when: says(/NO ACTIVE INSTANCES|EMPTY CAPACITY PROVIDER|No Container Instances/i),
    code: "NoContainerInstances",
    retry: "capacity",
    message: "the cluster has no active container instances.",
    advice: "The launch is repeated. Let the capacity provider scale out, or register EC2 instances with the cluster."
  },
  {
    name: "placement-unsatisfied",
    example: {
      reason: "MemberOf placement constraint unsatisfied.",
      detail: "attribute:ecs.instance-type == p3.2xlarge"
    },
    when: says(/LOCATION|ATTRIBUTE|placement constraint/i),
    code: "PlacementUnsatisfied",
    retry: "never",
    message: "no container instance satisfies its placement.",
    advice: "Correct placement constraints, required attributes, or the availability zones of the subnets."
  },
  unknownFailure
]

/** The answer had neither tasks nor failures: it says nothing, so that the call is made again (peers 79). */
export const nothingReturned: Omit<FailureRow, "when" | "example"> = {
  name: "nothing-returned",
  code: "ServiceUnavailable",
  retry: "transient",
  message: "no tasks or failures were returned.",
  advice: "The same call is repeated with the same client token."
}
