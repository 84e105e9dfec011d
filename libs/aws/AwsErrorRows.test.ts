import { assert, describe, it } from "@effect/vitest"
import { type CallContext, classify, classifyFailures, failureRowOf, rowOf } from "./AwsError.ts"
import { type Example, readFacts } from "./AwsErrorFacts.ts"
import { rows } from "./AwsErrorRows.ts"
import { failureRows, nothingReturned } from "./AwsFailureRows.ts"

const context: CallContext = { region: "eu-west-1", cluster: "prod", taskDefinition: "jobs:3", logGroup: "/jobs" }

/** The example as the SDK would throw it. */
const thrown = ({ name, text, status, systemCode }: Example): unknown =>
  Object.assign(new Error(text), {
    ...(name === "" ? {} : { name }),
    ...(systemCode === undefined ? {} : { code: systemCode }),
    ...(status === undefined ? {} : { $metadata: { httpStatusCode: status } })
  })

/** The example as it stands in the body of an answer. */
const written = ({ name, text }: Example): unknown => ({ __type: `com.amazonaws.ecs#${name}`, message: text })

const said = (action: string, name: string, text: string) => classify(action, { __type: name, message: text }, context)

describe("the table of exceptions", () => {
  it("names each row once, and never as a row of failures", () => {
    const names = [...rows, ...failureRows, nothingReturned].map(({ name }) => name)
    assert.deepStrictEqual(names, [...new Set(names)])
  })

  it.each(rows)("$name: its example is found by this very row, and by no row above", (row) => {
    const { example } = row
    assert.strictEqual(rowOf({ ...readFacts(thrown(example)), action: example.action, context }), row)
    const failure = classify(example.action, thrown(example), context)
    assert.deepStrictEqual([failure.code, failure.retry, failure.action], [row.code, row.retry, example.action])
    assert.notMatch(`${failure.message} ${failure.advice}`, /undefined|\bNaN\b/)
    assert.isTrue(failure.message.length > 10 && failure.advice.length > 10)
  })

  it.each(rows.filter(({ example }) => example.name !== ""))("$name: also as the body of an answer", (row) => {
    const { example } = row
    assert.strictEqual(rowOf({ ...readFacts(written(example)), action: example.action, context }), row)
  })

  it.each(rows.filter(({ example }) => /['’]/.test(example.text)))("$name: with either apostrophe", (row) => {
    for (const [from, to] of [
      [/’/g, "'"],
      [/'/g, "’"]
    ] as const) {
      const example = { ...row.example, text: row.example.text.replaceAll(from, to) }
      assert.strictEqual(rowOf({ ...readFacts(thrown(example)), action: example.action, context }), row)
    }
  })
})

describe("the table of failures[]", () => {
  it.each(failureRows)("$name: its example is found by this very row, and by no row above", (row) => {
    assert.strictEqual(failureRowOf(row.example.reason), row)
    const failure = classifyFailures([row.example])
    assert.deepStrictEqual([failure.code, failure.retry], [row.code, row.retry])
    assert.include(failure.message, row.example.reason)
  })
})

/** Exception, AWS's text → code, message, advice: rows S5 to S10 of the peers, and the two that they miss. */
const known: ReadonlyArray<readonly [string, string, string, RegExp, RegExp]> = [
  [
    "ClusterNotFoundException",
    "Cluster not found.",
    "ClusterNotFound",
    /^Failed to run ECS task, cluster 'prod' not found\.$/,
    /^Confirm that the cluster is configured in region eu-west-1: .*aws ecs create-cluster --cluster-name prod/
  ],
  [
    "InvalidParameterException",
    "No Container Instances were found in your cluster.",
    "NoContainerInstances",
    /^Failed to run ECS task, cluster 'prod' does not appear to have any container instances associated with it\.$/,
    /^Confirm that you have EC2 container instances available/
  ],
  [
    "ClientException",
    "failed to validate logger args: create stream: AccessDeniedException: no logs:CreateLogStream",
    "LoggerPermissionMissing",
    /^Failed to run ECS task, the attached execution role does not appear to have sufficient permissions\.$/,
    /^Ensure that the execution role has permissions logs:CreateLogStream, logs:CreateLogGroup, and logs:PutLogEvents\.$/
  ],
  ["ClientException", "TaskDefinition is inactive", "TaskDefinitionInactive", /'jobs:3' is inactive\.$/, /register/],
  [
    "InvalidParameterException",
    "The specified capacity provider 'spot' was not found.",
    "InvalidParameter",
    /^Failed to run ECS task, the capacity provider was refused: The specified capacity provider 'spot' was not found\.$/,
    /aws ecs describe-clusters --clusters prod/
  ],
  [
    "InvalidParameterException",
    "The subnet ID 'subnet-1' does not exist",
    "NetworkInvalid",
    /refused the network configuration: The subnet ID 'subnet-1' does not exist$/,
    /^Check subnets, security groups and public IP/
  ],
  [
    "ClientException",
    "Capacity is unavailable at this time. Please try again later or in a different availability zone",
    "NoCapacity",
    /Capacity is unavailable at this time/,
    /^The launch is repeated\./
  ],
  [
    "InvalidParameterException",
    "Error retrieving subnet information for [subnet-1]: Rate exceeded",
    "Throttled",
    /^AWS throttled RunTask in region eu-west-1\.$/,
    /repeated more slowly/
  ]
]

describe("what the peers say", () => {
  it("maps each known text as they do, with their words, and what they miss as well (peers 81)", () => {
    for (const [name, text, code, message, advice] of known) {
      const failure = said("RunTask", name, text)
      assert.strictEqual(failure.code, code)
      assert.match(failure.message, message)
      assert.match(failure.advice, advice)
    }
  })

  it("what no row knows passes through with AWS's own words (scenario 44)", () => {
    const failure = said("RunTask", "BrandNewException", "Something that nobody’s seen.")
    assert.strictEqual(failure.message, "RunTask failed: BrandNewException: Something that nobody's seen.")
    assert.deepStrictEqual([failure.code, failure.awsName], ["AwsError", "BrandNewException"])
  })

  it.each([
    ["ExpiredTokenException", "The security token included in the request is expired"],
    ["InvalidClientTokenId", "The security token included in the request is invalid."],
    ["UnrecognizedClientException", "The security token included in the request is invalid."],
    ["CredentialsProviderError", "Could not load credentials from any providers"]
  ])("%s keeps the run waiting for credentials (peers 83)", (name, text) => {
    assert.strictEqual(said("RunTask", name, text).retry, "credentials")
  })
})

describe("a denied call", () => {
  it.each([
    [
      "RunTask",
      "User: arn:aws:iam::1:user/x is not authorized to perform: ecs:TagResource on resource: y",
      "ecs:TagResource"
    ],
    ["RunTask", "Access denied.", "ecs:RunTask"],
    ["DescribeSubnets", "You are not authorized to perform this operation.", "ec2:DescribeSubnets"],
    ["FilterLogEvents", "Access denied.", "logs:FilterLogEvents"]
  ])("%s: %s: the missing action is named: %s", (action, text, missing) => {
    const failure = said(action, "AccessDeniedException", text)
    assert.strictEqual(failure.code, "AccessDenied")
    assert.include(failure.message, missing)
    assert.include(failure.advice, `Allow ${missing} `)
  })
})
