import type {
  DescribeSubnetsRequest,
  DescribeSubnetsResult,
  DescribeVpcsRequest,
  DescribeVpcsResult
} from "@aws-sdk/client-ec2"
import { Cache, Context, Duration, Effect, Exit, Layer, type Scope } from "effect"
import { AwsFailure } from "#ecs-core/errors.ts"
import { AwsConfig } from "./AwsConfig.ts"
import { classify } from "./AwsError.ts"
import { Clients, ec2Sdk } from "./Clients.ts"
import { type Call, modelCall, regionOfModel, sender } from "./calls.ts"
import { EcsModel } from "./model/EcsModel.ts"
import type { AwsTarget } from "./Target.ts"

export interface VpcNetwork {
  readonly vpcId: string
  /** All subnets of the VPC, at least one. RunTask takes at most 16. */
  readonly subnetIds: ReadonlyArray<string>
}

/** Looks up the network that a request leaves out. Answers are believed for `networkCacheSeconds`, failures not at all. */
export class Ec2Network extends Context.Service<
  Ec2Network,
  {
    /** The given VPC, or the region's default one. `NetworkNotFound` when there is none, or it has no subnets. */
    readonly describe: (target: AwsTarget, vpcId: string | undefined) => Effect.Effect<VpcNetwork, AwsFailure>
    /**
     * The same, when AWS did not agree with `stale`, an earlier answer: it is forgotten, unless somebody else has looked
     * again since, whose answer then counts. However many ask at once, EC2 is asked once.
     */
    readonly refresh: (
      target: AwsTarget,
      vpcId: string | undefined,
      stale: VpcNetwork
    ) => Effect.Effect<VpcNetwork, AwsFailure>
  }
>()("aws/Ec2Network") {
  /** Over the AWS SDK. */
  static readonly layer = Layer.effect(
    Ec2Network,
    Effect.gen(function* () {
      const { networkCacheSeconds } = yield* AwsConfig
      return yield* makeNetwork(sdkCalls(yield* Clients), networkCacheSeconds)
    })
  )
  /** Over the model in memory; it remembers nothing, so that a test sees what is. */
  static readonly layerMemory = Layer.effect(
    Ec2Network,
    Effect.flatMap(EcsModel, (model) => makeNetwork(modelCalls(model), 0))
  )
}

/** VPCs remembered at one time. */
export const maxCachedNetworks = 1000
/** Subnets asked for in one page. */
const pageSize = 100
/** A chain of pages that does not end after this many is an error of the other side. */
const maxPages = 100

/** The operations of EC2 that the port makes use of, whoever carries them out. */
export interface Ec2Calls {
  readonly region: (target: AwsTarget) => string | undefined
  readonly describeVpcs: Call<DescribeVpcsRequest, DescribeVpcsResult>
  readonly describeSubnets: Call<DescribeSubnetsRequest, DescribeSubnetsResult>
}

const sdkCalls = (clients: Clients["Service"]): Ec2Calls => {
  const send = sender(clients.ec2)
  return {
    region: clients.region,
    describeVpcs: send("DescribeVpcs", async (client, input, options) => {
      const { DescribeVpcsCommand } = await ec2Sdk()
      return client.send(new DescribeVpcsCommand(input), options)
    }),
    describeSubnets: send("DescribeSubnets", async (client, input, options) => {
      const { DescribeSubnetsCommand } = await ec2Sdk()
      return client.send(new DescribeSubnetsCommand(input), options)
    })
  }
}

const modelCalls = ({ ec2 }: EcsModel["Service"]): Ec2Calls => ({
  region: regionOfModel,
  describeVpcs: modelCall(ec2.DescribeVpcs),
  describeSubnets: modelCall(ec2.DescribeSubnets)
})

interface Wanted {
  readonly region: string | undefined
  readonly credentials: string | undefined
  readonly vpcId: string | undefined
}

