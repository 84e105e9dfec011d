import { Schema } from "effect"
import type { Job } from "./Job.ts"
import { isJson, textOf } from "./Json.ts"
import { runsOnFargate } from "./LaunchOn.ts"
import type { TaskdefReady } from "./Messages.ts"
import { NetworkConfiguration, SUBNETS_MAX } from "./RunRequest.ts"

export type AwsvpcConfiguration = NetworkConfiguration

const isNetwork = Schema.is(NetworkConfiguration)

/** The network that a free run request holds: it is taken as it is. */
const freeNetwork = (job: Job): AwsvpcConfiguration | undefined => {
  const network = job.taskRunRequest["networkConfiguration"]
  const awsvpc = isJson(network) ? network["awsvpcConfiguration"] : undefined
  return isNetwork(awsvpc) ? awsvpc : undefined
}

const usesAwsvpc = (definition: object): boolean => textOf(Reflect.get(definition, "networkMode")) === "awsvpc"

/**
 * The network of a launch as far as the job says it. Another mode than awsvpc takes none (peers 55); off Fargate there
 * is no public IP to ask for (peers 77).
 */
export const networkOf = (job: Job, definition: object): AwsvpcConfiguration | undefined => {
  const free = freeNetwork(job)
  if (free !== undefined) return free
  if (job.networkConfiguration === undefined || !usesAwsvpc(definition)) return undefined
  const { assignPublicIp: _fargateOnly, ...network } = job.networkConfiguration
  return runsOnFargate(job, definition) ? job.networkConfiguration : network
}

/** What the launcher has to find out about the network: all of it (peers 54), or whether the subnets fit (peers 57). */
export const networkPlan = (job: Job, definition: object): Pick<TaskdefReady, "inferNetwork" | "verifyNetwork"> => {
  if (!usesAwsvpc(definition) || freeNetwork(job) !== undefined) return {}
  const vpc = job.vpcId === undefined ? {} : { vpcId: job.vpcId }
  if (job.networkConfiguration === undefined) {
    return { inferNetwork: runsOnFargate(job, definition) ? vpc : { ...vpc, assignPublicIp: "DISABLED" } }
  }
  return job.vpcId === undefined ? {} : { verifyNetwork: { vpcId: job.vpcId } }
}

/**
 * The inferred network (peers 54): all subnets of the VPC up to RunTask's limit, the VPC's own security group, and a
 * public IP on Fargate. The same subnets in any order give the same network, so that a client token replays.
 */
export const inferNetwork = (
  vpc: { readonly subnetIds: ReadonlyArray<string> },
  { assignPublicIp }: NonNullable<TaskdefReady["inferNetwork"]>
): AwsvpcConfiguration => ({
  subnets: vpc.subnetIds.toSorted().slice(0, SUBNETS_MAX),
  securityGroups: [],
  ...(assignPublicIp === "DISABLED" ? {} : { assignPublicIp: "ENABLED" as const })
})

/** Those of the subnets that the VPC does not have, in order (peers 57). */
export const alienSubnets = (
  subnets: ReadonlyArray<string>,
  vpcSubnetIds: ReadonlyArray<string>
): ReadonlyArray<string> => subnets.filter((subnet) => !vpcSubnetIds.includes(subnet))
