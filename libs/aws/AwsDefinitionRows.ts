import { named, type Row, region, type Seen, says } from "./AwsErrorFacts.ts"

const definition = (seen: Seen) =>
  seen.context.taskDefinition === undefined ? "The task definition" : `Task definition '${seen.context.taskDefinition}'`

const definitions: ReadonlyArray<Row> = [
  {
    name: "definition-inactive",
    example: { action: "RunTask", name: "ClientException", text: "TaskDefinition is inactive", status: 400 },
    when: says(/Task ?Definition is inactive/i),
    code: "TaskDefinitionInactive",
    retry: "inactive",
    message: (seen) => `${definition(seen)} is inactive.`,
    advice: () =>
      "It is registered again and the launch repeated; a definition given by its ARN you must register again yourself."
  },
  {
    name: "definition-not-found",
    example: {
      action: "DescribeTaskDefinition",
      name: "ClientException",
      text: "Unable to describe task definition.",
      status: 400
    },
    when: says(/Unable to describe task definition|task ?definition (not found|does not exist)/i),
    code: "TaskDefinitionNotFound",
    retry: "inactive",
    message: (seen) => `${definition(seen)} was not found in ${region(seen)}.`,
    advice: () => "Check family and revision with `aws ecs list-task-definitions`."
  },
  {
    name: "fargate-size",
    example: {
      action: "RegisterTaskDefinition",
      name: "ClientException",
      text: "No Fargate configuration exists for given values: 256 CPU, 4096 memory. See the Amazon ECS documentation for the valid values.",
      status: 400
    },
    when: says(/No Fargate configuration exists/i),
    code: "TaskDefinitionInvalid",
    retry: "never",
    message: (seen) => seen.text,
    advice: () =>
      "Choose a pair of the Fargate table, e.g. 256 CPU with 512, 1024 or 2048 MiB, or 1024 CPU with 2048 to 8192 MiB."
  },
  {
    name: "role-not-valid",
    example: { action: "RegisterTaskDefinition", name: "ClientException", text: "Role is not valid", status: 400 },
    when: says(/Role is not valid/i),
    code: "TaskDefinitionInvalid",
    retry: "never",
    message: () => "AWS does not accept the execution role or the task role of the task definition.",
    advice: () => "Check both ARNs. A role that was created just now is accepted after some seconds: submit again."
  },
  {
    name: "definition-invalid",
    example: {
      action: "RegisterTaskDefinition",
      name: "ClientException",
      text: "Fargate only supports network mode ‘awsvpc’.",
      status: 400
    },
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
    name: "network-not-found",
    example: {
      action: "DescribeVpcs",
      name: "InvalidVpcID.NotFound",
      text: "The vpc ID 'vpc-0b0d' does not exist",
      status: 400
    },
    when: named("InvalidVpcID.NotFound", "InvalidVpcID.Malformed", "InvalidSubnetID.NotFound", "InvalidGroup.NotFound"),
    code: "NetworkNotFound",
    retry: "never",
    message: (seen) => `The network was not found: ${seen.text}`,
    advice: (seen) =>
      `Check that it exists in ${region(seen)}: \`aws ec2 describe-vpcs\`, \`aws ec2 describe-subnets\`.`
  },
  {
    name: "network-invalid",
    example: {
      action: "RunTask",
      name: "InvalidParameterException",
      text: "Error retrieving subnet information for [subnet-0b0d]: The subnet ID 'subnet-0b0d' does not exist (ErrorCode: InvalidSubnetID.NotFound)",
      status: 400
    },
    when: (seen) =>
      named("InvalidParameterException", "ClientException")(seen) &&
      says(/subnet|security group|network ?configuration|assign ?public ?ip/i)(seen),
    code: "NetworkInvalid",
    retry: "never",
    message: (seen) => `${seen.action} refused the network configuration: ${seen.text}`,
    advice: () => "Check subnets, security groups and public IP: all of one VPC, and awsvpc needs at least one subnet."
  }
]

const platforms: ReadonlyArray<Row> = [
  {
    name: "platform-unsupported",
    example: {
      action: "RunTask",
      name: "PlatformUnknownException",
      text: "The specified platform does not exist.",
      status: 400
    },
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

/** The part of the table that is about task definitions, networks and platforms. */
export const definitionRows: ReadonlyArray<Row> = [...definitions, ...networks, ...platforms]
