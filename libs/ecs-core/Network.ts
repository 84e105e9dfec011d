import type { NetworkConfiguration } from "./RunRequest.ts"

export type AwsvpcConfiguration = NetworkConfiguration

/** RunTask takes at most 16 subnets. */
export const SUBNETS_MAX = 16

/** The inferred network (peers 54): all subnets of the VPC, a public IP, the VPC's own security group. */
export const inferNetwork = (vpc: { readonly subnetIds: ReadonlyArray<string> }): AwsvpcConfiguration => ({
  subnets: vpc.subnetIds.toSorted().slice(0, SUBNETS_MAX),
  securityGroups: [],
  assignPublicIp: "ENABLED"
})
