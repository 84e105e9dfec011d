import type { Cluster } from "@aws-sdk/client-ecs"
import { Result } from "effect"
import type { Role, Subnet } from "#aws/Inventory.ts"
import type { AwsTarget } from "#aws/Target.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { type Finding, type Looked, ng, ok, skipped } from "./Finding.ts"
import type { Asked, PoolPlan } from "./plan.ts"

export type Answer<A> = Result.Result<A, AwsFailure>

const TASKS = "ecs-tasks.amazonaws.com"

/** How people know an account here: its region, and the set of credentials unless it is the process's own. */
export const placeText = ({ credentials, region }: AwsTarget): string =>
  [region, ...(credentials === undefined ? [] : [credentials])].join(", ")

/** Whether AWS answers, and knows who asks: any answer but these two kinds says that it does. */
export const accountFinding = (target: AwsTarget, answer: Answer<unknown>): Finding => {
  const looked: Looked = { check: "aws", subject: placeText(target) }
  if (Result.isSuccess(answer) || !isNoAnswer(answer.failure)) return ok(looked, "answers, and accepts the credentials")
  return ng(looked, answer.failure.message, answer.failure.advice)
}

const isNoAnswer = ({ retry }: AwsFailure): boolean => retry === "credentials" || retry === "transient"

/** What an answer says that is none; undefined = the caller knows more. */
const unanswered = (looked: Looked, failure: AwsFailure, right: string): Finding | undefined => {
  if (isNoAnswer(failure) || failure.retry === "throttle") return skipped(looked, `AWS does not say: ${failure.code}`)
  if (failure.code === "AccessDenied") return skipped(looked, `these credentials may not ask: allow ${right}`)
  return undefined
}

const refused = (looked: Looked, failure: AwsFailure, right: string): Finding =>
  unanswered(looked, failure, right) ?? ng(looked, failure.message, failure.advice)

/** Of what nobody can tell whether runs need it. */
export const unknownNeeds: ReadonlyArray<Finding> = ["cluster", "execution role", "network", "log group", "vcpus"].map(
  (check) => skipped({ check }, "no pool that can be used says which")
)

export const clusterFinding = (target: AwsTarget, cluster: string, answer: Answer<Cluster>): Finding => {
  const looked: Looked = { check: "cluster", subject: `${cluster} (${placeText(target)})` }
  if (Result.isSuccess(answer)) {
    const { status = "unknown" } = answer.success
    return status === "ACTIVE"
      ? ok(looked, "ACTIVE")
      : ng(looked, `is ${status}`, "Wait until it is ACTIVE, or name another cluster in the pool")
  }
  if (answer.failure.code !== "ClusterNotFound") return refused(looked, answer.failure, "ecs:DescribeClusters")
  const name = cluster.slice(cluster.lastIndexOf("/") + 1)
  return ng(
    looked,
    "ECS does not know it in this region",
    `aws ecs create-cluster --region ${target.region} --cluster-name ${name}, or correct the pool's "cluster" and "region"`
  )
}

/** A pool without an execution role; undefined = it has one, or needs none. */
export const noRoleFinding = ({ executionRoleArn, isLinked, pool }: PoolPlan): Finding | undefined => {
  if (executionRoleArn !== undefined) return undefined
  const looked: Looked = { check: "execution role", subject: `of pool ${pool}` }
  if (isLinked) return skipped(looked, "its task definition is kept elsewhere")
  return ng(
    looked,
    "none is set: ECS can write no lines, and pull no private images",
    `Set "executionRoleArn" in the pool; deploy/iam/execution.json has what it needs: docs/getting-started-aws.md`
  )
}

export const roleFinding = (arn: string, answer: Answer<Role | undefined>): Finding => {
  const looked: Looked = { check: "execution role", subject: arn }
  if (Result.isFailure(answer)) {
    return (
      unanswered(looked, answer.failure, "iam:GetRole") ??
      skipped(looked, `IAM cannot be asked: ${answer.failure.message}`)
    )
  }
  const name = arn.slice(arn.lastIndexOf("/") + 1)
  if (answer.success === undefined) {
    return ng(
      looked,
      "IAM does not know it",
      `aws iam create-role --role-name ${name} --assume-role-policy-document file://deploy/iam/trust-tasks.json, then deploy/iam/execution.json: docs/getting-started-aws.md; or correct the pool's "executionRoleArn"`
    )
  }
  if (accountOf(answer.success.arn) !== accountOf(arn)) {
    return ng(
      looked,
      `is another account's: these credentials are of ${accountOf(answer.success.arn)}, and a role cannot be passed across accounts`,
      `Correct "executionRoleArn" of the pool, or its "credentials"`
    )
  }
  if (answer.success.trusts.includes(TASKS)) return ok(looked, "is there, and tasks may have it")
  return ng(
    looked,
    `tasks may not have it: it trusts ${answer.success.trusts.join(", ") || "no service"}`,
    `aws iam update-assume-role-policy --role-name ${name} --policy-document file://deploy/iam/trust-tasks.json`
  )
}

