import { DescribeLogGroupsCommand, type DescribeLogGroupsResponse } from "@aws-sdk/client-cloudwatch-logs"
import type { DescribeSubnetsResult } from "@aws-sdk/client-ec2"
import type { GetRoleResponse } from "@aws-sdk/client-iam"
import { Context, Effect, Layer } from "effect"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { isJson, listOf } from "#ecs-core/Json.ts"
import { classify } from "./AwsError.ts"
import { Clients, ec2Sdk, iamSdk } from "./Clients.ts"
import { sender } from "./calls.ts"
import type { AwsTarget } from "./Target.ts"

export interface Subnet {
  readonly subnetId: string
  readonly vpcId: string
  /** Addresses that tasks could still get. */
  readonly freeAddresses: number
}

export interface Role {
  readonly arn: string
  /** Services that may assume it, such as `ecs-tasks.amazonaws.com`. */
  readonly trusts: ReadonlyArray<string>
}

/**
 * What is there in an account of all that a fleet stands on, beside its clusters and networks. People ask (`fleet
 * verify`), never a service: nothing is remembered, paced or repeated.
 */
export class Inventory extends Context.Service<
  Inventory,
  {
    /** Those of these subnets that are there; at most 200 (AWS). */
    readonly subnets: (
      target: AwsTarget,
      subnetIds: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<Subnet>, AwsFailure>
    readonly hasLogGroup: (target: AwsTarget, name: string) => Effect.Effect<boolean, AwsFailure>
    /** By the name in an ARN, in the account that is asked; undefined = there is no such role. */
    readonly role: (target: AwsTarget, arn: string) => Effect.Effect<Role | undefined, AwsFailure>
  }
>()("aws/Inventory") {
  /** Over the AWS SDK. */
  static readonly layer = Layer.effect(
    Inventory,
    Effect.map(Clients, (clients) => {
      const calls = sdkCalls(clients)
      return Inventory.of({
        subnets: (target, ids) => subnets(calls, target, ids),
        hasLogGroup: (target, name) => hasLogGroup(calls, target, name),
        role: (target, arn) => role(calls, target, arn)
      })
    })
  )
}

type Calls = ReturnType<typeof sdkCalls>

const sdkCalls = (clients: Clients["Service"]) => ({
  region: clients.region,
  describeSubnets: sender(clients.ec2)(
    "DescribeSubnets",
    async (client, input: { readonly ids: ReadonlyArray<string> }, options): Promise<DescribeSubnetsResult> => {
      const { DescribeSubnetsCommand } = await ec2Sdk()
      const Filters = [{ Name: "subnet-id", Values: [...input.ids] }]
      return client.send(new DescribeSubnetsCommand({ Filters }), options)
    }
  ),
  describeLogGroups: sender(clients.logs)(
    "DescribeLogGroups",
    (client, input: { readonly name: string }, options): Promise<DescribeLogGroupsResponse> =>
      client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: input.name }), options)
  ),
  getRole: sender(clients.iam)(
    "GetRole",
    async (client, input: { readonly name: string }, options): Promise<GetRoleResponse> => {
      const { GetRoleCommand } = await iamSdk()
      return client.send(new GetRoleCommand({ RoleName: input.name }), options)
    }
  )
})

const subnets = (calls: Calls, target: AwsTarget, ids: ReadonlyArray<string>) =>
  calls.describeSubnets(target, { ids }).pipe(
    Effect.mapError(failureOf(calls, target, "DescribeSubnets")),
    Effect.map(({ Subnets = [] }) =>
      Subnets.map(
        ({ AvailableIpAddressCount: freeAddresses = 0, SubnetId: subnetId = "", VpcId: vpcId = "" }): Subnet => ({
          subnetId,
          vpcId,
          freeAddresses
        })
      )
    )
  )

/** Of the groups whose names begin so, the one with just this name comes first. */
const hasLogGroup = (calls: Calls, target: AwsTarget, name: string) =>
  calls.describeLogGroups(target, { name }).pipe(
    Effect.mapError(failureOf(calls, target, "DescribeLogGroups")),
    Effect.map(({ logGroups = [] }) => logGroups.some(({ logGroupName }) => logGroupName === name))
  )

const role = (calls: Calls, target: AwsTarget, arn: string) =>
  calls.getRole(target, { name: arn.slice(arn.lastIndexOf("/") + 1) }).pipe(
    Effect.map(
      ({ Role: found }): Role => ({ arn: found?.Arn ?? arn, trusts: trustedServices(found?.AssumeRolePolicyDocument) })
    ),
    Effect.catch((error) => (isMissing(error) ? Effect.undefined : Effect.fail(error))),
    Effect.mapError(failureOf(calls, target, "GetRole"))
  )

const isMissing = (error: unknown): boolean => error instanceof Error && error.name.startsWith("NoSuchEntity")

/** The services that a trust policy names, as IAM gives it: URL-encoded JSON. */
export const trustedServices = (policy: string | undefined): ReadonlyArray<string> => {
  const document: unknown = JSON.parse(decodeURIComponent(policy ?? "{}"))
  const statements = isJson(document) ? [document["Statement"]].flat() : []
  return statements.flatMap((statement) => {
    const principal = isJson(statement) && statement["Effect"] === "Allow" ? statement["Principal"] : undefined
    const services = isJson(principal) ? principal["Service"] : undefined
    return typeof services === "string" ? [services] : listOf(services).filter((each) => typeof each === "string")
  })
}

const failureOf = (calls: Calls, target: AwsTarget, action: string) => (error: unknown) =>
  classify(action, error, { region: calls.region(target), credentials: target.credentials })
