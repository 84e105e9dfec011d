import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { AwsFailure } from "#ecs-core/errors.ts"
import {
  accountFinding,
  clusterFinding,
  logGroupFinding,
  networkFinding,
  noRoleFinding,
  roleFinding
} from "./awsFindings.ts"
import type { Finding } from "./Finding.ts"
import type { PoolPlan } from "./plan.ts"

const failed = (code: AwsFailure["code"], retry: AwsFailure["retry"]) =>
  Result.fail(new AwsFailure({ code, retry, message: `It is ${code}.`, advice: "Mend it.", action: "Any" }))

const denied = failed("AccessDenied", "never")
const expired = failed("CredentialsRejected", "credentials")
const silent = failed("ServiceUnavailable", "transient")
const throttled = failed("Throttled", "throttle")
const refused = failed("NetworkNotFound", "never")

const target = { region: "eu-west-1", credentials: "team-a" }

const plan: PoolPlan = { pool: "p", target, cluster: "main", executionRoleArn: "arn", isLinked: false }

type Row = readonly [name: string, finding: Finding, verdict: Finding["verdict"], text: RegExp]

const judged = (rows: ReadonlyArray<Row>) =>
  it.each(rows)("%s", (_, finding, verdict, text) => {
    assert.strictEqual(finding.verdict, verdict)
    assert.strictEqual(finding.fix !== undefined, verdict === "NG")
    assert.match([finding.subject, finding.says, finding.fix].filter(Boolean).join(" | "), text)
  })

describe("an account", () => {
  judged([
    ["that answers", accountFinding(target, Result.succeed({})), "OK", /^eu-west-1, team-a \| answers/],
    ["that refuses a right: it knows who asks", accountFinding(target, denied), "OK", /accepts the credentials/],
    ["that throttles", accountFinding(target, throttled), "OK", /answers/],
    ["that does not accept the credentials", accountFinding(target, expired), "NG", /CredentialsRejected\. \| Mend it/],
    ["that does not answer", accountFinding(target, silent), "NG", /ServiceUnavailable\. \| Mend it/]
  ])
})

describe("a cluster", () => {
  const of = (answer: Parameters<typeof clusterFinding>[2], name = "main") => clusterFinding(target, name, answer)
  judged([
    ["that is ACTIVE", of(Result.succeed({ status: "ACTIVE" })), "OK", /^main \(eu-west-1, team-a\) \| ACTIVE$/],
    ["that is being made", of(Result.succeed({ status: "PROVISIONING" })), "NG", /is PROVISIONING \| Wait/],
    [
      "that is not there",
      of(failed("ClusterNotFound", "never"), "arn:aws:ecs:eu-west-1:1:cluster/jobs"),
      "NG",
      /create-cluster --region eu-west-1 --cluster-name jobs,/
    ],
    ["nobody may ask for", of(denied), "SKIP", /allow ecs:DescribeClusters/],
    ["of an account that does not answer", of(silent), "SKIP", /does not say: ServiceUnavailable/],
    ["of credentials that are not accepted", of(expired), "SKIP", /does not say: CredentialsRejected/],
    ["refused for another reason", of(failed("InvalidParameter", "never")), "NG", /InvalidParameter\. \| Mend it/]
  ])
})