/** The port over these calls; an answer is believed for `cacheSeconds`. */
export const makeNetwork = (
  calls: Ec2Calls,
  cacheSeconds: number
): Effect.Effect<Ec2Network["Service"], never, Scope.Scope> =>
  Effect.map(
    Cache.makeWith((wanted: Wanted) => lookUp(calls, wanted), {
      capacity: maxCachedNetworks,
      timeToLive: (exit) => (Exit.isSuccess(exit) ? Duration.seconds(cacheSeconds) : Duration.zero)
    }),
    (networks) => ({
      describe: (target, vpcId) => Cache.get(networks, wantedOf(target, vpcId)),
      refresh: (target, vpcId, stale) =>
        Effect.andThen(
          Cache.invalidateWhen(networks, wantedOf(target, vpcId), (known) => known === stale),
          Cache.get(networks, wantedOf(target, vpcId))
        )
    })
  )

const wantedOf = ({ region, credentials }: AwsTarget, vpcId: string | undefined): Wanted => ({
  region,
  credentials,
  vpcId
})

const lookUp = (calls: Ec2Calls, { region, credentials, vpcId }: Wanted): Effect.Effect<VpcNetwork, AwsFailure> => {
  const target: AwsTarget = {
    ...(region === undefined ? {} : { region }),
    ...(credentials === undefined ? {} : { credentials })
  }
  return Effect.flatMap(findVpc(calls, target, vpcId), (found) => findSubnets(calls, target, found, vpcId))
}

const findVpc = (calls: Ec2Calls, target: AwsTarget, vpcId: string | undefined): Effect.Effect<string, AwsFailure> => {
  const filter = vpcId === undefined ? { Name: "is-default", Values: ["true"] } : { Name: "vpc-id", Values: [vpcId] }
  return calls.describeVpcs(target, { Filters: [filter] }).pipe(
    Effect.mapError((error) =>
      classify("DescribeVpcs", error, { region: calls.region(target), credentials: target.credentials })
    ),
    Effect.flatMap(({ Vpcs }) => {
      const found = Vpcs?.[0]?.VpcId
      return found === undefined ? Effect.fail(noVpc(vpcId)) : Effect.succeed(found)
    })
  )
}

const findSubnets = Effect.fnUntraced(function* (
  calls: Ec2Calls,
  target: AwsTarget,
  found: string,
  wanted: string | undefined
) {
  const subnetIds: Array<string> = []
  let NextToken: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const input = { Filters: [{ Name: "vpc-id", Values: [found] }], MaxResults: pageSize, NextToken }
    const answer = yield* Effect.mapError(calls.describeSubnets(target, input), (error) =>
      classify("DescribeSubnets", error, { region: calls.region(target), credentials: target.credentials })
    )
    subnetIds.push(...(answer.Subnets ?? []).flatMap(({ SubnetId }) => SubnetId ?? []))
    NextToken = answer.NextToken === "" ? undefined : answer.NextToken
    if (NextToken === undefined) break
  }
  if (subnetIds.length === 0) return yield* noSubnets(wanted)
  const network: VpcNetwork = { vpcId: found, subnetIds }
  return network
})

const noVpc = (vpcId: string | undefined) =>
  vpcId === undefined
    ? notFound(
        "DescribeVpcs",
        "Failed to find the default VPC. Network configuration cannot be inferred.",
        "Pass an explicit `vpcId`, or configure a default VPC with `aws ec2 create-default-vpc`."
      )
    : notFound(
        "DescribeVpcs",
        `Failed to find VPC with ID ${vpcId}. Network configuration cannot be inferred.`,
        "Check that the VPC exists in the current region: `aws ec2 describe-vpcs`."
      )

const noSubnets = (vpcId: string | undefined) =>
  notFound(
    "DescribeSubnets",
    `Failed to find subnets for ${vpcId === undefined ? "the default VPC" : `VPC with ID ${vpcId}`}. Network configuration cannot be inferred.`,
    "Create a subnet in the VPC, or name another VPC with `vpcId`."
  )

const notFound = (action: string, message: string, advice: string) =>
  new AwsFailure({ code: "NetworkNotFound", retry: "never", message, advice, action })
