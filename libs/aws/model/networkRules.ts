import type { LaunchType, RunTaskRequest, TaskDefinition } from "@aws-sdk/client-ecs"
import { type AwsException, invalid } from "./AwsException.ts"
import type { World } from "./World.ts"

/** Limits of an `awsvpcConfiguration` (API reference). */
export const maxSubnets = 16
export const maxSecurityGroups = 5

/** What AWS would refuse in the network of a launch: `awsvpc` needs subnets of one VPC that exist, other modes none. */
export const refuseNetwork = (
  world: World,
  input: RunTaskRequest,
  definition: TaskDefinition,
  launchType: LaunchType
): AwsException | undefined => {
  const network = input.networkConfiguration?.awsvpcConfiguration
  if (definition.networkMode !== "awsvpc") {
    return network === undefined
      ? undefined
      : invalid("Network Configuration is not valid for the given networkMode of this task definition.")
  }
  if (network === undefined) {
    return invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
  }
  const [subnets, securityGroups] = [network.subnets ?? [], network.securityGroups ?? []]
  if (subnets.length === 0) return invalid("subnets can not be empty.")
  if (subnets.length > maxSubnets) return invalid(`subnets can have at most ${maxSubnets} items.`)
  if (securityGroups.length > maxSecurityGroups) {
    return invalid(`securityGroups can have at most ${maxSecurityGroups} items.`)
  }
  if (network.assignPublicIp === "ENABLED" && (launchType === "EC2" || launchType === "EXTERNAL")) {
    return invalid("Assign public IP is not supported for this launch type.")
  }
  return refuseMembers(world, subnets, securityGroups)
}

const refuseMembers = (
  { options: { networks } }: World,
  subnets: ReadonlyArray<string>,
  securityGroups: ReadonlyArray<string>
): AwsException | undefined => {
  const vpcs = new Map(networks.flatMap(({ subnetIds, vpcId }) => subnetIds.map((id) => [id, vpcId] as const)))
  const alien = subnets.find((subnet) => !vpcs.has(subnet))
  if (alien !== undefined) {
    return invalid(
      `Error retrieving subnet information for [${alien}]: The subnet ID '${alien}' does not exist (ErrorCode: InvalidSubnetID.NotFound)`
    )
  }
  if (new Set(subnets.map((subnet) => vpcs.get(subnet))).size > 1) return invalid("Subnets must be from the same VPC.")
  const groups = new Map(networks.map(({ securityGroupId, vpcId }) => [securityGroupId, vpcId]))
  const unknown = securityGroups.find((group) => !groups.has(group))
  if (unknown !== undefined) {
    return invalid(
      `Error retrieving security group information for [${unknown}]: The security group '${unknown}' does not exist (ErrorCode: InvalidGroup.NotFound)`
    )
  }
  const vpc = vpcs.get(subnets[0] ?? "")
  return securityGroups.every((group) => groups.get(group) === vpc)
    ? undefined
    : invalid("Security groups must be from the same VPC as the subnets.")
}
