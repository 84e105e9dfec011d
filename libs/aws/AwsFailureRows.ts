import type { FailureRow } from "./AwsErrorFacts.ts"
import { vcpuAdvice } from "./AwsErrorRows.ts"

const says =
  (pattern: RegExp) =>
  (reason: string): boolean =>
    pattern.test(reason)

/** Reasons of RunTask's `failures[]` (API_failures_messages of the ECS developer guide, and texts seen in the wild). */
export const failureRows: ReadonlyArray<FailureRow> = [
  {
    when: says(/reached the limit on the number of/i),
    code: "VcpuQuotaReached",
    retry: "capacity",
    message: "the account's limit of concurrent vCPUs is reached.",
    advice: vcpuAdvice
  },
  {
    when: says(/Capacity is unavailable/i),
    code: "NoCapacity",
    retry: "capacity",
    message: "Fargate has no capacity for it right now.",
    advice: "The launch is repeated. Add subnets in other availability zones, or FARGATE beside FARGATE_SPOT."
  },
  {
    when: says(/RESOURCE:/),
    code: "NoCapacity",
    retry: "capacity",
    message: "no container instance has enough free resources.",
    advice: "The launch is repeated. Add container instances, or ask for less CPU, memory or ports."
  },
  {
    when: says(/^(TaskFailedToStart: )?AGENT$/),
    code: "NoCapacity",
    retry: "capacity",
    message: "the agent of the container instance is not connected.",
    advice: "The launch is repeated. Look at the instance: `aws ecs describe-container-instances`."
  },
  {
    when: says(/NO ACTIVE INSTANCES|EMPTY CAPACITY PROVIDER|No Container Instances/i),
    code: "NoContainerInstances",
    retry: "capacity",
    message: "the cluster has no active container instances.",
    advice: "The launch is repeated. Let the capacity provider scale out, or register EC2 instances with the cluster."
  },
  {
    when: says(/LOCATION|ATTRIBUTE|placement constraint/i),
    code: "PlacementUnsatisfied",
    retry: "never",
    message: "no container instance satisfies its placement.",
    advice: "Correct placement constraints, required attributes, or the availability zones of the subnets."
  }
]