describe("an execution role", () => {
  const arn = "arn:aws:iam::123456789012:role/path/fleet-execution"
  const role = (trusts: ReadonlyArray<string>, own = arn) => roleFinding(arn, Result.succeed({ arn: own, trusts }))
  judged([
    ["that tasks may have", role(["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]), "OK", /tasks may have it/],
    [
      "of another service",
      role(["ec2.amazonaws.com"]),
      "NG",
      /trusts ec2\.amazonaws\.com \| aws iam update-assume-role-policy --role-name fleet-execution/
    ],
    ["of nobody", role([]), "NG", /trusts no service/],
    ["of another account", role([], "arn:aws:iam::999999999999:role/fleet-execution"), "NG", /are of 999999999999/],
    [
      "that is not there",
      roleFinding(arn, Result.succeed(undefined)),
      "NG",
      /create-role --role-name fleet-execution /
    ],
    ["nobody may ask for", roleFinding(arn, denied), "SKIP", /allow iam:GetRole/],
    [
      "where there is no IAM",
      roleFinding(arn, failed("AwsError", "never")),
      "SKIP",
      /IAM cannot be asked: It is AwsError/
    ]
  ])

  it("is missed where a pool names none and keeps its own definition", () => {
    const { executionRoleArn: _, ...without } = plan
    const verdict = (change: Partial<PoolPlan>) =>
      noRoleFinding({ ...without, executionRoleArn: undefined, ...change })?.verdict
    assert.deepStrictEqual(
      [verdict({}), verdict({ isLinked: true }), verdict({ executionRoleArn: "arn" })],
      ["NG", "SKIP", undefined]
    )
  })
})

describe("a network", () => {
  const subnet = (subnetId: string, freeAddresses: number, vpcId = "vpc-1") => ({ subnetId, vpcId, freeAddresses })
  const named = { target, network: { subnets: ["a", "b"] } }
  const of = (
    found: ReadonlyArray<ReturnType<typeof subnet>>,
    pools: ReadonlyArray<PoolPlan> = [plan],
    what: Parameters<typeof networkFinding>[0]["what"] = named
  ) => networkFinding({ what, pools }, Result.succeed({ wanted: ["a", "b"], found }))
  const limited = [
    { ...plan, maxRunning: 3 },
    { ...plan, pool: "q", maxRunning: 2 }
  ]
  judged([
    [
      "with room",
      of([subnet("a", 1), subnet("b", 0)]),
      "OK",
      /^a b \(eu-west-1, team-a\) \| 1 free addresses in 2 subnets/
    ],
    ["that is full", of([subnet("a", 0), subnet("b", 0)]), "NG", /0 free addresses.*larger subnets/],
    ["with just as many addresses as runs of its pools", of([subnet("a", 3), subnet("b", 2)], limited), "OK", /5 free/],
    ["with one too few", of([subnet("a", 3), subnet("b", 1)], limited), "NG", /4 free .* maxRunning of its pools is 5/],
    ["without one of its subnets", of([subnet("a", 9)]), "NG", /no subnet b \|.*describe-subnets --region eu-west-1/],
    ["of two VPCs", of([subnet("a", 9), subnet("b", 9, "vpc-2")]), "NG", /of vpc-1 and vpc-2/],
    [
      "with a subnet of another VPC than named",
      of([subnet("a", 9), subnet("b", 9)], [plan], { target, network: { vpcId: "vpc-2", subnets: ["a", "b"] } }),
      "NG",
      /a, b not in vpc-2 \| Correct "vpcId"/
    ],
    [
      "that is not there",
      networkFinding({ what: { target, network: {} }, pools: [plan] }, refused),
      "NG",
      /^default VPC .*Mend it/
    ],
    ["nobody may ask for", networkFinding({ what: named, pools: [plan] }, denied), "SKIP", /ec2:DescribeSubnets/]
  ])
})

describe("a log group", () => {
  const of = (isCreated: boolean, answer: Parameters<typeof logGroupFinding>[1]) =>
    logGroupFinding({ target, group: "jobs", isCreated }, answer)
  judged([
    ["that is there", of(false, Result.succeed(true)), "OK", /^jobs \(eu-west-1, team-a\) \| is there$/],
    ["that the first task makes", of(true, Result.succeed(false)), "OK", /logs:CreateLogGroup/],
    [
      "that nobody makes",
      of(false, Result.succeed(false)),
      "NG",
      /create-log-group --region eu-west-1 --log-group-name jobs$/
    ],
    ["nobody may ask for", of(true, denied), "SKIP", /logs:DescribeLogGroups/]
  ])
})
