import type { ErrorGuide } from "./ErrorGuide.ts"
import type { ErrorCode } from "./errors.ts"

const rejected = "`rejected`: no task was created"
const notRepeated = "No. Correct the cause and request the run again."
const untilLaunchDeadline = "Yes, until `launchTimeoutSeconds` (a day by default) has passed."
const launchTimedOut = "`timed_out`, phase `launch`, if it lasts that long"

/** Codes of calls that AWS refused or did not answer, and of launches that found no room. */
export const awsGuides = {
  ClusterNotFound: {
    title: "The cluster does not exist in this region",
    cause: "ECS knows no active cluster of that name in the region of the call: it is misspelt, deleted, or elsewhere.",
    cure: [
      "See which clusters there are: `aws ecs list-clusters --region <region>`.",
      "Correct `cluster` or `region` in the request or its pool.",
      "Or create it: `aws ecs create-cluster --cluster-name <cluster>`."
    ],
    retried: notRepeated,
    ends: rejected
  },
  NoContainerInstances: {
    title: "The cluster has no EC2 instances to run on",
    cause:
      "The launch asks for EC2 or a capacity provider of EC2 instances, and no active instance is registered with the cluster.",
    cure: [
      "Look at the instances: `aws ecs list-container-instances --cluster <cluster> --status ACTIVE`.",
      "Let the Auto Scaling group of the capacity provider grow, or register instances with the cluster.",
      "Or run on Fargate: `launchType` FARGATE."
    ],
    retried:
      "Only where ECS gave it as the reason of a placement (`EMPTY CAPACITY PROVIDER`), since instances may be on their way.",
    ends: `${rejected}; or ${launchTimedOut}`
  },
  NoCapacity: {
    title: "There is no room for the task right now",
    cause:
      "Fargate has no capacity in the subnets' availability zones, or no instance has enough free CPU, memory, ports, GPUs or network interfaces.",
    cure: [
      "Wait: the run is launched as soon as there is room. `fleet describe <runId>` shows when it is tried next.",
      "Give it more places: subnets in other availability zones, or FARGATE beside FARGATE_SPOT.",
      "On EC2, compare what it asks for with the instances: `aws ecs describe-container-instances --cluster <cluster> --container-instances <arn>`."
    ],
    retried: `${untilLaunchDeadline} After a task that ECS accepted and stopped for lack of room, another attempt follows.`,
    ends: `${launchTimedOut}; \`crashed\` if ECS had accepted the task`
  },
  VcpuQuotaReached: {
    title: "The account runs as many vCPUs as it may",
    cause: "Fargate counts the vCPUs of all tasks of the account in the region, on demand and Spot apart.",
    cure: [
      "See the quotas: `aws service-quotas get-service-quota --service-code fargate --quota-code L-3032A538` (Spot: L-36FBB829).",
      "Ask for more: `aws service-quotas request-service-quota-increase --service-code fargate --quota-code L-3032A538 --desired-value <vCPUs>`."
    ],
    retried: `${untilLaunchDeadline} It succeeds when other tasks end.`,
    ends: launchTimedOut
  },
  Throttled: {
    title: "AWS was called more often than the account may",
    cause:
      "Every program of the account shares AWS's rate limits. Two registrations of one task definition family at once are refused in the same way.",
    cure: [
      "Nothing, if it passes: the fleet slows down by itself.",
      "If it lasts, lower `FLEET_AWS_RUN_TASK_PER_SECOND`, or ask AWS for a higher rate quota of the call."
    ],
    retried: "Yes, with the same client token, more slowly each time.",
    ends: launchTimedOut
  },
  AccessDenied: {
    title: "The credentials may not do this",
    cause:
      "The IAM policy of the service's credentials lacks an action, which the message names, or the execution role may not be passed, used or read with.",
    cure: [
      "See whose credentials they are: `aws sts get-caller-identity`.",
      "Allow the named action. To launch with roles, also `iam:PassRole` on them, for ecs-tasks.amazonaws.com.",
      "If the message is about a role, let its trust policy allow `sts:AssumeRole` to ecs-tasks.amazonaws.com."
    ],
    retried: notRepeated,
    ends: `${rejected}; \`crashed\` if ECS met it when it started the task`
  },
  CredentialsRejected: {
    title: "The credentials are missing, expired or wrong",
    cause:
      "AWS did not accept who is calling, a role may not be assumed, the service does not know the set of credentials that the pool names, or the clock of the machine is off by minutes.",
    cure: [
      "Check them where the service runs: `aws sts get-caller-identity`.",
      "Renew them; the service takes them up without a restart if they come from a role or a file: docs/credentials.md.",
      "Check the clock of the machine (NTP)."
    ],
    retried: "Yes, as soon as they work again, however long that takes. The waiting costs no attempt.",
    ends: "it ends no run"
  },
  LoggerPermissionMissing: {
    title: "The execution role may not write logs",
    cause: "The task cannot start, because its log driver may not create or write its stream in CloudWatch Logs.",
    cure: [
      "Allow the execution role `logs:CreateLogStream`, `logs:PutLogEvents` and, where the group is to be created, `logs:CreateLogGroup`.",
      "Or run without logs: `configureCloudwatchLogs` false."
    ],
    retried: notRepeated,
    ends: `${rejected}; \`crashed\` if ECS had accepted the task`
  },
  TaskDefinitionInvalid: {
    title: "AWS refuses the task definition",
    cause:
      "A part of the definition does not fit: a pair of CPU and memory that Fargate does not have, a role that does not exist, members that exclude each other. A role that was created a moment ago is refused in the same words.",
    cure: [
      "Read the message: it carries AWS's own words.",
      "See the definition as it is sent: `fleet run --dry-run …`.",
      "If the role is new, request the run again after some seconds: a wrong role and a new one cannot be told apart."
    ],
    retried: notRepeated,
    ends: rejected
  },
  TaskDefinitionInactive: {
    title: "The task definition was deregistered",
    cause: "Somebody made the revision INACTIVE; ECS launches no more tasks from it.",
    cure: [
      "Nothing, if the fleet registered it: it is registered again.",
      "If the request links it, register it again and name the new revision, or its family: `aws ecs list-task-definitions --family-prefix <family>`."
    ],
    retried: "Yes, with a new revision, unless the request links the definition.",
    ends: `${rejected}, if the definition is linked`
  },
  TaskDefinitionNotFound: {
    title: "ECS does not know the task definition",
    cause: "The family has no active revision, the revision was deleted, or it is in another region or account.",
    cure: [
      "See which there are: `aws ecs list-task-definitions --family-prefix <family> --region <region>`.",
      "Correct `taskDefinitionArn` or `region`."
    ],
    retried: "Yes, with a new revision, unless the request links the definition.",
    ends: `${rejected}, if the definition is linked`
  },
  TaskNotFound: {
    title: "ECS does not know the task",
    cause:
      "It forgets a task about an hour after it stopped, and may not know one in its first seconds. Or somebody asked to stop a task that no run of this fleet had.",
    cure: ["Look at what the fleet knows: `fleet describe <runId>`, `fleet ps --all`."],
    retried: "Yes, for a minute after the launch.",
    ends: ""
  },
  InvalidParameter: {
    title: "AWS refuses a parameter of the call",
    cause: "Something in the request or its pool has a form or a combination that AWS does not take.",
    cure: [
      "Read the message: it carries AWS's own words.",
      "See both calls as they are sent: `fleet run --dry-run …`."
    ],
    retried: notRepeated,
    ends: rejected
  },
  PlacementUnsatisfied: {
    title: "No instance fits the placement",
    cause:
      "Placement constraints, required attributes or the subnets' availability zones leave no container instance over.",
    cure: [
      "Compare `placementConstraints` with `aws ecs list-attributes --cluster <cluster> --target-type container-instance`.",
      "Use subnets in the availability zones of the instances."
    ],
    retried: "No, unless another instance is merely full: then like `NoCapacity`.",
    ends: rejected
  },
  PlatformUnsupported: {
    title: "The platform cannot run the task",
    cause: "The platform version does not exist, or lacks what the definition asks for, in this region.",
    cure: ["Leave `platformVersion` out (LATEST), and check `runtimePlatform` and the features asked for."],
    retried: notRepeated,
    ends: rejected
  },
  NetworkInvalid: {
    title: "The network does not fit",
    cause:
      "A subnet or security group does not exist or belongs to another VPC, or the network mode and the network exclude each other.",
    cure: [
      "List the subnets of the VPC: `aws ec2 describe-subnets --filters Name=vpc-id,Values=<vpcId>`.",
      "Correct `networkConfiguration` or `vpcId`; leave both out to have the network inferred."
    ],
    retried:
      "Once, where the network was inferred and EC2 now tells of other subnets than the launcher remembered. Else no.",
    ends: rejected
  },
  NetworkNotFound: {
    title: "There is no such VPC, or it has no subnets",
    cause: "The named VPC is not in this region, the region has no default VPC, or the VPC has no subnets.",
    cure: [
      "See which there are: `aws ec2 describe-vpcs --region <region>`.",
      "Name one with `vpcId`, or create the default one: `aws ec2 create-default-vpc`."
    ],
    retried: notRepeated,
    ends: rejected
  },
  LaunchConflict: {
    title: "The launch was made before, with other parameters",
    cause: "The first answer was lost and the network has changed since. ECS keeps the token of a launch and tells.",
    cure: ["Nothing: the task that is running is found and followed."],
    retried: "Yes: the task of the first launch is adopted, or the launch gets a new token.",
    ends: ""
  },
  LogStreamNotFound: {
    title: "There are no log lines yet",
    cause: "CloudWatch Logs has the stream once the container has started; a task that fails to start never gets one.",
    cure: ["Nothing while the task starts. Afterwards see why it did not: `fleet describe <runId>`."],
    retried: "Yes, as long as the task may still write.",
    ends: ""
  },
  ServiceUnavailable: {
    title: "AWS did not answer",
    cause: "The call met an error of AWS's own, a time-out, or a network that does not lead there.",
    cure: [
      "Nothing, if it passes.",
      "If it lasts: is `AWS_ENDPOINT_URL` right, does the name resolve, do proxy and firewall let HTTPS through? `aws ecs list-clusters` tells."
    ],
    retried: "Yes, the same call with the same client token: nothing is launched twice.",
    ends: launchTimedOut
  },
  AwsError: {
    title: "AWS said something that the fleet does not know",
    cause: "The message carries AWS's own name and words for it.",
    cure: [
      "Look the name up in AWS's documentation of the call.",
      "If it is a common one, report it: it belongs in the table."
    ],
    retried: notRepeated,
    ends: rejected
  }
} as const satisfies Partial<Record<ErrorCode, ErrorGuide>>
