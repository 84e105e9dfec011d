import { assert, describe, it } from "@effect/vitest"
import { AwsFailure } from "#ecs-core/errors.ts"
import { type CallContext, classify } from "./AwsError.ts"
import { maxTextLength } from "./AwsErrorFacts.ts"

const context: CallContext = { region: "eu-west-1", cluster: "prod", taskDefinition: "jobs:3", logGroup: "/jobs" }

/** [action, name of the exception, text of AWS] -> [code, retry]. The texts are AWS's own. */
const exceptions: ReadonlyArray<readonly [string, string, string, string, string]> = [
  ["RunTask", "ThrottlingException", "Rate exceeded", "Throttled", "throttle"],
  ["DescribeSubnets", "RequestLimitExceeded", "Request limit exceeded.", "Throttled", "throttle"],
  [
    "RunTask",
    "InvalidParameterException",
    "Error retrieving subnet information for [subnet-1]: Rate exceeded",
    "Throttled",
    "throttle"
  ],
  [
    "RegisterTaskDefinition",
    "ClientException",
    "Too many concurrent attempts to create a new revision of the specified family",
    "Throttled",
    "throttle"
  ],
  ["RunTask", "ServerException", "Service Unavailable. Please try again later.", "ServiceUnavailable", "transient"],
  ["DescribeVpcs", "Unavailable", "The service is unavailable.", "ServiceUnavailable", "transient"],
  [
    "FilterLogEvents",
    "ServiceUnavailableException",
    "The service cannot complete the request.",
    "ServiceUnavailable",
    "transient"
  ],
  ["RunTask", "TimeoutError", "Connection timed out after 15000 ms", "ServiceUnavailable", "transient"],
  [
    "RunTask",
    "ExpiredTokenException",
    "The security token included in the request is expired",
    "CredentialsRejected",
    "credentials"
  ],
  [
    "DescribeVpcs",
    "AuthFailure",
    "AWS was not able to validate the provided access credentials",
    "CredentialsRejected",
    "credentials"
  ],
  [
    "RunTask",
    "UnrecognizedClientException",
    "The security token included in the request is invalid.",
    "CredentialsRejected",
    "credentials"
  ],
  [
    "RunTask",
    "InvalidClientTokenId",
    "The security token included in the request is invalid.",
    "CredentialsRejected",
    "credentials"
  ],
  ["RunTask", "InvalidSignatureException", "Signature expired: 20260101T000000Z", "CredentialsRejected", "credentials"],
  [
    "RunTask",
    "CredentialsProviderError",
    "Could not load credentials from any providers",
    "CredentialsRejected",
    "credentials"
  ],
  [
    "RunTask",
    "AccessDeniedException",
    "User: arn:aws:iam::1:user/x is not authorized to perform: ecs:RunTask on resource: y",
    "AccessDenied",
    "never"
  ],
  [
    "DescribeSubnets",
    "UnauthorizedOperation",
    "You are not authorized to perform this operation.",
    "AccessDenied",
    "never"
  ],
  ["RunTask", "BlockedException", "Your AWS account was blocked.", "AccessDenied", "never"],
  [
    "RunTask",
    "ClientException",
    "ECS was unable to assume the role 'arn:aws:iam::1:role/x' that was provided for this task.",
    "AccessDenied",
    "never"
  ],
  [
    "RunTask",
    "ClientException",
    "failed to validate logger args: create stream: AccessDeniedException: no logs:CreateLogStream",
    "LoggerPermissionMissing",
    "never"
  ],
  ["RunTask", "ClusterNotFoundException", "Cluster not found.", "ClusterNotFound", "never"],
  [
    "RunTask",
    "InvalidParameterException",
    "No Container Instances were found in your cluster.",
    "NoContainerInstances",
    "never"
  ],
  ["RunTask", "ConflictException", "The token was used before.", "LaunchConflict", "conflict"],
  ["RunTask", "ClientException", "TaskDefinition is inactive", "TaskDefinitionInactive", "inactive"],
  [
    "DescribeTaskDefinition",
    "ClientException",
    "Unable to describe task definition.",
    "TaskDefinitionNotFound",
    "inactive"
  ],
  ["RunTask", "ClientException", "TaskDefinition not found.", "TaskDefinitionNotFound", "inactive"],
  [
    "RegisterTaskDefinition",
    "ClientException",
    "No Fargate configuration exists for given values: 256 CPU, 4096 memory.",
    "TaskDefinitionInvalid",
    "never"
  ],
  ["RegisterTaskDefinition", "ClientException", "Role is not valid", "TaskDefinitionInvalid", "never"],
  [
    "RegisterTaskDefinition",
    "ClientException",
    "Fargate only supports network mode \u2018awsvpc\u2019.",
    "TaskDefinitionInvalid",
    "never"
  ],
  [
    "RunTask",
    "ClientException",
    "You've reached the limit on the number of tasks that can be in the PROVISIONING state.",
    "NoCapacity",
    "capacity"
  ],
  [
    "RunTask",
    "ClientException",
    "The number of tasks in PROVISIONING exceeds the limit of 500.",
    "NoCapacity",
    "capacity"
  ],
  [
    "RunTask",
    "InvalidParameterException",
    "The specified capacity provider 'x' was not found.",
    "InvalidParameter",
    "never"
  ],
  ["RunTask", "InvalidParameterException", "The subnet ID 'subnet-1' does not exist", "NetworkInvalid", "never"],
  [
    "RunTask",
    "InvalidParameterException",
    "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    "NetworkInvalid",
    "never"
  ],
  [
    "RunTask",
    "InvalidParameterException",
    "Container Overrides length must be at most 8192",
    "InvalidParameter",
    "never"
  ],
  ["DescribeVpcs", "InvalidVpcID.NotFound", "The vpc ID 'vpc-1' does not exist", "NetworkNotFound", "never"],
  ["StopTask", "InvalidParameterException", "The referenced task was not found.", "TaskNotFound", "never"],
  [
    "FilterLogEvents",
    "ResourceNotFoundException",
    "The specified log stream does not exist.",
    "LogStreamNotFound",
    "never"
  ],
  [
    "GetLogEvents",
    "ResourceNotFoundException",
    "The specified log group does not exist.",
    "LogStreamNotFound",
    "never"
  ],
  [
    "RunTask",
    "PlatformUnknownException",
    "The specified platform version doesn't exist.",
    "PlatformUnsupported",
    "never"
  ],
  ["RunTask", "UnsupportedFeatureException", "Not in this region.", "PlatformUnsupported", "never"],
  ["TagResource", "LimitExceededException", "The limit for the resource was exceeded.", "AwsError", "never"],
  ["RunTask", "BrandNewException", "Something nobody has seen.", "AwsError", "never"]
]

