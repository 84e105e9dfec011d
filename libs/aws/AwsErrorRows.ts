import { accessRows } from "./AwsAccessRows.ts"
import { named, type Row, region, type Seen, says } from "./AwsErrorFacts.ts"

/**
 * The table of AWS's errors: first match decides, so the narrow rows stand above the wide ones. Patterns are ASCII (the
 * text is folded before). Sources: AWS's API reference, and the texts that the peers' users reported.
 */

const cluster = (seen: Seen) => seen.context.cluster ?? "default"
const definition = (seen: Seen) =>
  seen.context.taskDefinition === undefined ? "The task definition" : `Task definition '${seen.context.taskDefinition}'`

const clusters: ReadonlyArray<Row> = [
  {
    when: (seen) => named("ClusterNotFoundException")(seen) || says(/referenced cluster was inactive/i)(seen),
    code: "ClusterNotFound",
    retry: "never",
    message: (seen) => `Cluster '${cluster(seen)}' was not found in ${region(seen)}.`,
    advice: (seen) =>
      `Check the name with \`aws ecs list-clusters\`, or create it with \`aws ecs create-cluster --cluster-name ${cluster(seen)}\`.`
  },
  {
    when: says(/No Container Instances were found/i),
    code: "NoContainerInstances",
    retry: "never",
    message: (seen) => `Cluster '${cluster(seen)}' does not appear to have any container instances associated with it.`,
    advice: () => "Register EC2 instances with the cluster, or use launch type FARGATE."
  }
]

const launches: ReadonlyArray<Row> = [
  {
    when: named("ConflictException"),
    code: "LaunchConflict",
    retry: "conflict",
    message: () => "The client token of this launch was already used with other parameters.",
    advice: () => "The task that the token started is adopted, or the launch is repeated with a new token."
  },
  {
    when: (seen) =>
      says(/Capacity is unavailable|no capacity/i)(seen) ||
      (seen.action === "RunTask" && says(/\bPROVISIONING\b.*(limit|quota)|(limit|quota).*\bPROVISIONING\b/i)(seen)),
    code: "NoCapacity",
    retry: "capacity",
    message: (seen) => `Nothing can run the task right now: ${seen.text}`,
    advice: () => "The launch is repeated. Add subnets in other availability zones, or capacity to the cluster."
  },
  {
    when: says(/reached the limit on the number of/i),
    code: "VcpuQuotaReached",
    retry: "capacity",
    message: () => "The account's limit of concurrent vCPUs is reached.",
    advice: () => vcpuAdvice
  },
  {
    when: says(/capacity provider/i),
    code: "InvalidParameter",
    retry: "never",
    message: (seen) => `${seen.action} refused the capacity provider: ${seen.text}`,
    advice: (seen) =>
      `Compare with \`aws ecs describe-clusters --clusters ${cluster(seen)}\`: a provider must belong to the cluster.`
  }
]

export const vcpuAdvice =
  "The launch is repeated when others end. Ask for more in Service Quotas: Fargate On-Demand L-3032A538, Fargate Spot L-36FBB829."

const definitions: ReadonlyArray<Row> = [
  {
    when: says(/Task ?Definition is inactive/i),
    code: "TaskDefinitionInactive",
    retry: "inactive",
    message: (seen) => `${definition(seen)} is inactive.`,
    advice: () =>
      "It is registered again and the launch repeated; a definition given by its ARN you must register again yourself."
  },
  {
    when: says(/Unable to describe task definition|Task ?Definition not found/i),
    code: "TaskDefinitionNotFound",
    retry: "inactive",
    message: (seen) => `${definition(seen)} was not found in ${region(seen)}.`,
    advice: () => "Check family and revision with `aws ecs list-task-definitions`."
  },
  {
    when: says(/No Fargate configuration exists/i),
    code: "TaskDefinitionInvalid",
    retry: "never",
    message: (seen) => seen.text,
    advice: () =>
      "Choose a pair of the Fargate table, e.g. 256 CPU with 512, 1024 or 2048 MiB, or 1024 CPU with 2048 to 8192 MiB."
  },
  {
    when: says(/Role is not valid/i),
    code: "TaskDefinitionInvalid",
    retry: "never",
    message: () => "AWS does not accept the execution role or the task role of the task definition.",
    advice: () => "Check both ARNs. A role that was created just now is accepted after some seconds: submit again."
  },
  {
    when: (seen) =>
      seen.action === "RegisterTaskDefinition" &&
      named("ClientException", "InvalidParameterException", "LimitExceededException")(seen),
    code: "TaskDefinitionInvalid",
    retry: "never",
    message: (seen) => `AWS refused the task definition: ${seen.text}`,
    advice: () => "Correct the named part of the task definition and submit again."
  }
]

