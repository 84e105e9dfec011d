import type { RunTaskCommandInput } from "@aws-sdk/client-ecs"
import { Effect } from "effect"
import type { Ec2Network, VpcNetwork } from "#aws/Ec2Network.ts"
import { mutable } from "#aws/Mutable.ts"
import { AwsFailure } from "#ecs-core/errors.ts"
import type { TaskdefReady } from "#ecs-core/Messages.ts"
import { alienSubnets, inferNetwork } from "#ecs-core/Network.ts"

/**
 * The network of a launch. What EC2 says is remembered for minutes, and a VPC changes: whatever is found wrong with a
 * remembered answer is asked once more before a run ends for it.
 */
export interface LaunchNetwork {
  readonly input: Pick<RunTaskCommandInput, "networkConfiguration">
  /** What EC2 said, where the network was inferred from it. */
  readonly inferredFrom?: VpcNetwork
}

type Network = typeof Ec2Network.Service

/** The order's own network, checked where it asks for that, or the inferred one (peers 54, 57). */
export const networkOf = (network: Network, order: TaskdefReady): Effect.Effect<LaunchNetwork, AwsFailure> => {
  if (order.inferNetwork !== undefined) {
    return Effect.map(network.describe(order.target, order.inferNetwork.vpcId), (vpc) => inferred(order, vpc))
  }
  const verified = order.verifyNetwork === undefined ? Effect.void : verify(network, order, order.verifyNetwork.vpcId)
  return Effect.as(verified, { input: {} })
}

const inferred = (order: TaskdefReady, vpc: VpcNetwork): LaunchNetwork => ({
  input: { networkConfiguration: { awsvpcConfiguration: mutable(inferNetwork(vpc, order.inferNetwork ?? {})) } },
  inferredFrom: vpc
})

/**
 * The network for a second call after RunTask refused the inferred one, where EC2 has something new to say; `undefined`
 * = the refusal stands. A refused RunTask has launched nothing, so that the second call may use the same token.
 */
export const otherNetwork = (
  network: Network,
  order: TaskdefReady,
  { inferredFrom }: LaunchNetwork,
  refusal: AwsFailure
): Effect.Effect<LaunchNetwork | undefined, AwsFailure> => {
  const isNetworkFault = refusal.code === "NetworkInvalid" || refusal.code === "NetworkNotFound"
  if (!isNetworkFault || inferredFrom === undefined) return Effect.succeed(undefined)
  return Effect.map(network.refresh(order.target, order.inferNetwork?.vpcId, inferredFrom), (vpc) =>
    isSame(vpc, inferredFrom) ? undefined : inferred(order, vpc)
  )
}

const isSame = (a: VpcNetwork, b: VpcNetwork): boolean =>
  a.vpcId === b.vpcId && a.subnetIds.toSorted().join() === b.subnetIds.toSorted().join()

const verify = Effect.fnUntraced(function* (network: Network, order: TaskdefReady, vpcId: string) {
  const subnets = order.runTask.networkConfiguration?.awsvpcConfiguration.subnets ?? []
  const known = yield* Effect.mapError(network.describe(order.target, vpcId), withAdvice)
  if (alienSubnets(subnets, known.subnetIds).length === 0) return
  const now = yield* Effect.mapError(network.refresh(order.target, vpcId, known), withAdvice)
  const alien = alienSubnets(subnets, now.subnetIds)
  if (alien.length > 0) return yield* notWithin(alien, vpcId)
})

/** Here the VPC was named, and with it subnets: the name is what to look at. */
const withAdvice = (failure: AwsFailure): AwsFailure =>
  failure.code === "NetworkNotFound" && failure.action === "DescribeVpcs"
    ? new AwsFailure({ ...failure, message: `${failure.message} Pass an explicit \`vpcId\`.` })
    : failure

const notWithin = (alien: ReadonlyArray<string>, vpcId: string) =>
  new AwsFailure({
    code: "NetworkInvalid",
    retry: "never",
    action: "DescribeSubnets",
    message: `Subnets [${alien.join(", ")}] not found within VPC with ID ${vpcId}.`,
    advice: `Please check that the VPC is associated with the supplied subnets: \`aws ec2 describe-subnets --filters Name=vpc-id,Values=${vpcId}\`.`
  })