const named = (name: string, message: string) => Object.assign(new Error(message), { name })

describe("classify", () => {
  it.each(exceptions)("%s: %s: %s -> %s, %s", (action, name, text, code, retry) => {
    for (const error of [
      named(name, text),
      { __type: name, message: text },
      { __type: `com.amazonaws.ecs#${name}`, message: text }
    ]) {
      const failure = classify(action, error, context)
      assert.deepStrictEqual(
        [failure.code, failure.retry, failure.awsName, failure.action],
        [code, retry, name, action]
      )
      assert.isTrue(failure.message.length > 10 && failure.advice.length > 10)
    }
  })

  it("keeps the ARNs that a ConflictException names", () => {
    const error = { __type: "ConflictException", message: "", resourceIds: ["arn:1", "arn:2"] }
    assert.deepStrictEqual(classify("RunTask", error).resourceIds, ["arn:1", "arn:2"])
  })

  it.each(["ECONNRESET", "ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EPIPE", "ETIMEDOUT"])("%s is transient", (code) => {
    const failure = classify("RunTask", Object.assign(new Error("x"), { code }))
    assert.deepStrictEqual([failure.code, failure.retry], ["ServiceUnavailable", "transient"])
    const wrapped = classify("RunTask", Object.assign(new Error("x"), { name: "TimeoutError", cause: { code } }))
    assert.strictEqual(wrapped.retry, "transient")
  })

  it.each([
    [503, "transient"],
    [429, "throttle"],
    [200, "transient"],
    [400, "never"]
  ])("HTTP %i with a body that is no answer is %s", (httpStatusCode, retry) => {
    const error = Object.assign(new Error("Unexpected end of JSON input"), {
      name: "Odd",
      $metadata: { httpStatusCode }
    })
    assert.strictEqual(classify("RunTask", error).retry, retry)
  })

  it("a body that is no JSON is an answer lost", () => {
    assert.strictEqual(classify("RunTask", new SyntaxError("Unexpected token <")).retry, "transient")
  })

  it("asks for a region when none is known", () => {
    const failure = classify("RunTask", new Error("Region is missing"))
    assert.deepStrictEqual([failure.code, failure.retry], ["InvalidParameter", "never"])
    assert.include(failure.advice, "AWS_REGION")
  })

  it.each([[undefined], [null], ["text"], [42], [{}]])("is total: %j", (error) => {
    assert.strictEqual(classify("RunTask", error).code, "AwsError")
  })

  it("leaves a failure that is classified already", () => {
    const failure = classify("RunTask", named("ServerException", ""))
    assert.strictEqual(classify("StopTask", failure), failure)
    assert.instanceOf(failure, AwsFailure)
  })

  it("repeats no credentials and no long texts", () => {
    const secret = "AbC+dEf/123".repeat(12)
    const text = `Bad AKIAIOSFODNN7EXAMPLE Credential=AKIAIOSFODNN7EXAMPLE/20260101/eu, X-Amz-Security-Token=${secret} ${secret} ${"word ".repeat(300)}`
    const failure = classify("RunTask", named("OddException", text))
    assert.notInclude(failure.message, "AKIA")
    assert.notInclude(failure.message, secret)
    assert.isBelow(failure.message.length, maxTextLength + 100)
  })
})
