import type * as Ec2 from "@aws-sdk/client-ec2"
import { Result } from "effect"
import { type Answer, refuse } from "./AwsException.ts"
import { page } from "./pages.ts"
import type { ModelNetwork, World } from "./World.ts"

/** EC2's pages (AWS: 5 to 1000). */
const maxPage = 1000

interface Filtered {
  readonly Filters?: Array<Ec2.Filter> | undefined
}

export const describeVpcs = (
  world: World,
  _region: string,
  input: Ec2.DescribeVpcsRequest
): Answer<Ec2.DescribeVpcsResult> => {
  const all = world.options.networks
  const alien = input.VpcIds?.find((id) => !all.some(({ vpcId }) => vpcId === id))
  if (alien !== undefined) return refuse("InvalidVpcID.NotFound", `The vpc ID '${alien}' does not exist`)
  const found = all.filter(
    (network) =>
      passes(input, "is-default", String(network.isDefault)) &&
      passes(input, "vpc-id", network.vpcId) &&
      (input.VpcIds === undefined || input.VpcIds.length === 0 || input.VpcIds.includes(network.vpcId))
  )
  return Result.map(page(found, input.NextToken, input.MaxResults, maxPage), ({ items, nextToken }) => ({
    Vpcs: items.map((network) => ({
      VpcId: network.vpcId,
      IsDefault: network.isDefault,
      State: "available" as const,
      CidrBlock: "172.31.0.0/16",
      OwnerId: world.options.accountId,
      Tags: []
    })),
    NextToken: nextToken
  }))
}

export const describeSubnets = (
  world: World,
  region: string,
  input: Ec2.DescribeSubnetsRequest
): Answer<Ec2.DescribeSubnetsResult> => {
  const all = world.options.networks.flatMap((network) =>
    network.subnetIds.map((id, index) => ({ network, id, index }))
  )
  const alien = input.SubnetIds?.find((wanted) => !all.some(({ id }) => id === wanted))
  if (alien !== undefined) return refuse("InvalidSubnetID.NotFound", `The subnet ID '${alien}' does not exist`)
  const found = all.filter(
    ({ network, id }) =>
      passes(input, "vpc-id", network.vpcId) &&
      passes(input, "subnet-id", id) &&
      passes(input, "default-for-az", String(network.isDefault)) &&
      (input.SubnetIds === undefined || input.SubnetIds.length === 0 || input.SubnetIds.includes(id))
  )
  return Result.map(page(found, input.NextToken, input.MaxResults, maxPage), ({ items, nextToken }) => ({
    Subnets: items.map(({ network, id, index }) => ({
      SubnetId: id,
      VpcId: network.vpcId,
      AvailabilityZone: `${region}${String.fromCodePoint(97 + (index % 3))}`,
      AvailableIpAddressCount: 4091,
      CidrBlock: `172.31.${index * 16}.0/20`,
      DefaultForAz: network.isDefault,
      MapPublicIpOnLaunch: network.isDefault,
      State: "available" as const,
      Tags: []
    })),
    NextToken: nextToken
  }))
}

export const describeSecurityGroups = (
  world: World,
  _region: string,
  input: Ec2.DescribeSecurityGroupsRequest
): Answer<Ec2.DescribeSecurityGroupsResult> => {
  const all = world.options.networks
  const alien = input.GroupIds?.find((id) => !all.some(({ securityGroupId }) => securityGroupId === id))
  if (alien !== undefined) return refuse("InvalidGroup.NotFound", `The security group '${alien}' does not exist`)
  const found = all.filter(
    (network: ModelNetwork) =>
      passes(input, "vpc-id", network.vpcId) &&
      passes(input, "group-name", "default") &&
      passes(input, "group-id", network.securityGroupId) &&
      (input.GroupIds === undefined || input.GroupIds.length === 0 || input.GroupIds.includes(network.securityGroupId))
  )
  return Result.map(page(found, input.NextToken, input.MaxResults, maxPage), ({ items, nextToken }) => ({
    SecurityGroups: items.map((network) => ({
      GroupId: network.securityGroupId,
      GroupName: "default",
      Description: "default VPC security group",
      VpcId: network.vpcId,
      OwnerId: world.options.accountId,
      Tags: []
    })),
    NextToken: nextToken
  }))
}

/** Filters of other names are ignored. */
const passes = ({ Filters = [] }: Filtered, name: string, value: string): boolean =>
  Filters.filter((filter) => filter.Name === name).every((filter) => filter.Values?.includes(value) === true)
