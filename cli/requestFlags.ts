import { Argument, type Command, Flag } from "effect/cli"
import { option } from "./flags.ts"

const text = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.optional, Flag.withDescription(description))

const number = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.optional, Flag.withDescription(description))

const repeated = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(`${description}; may be repeated`),
    Flag.atLeast(0)
  )

/**
 * The fields of `run.requested` that people set from run to run, each under its own name; all others come by `--file`.
 * Values are checked where the request is: by the dispatcher, or by a dry run.
 */
export const requestFlags = {
  image: text("image", "Image; unset = the pool's"),
  env: repeated("env", "NAME=VALUE", "Environment variable; NAME alone takes the value it has here").pipe(
    Flag.withAlias("e")
  ),
  cpu: number("cpu", "CPU units; 1024 is one vCPU"),
  memory: number("memory", "MiB"),
  arm64: option("arm64", "Run on ARM64; the image must be built for it"),
  name: text("name", "The job's name, shared by all its runs"),
  pool: text("pool", "Named defaults; unset = default"),
  label: repeated("label", "NAME=VALUE", "Label; becomes a tag of the task, characters that tags cannot have replaced"),
  tag: repeated("tag", "NAME=VALUE", "Tag of the task, as written"),
  cluster: text("cluster", "ECS cluster, name or ARN"),
  region: text("region", "AWS region; unset = the pool's, else the dispatcher's"),
  launchType: text("launch-type", "FARGATE, FARGATE_SPOT, EC2, EXTERNAL or MANAGED_INSTANCES"),
  taskDefinitionArn: text("task-definition", "ARN, family or family:revision of a definition to use as it is"),
  family: text("family", "Family of the definition that is registered"),
  taskRoleArn: text("task-role", "ARN of the role of the program"),
  executionRoleArn: text("execution-role", "ARN of the role with which ECS pulls and logs"),
  vpcId: text("vpc", "VPC to take the network from; needed with --subnet"),
  subnet: repeated("subnet", "ID", "Subnet of --vpc; unset = all of the VPC"),
  securityGroup: repeated("security-group", "ID", "Security group, with --subnet"),
  publicIp: option("public-ip", "Assign a public IP address, with --subnet"),
  command: Argument.String("command").pipe(
    Argument.withDescription("The program and its arguments, best after --"),
    Argument.variadic({ min: 0 })
  )
}

export type RequestFlags = Command.Command.Config.Infer<typeof requestFlags>