const networks: ReadonlyArray<Row> = [
  {
    when: named("InvalidVpcID.NotFound", "InvalidVpcID.Malformed", "InvalidSubnetID.NotFound", "InvalidGroup.NotFound"),
    code: "NetworkNotFound",
    retry: "never",
    message: (seen) => `The network was not found: ${seen.text}`,
    advice: (seen) =>
      `Check that it exists in ${region(seen)}: \`aws ec2 describe-vpcs\`, \`aws ec2 describe-subnets\`.`
  },
  {
    when: (seen) =>
      named("InvalidParameterException", "ClientException")(seen) &&
      says(/subnet|security group|network ?configuration|assignPublicIp/i)(seen),
    code: "NetworkInvalid",
    retry: "never",
    message: (seen) => `${seen.action} refused the network configuration: ${seen.text}`,
    advice: () => "Check subnets, security groups and public IP: all of one VPC, and awsvpc needs at least one subnet."
  }
]

const missing: ReadonlyArray<Row> = [
  {
    when: says(/referenced task was not found/i),
    code: "TaskNotFound",
    retry: "never",
    message: (seen) => `The task was not found in cluster '${cluster(seen)}'.`,
    advice: () => "ECS forgets a task about an hour after it stopped, and may not show one in its first seconds."
  },
  {
    when: (seen) => named("ResourceNotFoundException")(seen) && /Log/.test(seen.action),
    code: "LogStreamNotFound",
    retry: "never",
    message: (seen) =>
      `${seen.text || "The log stream does not exist."} (log group '${seen.context.logGroup ?? "unknown"}')`,
    advice: () => "Normal until the container has started, and for ever if it never does."
  },
  {
    when: named(
      "PlatformUnknownException",
      "PlatformTaskDefinitionIncompatibilityException",
      "UnsupportedFeatureException"
    ),
    code: "PlatformUnsupported",
    retry: "never",
    message: (seen) => `The platform cannot run this task: ${seen.text || seen.name}`,
    advice: () => "Check platformVersion, runtimePlatform and the features that the task definition asks for."
  }
]

const lostCodes =
  /^(ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|ETIMEDOUT|ESOCKETTIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_\w+)$/

const unavailable: ReadonlyArray<Row> = [
  {
    when: (seen) => lostCodes.test(seen.systemCode ?? seen.name),
    code: "ServiceUnavailable",
    retry: "transient",
    message: (seen) => `AWS could not be reached for ${seen.action} (${seen.systemCode ?? seen.name}).`,
    advice: () => "The same call is repeated. Check the network, DNS and, where it is set, AWS_ENDPOINT_URL."
  },
  {
    when: (seen) =>
      (seen.status !== undefined && (seen.status >= 500 || seen.status < 300)) ||
      named(
        "ServerException",
        "ServiceException",
        "InternalFailure",
        "InternalError",
        "InternalServerError",
        "InternalServerException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Unavailable",
        "RequestTimeout",
        "RequestTimeoutException",
        "TimeoutError",
        "AbortError",
        "SyntaxError"
      )(seen),
    code: "ServiceUnavailable",
    retry: "transient",
    message: (seen) => `AWS failed to answer ${seen.action} (${seen.name || `HTTP ${seen.status ?? "?"}`}).`,
    advice: () => "The same call is repeated with the same client token; nothing is launched twice."
  }
]

const inputs: ReadonlyArray<Row> = [
  {
    when: says(/Region is missing/i),
    code: "InvalidParameter",
    retry: "never",
    message: (seen) => `No AWS region is known for ${seen.action}.`,
    advice: () => "Set AWS_REGION for this process, or name a region in the pool or the request."
  },
  {
    when: (seen) =>
      named("ClientException", "ValidationException", "ValidationError")(seen) || seen.name.startsWith("Invalid"),
    code: "InvalidParameter",
    retry: "never",
    message: (seen) => `${seen.action} refused a parameter: ${seen.text || seen.name}`,
    advice: () => "Correct the named parameter in the request or its pool and submit again."
  }
]

export const rows: ReadonlyArray<Row> = [
  ...accessRows,
  ...clusters,
  ...launches,
  ...definitions,
  ...networks,
  ...missing,
  ...unavailable,
  ...inputs
]