const accountOf = (arn: string): string => arn.split(":")[4] ?? ""

/** The network of pools: the subnets that RunTask would be given, as far as they are there. */
export interface NetworkSeen {
  readonly wanted: ReadonlyArray<string>
  readonly found: ReadonlyArray<Subnet>
}

export const networkFinding = (
  { pools, what: { network, target } }: Asked<NetworkAsked>,
  answer: Answer<NetworkSeen>
): Finding => {
  const name = network.subnets === undefined ? (network.vpcId ?? "default VPC") : network.subnets.join(" ")
  const looked: Looked = { check: "network", subject: `${name} (${placeText(target)})` }
  if (Result.isFailure(answer)) return refused(looked, answer.failure, "ec2:DescribeVpcs and ec2:DescribeSubnets")
  const { found, wanted } = answer.success
  const missing = wanted.filter((id) => !found.some(({ subnetId }) => subnetId === id))
  const alien = found.filter(({ vpcId }) => network.vpcId !== undefined && vpcId !== network.vpcId)
  const vpcs = [...new Set(found.map(({ vpcId }) => vpcId))]
  const list = `aws ec2 describe-subnets --region ${target.region}`
  if (missing.length > 0) {
    return ng(
      looked,
      `there is no subnet ${missing.join(", ")}`,
      `Correct "networkConfiguration" of the pool; yours: ${list}`
    )
  }
  if (alien.length > 0) {
    const says = `${alien.map(({ subnetId }) => subnetId).join(", ")} not in ${network.vpcId}`
    return ng(looked, says, `Correct "vpcId" or "networkConfiguration" of the pool; yours: ${list}`)
  }
  if (vpcs.length > 1) {
    return ng(looked, `the subnets are of ${vpcs.join(" and ")}`, `Name subnets of one VPC in the pool; yours: ${list}`)
  }
  return addressFinding(looked, pools, found)
}

export interface NetworkAsked {
  readonly target: PoolPlan["target"]
  readonly network: NonNullable<PoolPlan["network"]>
}

/** Every task of a network takes an address of its subnets. */
const addressFinding = (looked: Looked, pools: ReadonlyArray<PoolPlan>, found: ReadonlyArray<Subnet>): Finding => {
  const free = found.reduce((sum, { freeAddresses }) => sum + freeAddresses, 0)
  const wanted = pools.reduce((sum, { maxRunning = 0 }) => sum + maxRunning, 0)
  const places = `${found.length} subnet${found.length === 1 ? "" : "s"}`
  if (free > 0 && wanted <= free) return ok(looked, `${free} free addresses in ${places}`)
  return ng(
    looked,
    `${free} free addresses in ${places}${wanted > 0 ? `, and maxRunning of its pools is ${wanted}` : ""}`,
    `Add larger subnets to "networkConfiguration" of the pool (RunTask takes 16), or lower "maxRunning"`
  )
}

export interface LogsAsked {
  readonly target: AwsTarget
  readonly group: string
  readonly isCreated: boolean
}

export const logGroupFinding = ({ group, isCreated, target }: LogsAsked, answer: Answer<boolean>): Finding => {
  const looked: Looked = { check: "log group", subject: `${group} (${placeText(target)})` }
  if (Result.isFailure(answer)) return refused(looked, answer.failure, "logs:DescribeLogGroups")
  if (answer.success) return ok(looked, "is there")
  if (isCreated) return ok(looked, "the first task makes it: its execution role needs logs:CreateLogGroup")
  return ng(
    looked,
    "is not there, and awslogs-create-group is not true: no task would start",
    `aws logs create-log-group --region ${target.region} --log-group-name ${group}`
  )
}
