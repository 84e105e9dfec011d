import { failed, named, type Row, region, type Seen, says } from "./AwsErrorFacts.ts"

const throttling: ReadonlyArray<Row> = [
  {
    name: "concurrent-revisions",
    example: {
      action: "RegisterTaskDefinition",
      name: "ClientException",
      text: "Too many concurrent attempts to create a new revision of the specified family.",
      status: 400
    },
    when: says(/Too many concurrent attempts to create a new revision/i),
    code: "Throttled",
    retry: "throttle",
    message: () => "AWS refused to register two revisions of one task definition family at the same time.",
    advice: () => "The family is looked at again, and registered again if need be; nothing needs to be done."
  },
  {
    name: "throttled",
    example: { action: "RunTask", name: "ThrottlingException", text: "Rate exceeded", status: 400 },
    when: (seen) =>
      seen.status === 429 ||
      says(/\bRate exceeded\b|Request limit exceeded/i)(seen) ||
      named(
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
        "EC2ThrottledException"
      )(seen),
    code: "Throttled",
    retry: "throttle",
    message: (seen) => `AWS throttled ${seen.action} in ${region(seen)}.`,
    advice: () => "The call is repeated more slowly. If this lasts, ask AWS for a higher rate quota of the call."
  }
]

const credentials: ReadonlyArray<Row> = [
  {
    name: "clock-skewed",
    example: {
      action: "DescribeVpcs",
      name: "RequestTimeTooSkewed",
      text: "The difference between the request time and the current time is too large.",
      status: 403
    },
    when: named("RequestTimeTooSkewed"),
    code: "CredentialsRejected",
    retry: "credentials",
    message: () => "AWS rejected the signature because this machine's clock is wrong.",
    advice: () => "Set the clock (NTP). Calls go on by themselves afterwards."
  },
  {
    name: "credentials-rejected",
    example: {
      action: "RunTask",
      name: "ExpiredTokenException",
      text: "The security token included in the request is expired",
      status: 400
    },
    when: (seen) =>
      named(
        "ExpiredTokenException",
        "ExpiredToken",
        "RequestExpired",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "AuthFailure",
        "InvalidAccessKeyId",
        "CredentialsProviderError",
        "TokenProviderError"
      )(seen) || says(/Could not load credentials|security token .*(expired|invalid)|token .*is expired/i)(seen),
    code: "CredentialsRejected",
    retry: "credentials",
    message: (seen) => `AWS did not accept the credentials${ofSet(seen)} for ${seen.action} (${whyRejected(seen)}).`,
    advice: (seen) =>
      seen.context.credentials === undefined
        ? "Renew the credentials of this process; `aws sts get-caller-identity` must work. Runs wait meanwhile."
        : "Renew this set of credentials, in the file that FLEET_AWS_CREDENTIALS_FILE names or where it points to. Runs wait meanwhile."
  }
]

const permissions: ReadonlyArray<Row> = [
  {
    name: "logger-permission",
    example: {
      action: "RunTask",
      name: "ClientException",
      text: "failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/execution/0f1e is not authorized to perform: logs:CreateLogStream on resource: arn:aws:logs:eu-west-1:123456789012:log-group:fleet:log-stream:",
      status: 400
    },
    when: (seen) => says(/failed to validate logger args/i)(seen) && says(/AccessDenied|not authorized/i)(seen),
    code: "LoggerPermissionMissing",
    retry: "never",
    message: (seen) => `${failed(seen)}, the attached execution role does not appear to have sufficient permissions.`,
    advice: () =>
      "Ensure that the execution role has permissions logs:CreateLogStream, logs:CreateLogGroup, and logs:PutLogEvents."
  },
  {
    name: "pass-role-denied",
    example: {
      action: "RunTask",
      name: "AccessDeniedException",
      text: "User: arn:aws:iam::123456789012:user/fleet is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/execution because no identity-based policy allows the iam:PassRole action",
      status: 400
    },
    when: says(/iam:PassRole/),
    code: "AccessDenied",
    retry: "never",
    message: (seen) => `${seen.action} was denied: ${seen.text}`,
    advice: () => "Allow iam:PassRole on the execution role and the task role, for ecs-tasks.amazonaws.com."
  },
  {
    name: "role-not-assumed",
    example: {
      action: "RunTask",
      name: "ClientException",
      text: "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/execution' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.",
      status: 400
    },
    when: says(/unable to assume the role/i),
    code: "AccessDenied",
    retry: "never",
    message: (seen) => `${seen.action} was denied: ${seen.text}`,
    advice: () => "The role's trust policy must allow sts:AssumeRole to ecs-tasks.amazonaws.com."
  },
  {
    name: "account-blocked",
    example: {
      action: "RunTask",
      name: "BlockedException",
      text: "Your AWS account was blocked. For more information, contact AWS Support.",
      status: 400
    },
    when: named("BlockedException"),
    code: "AccessDenied",
    retry: "never",
    message: () => "AWS has blocked this account.",
    advice: () => "Contact AWS Support; see https://repost.aws/knowledge-center/ecs-blocked-error."
  },
  {
    name: "region-not-enabled",
    example: {
      action: "DescribeVpcs",
      name: "OptInRequired",
      text: "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.",
      status: 401
    },
    when: named("OptInRequired"),
    code: "AccessDenied",
    retry: "never",
    message: (seen) => `${seen.action} was denied, since the account may not use ${region(seen)}: ${seen.text}`,
    advice: () => "Enable the region: `aws account enable-region --region-name REGION`, or name another in `region`."
  },
  {
    name: "access-denied",
    example: {
      action: "RunTask",
      name: "AccessDeniedException",
      text: "User: arn:aws:iam::123456789012:user/fleet is not authorized to perform: ecs:RunTask on resource: arn:aws:ecs:eu-west-1:123456789012:task-definition/jobs:3 because no identity-based policy allows the ecs:RunTask action",
      status: 400
    },
    when: (seen) =>
      named("AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "UnauthorizedException")(seen) ||
      says(/is not authorized to perform/i)(seen),
    code: "AccessDenied",
    retry: "never",
    message: (seen) => `${seen.action} was denied, since ${missingAction(seen)} is not allowed: ${seen.text}`,
    advice: (seen) => `Allow ${missingAction(seen)} in the IAM policy of the credentials that this process uses.`
  }
]

const ofSet = ({ context: { credentials } }: Seen): string => (credentials === undefined ? "" : ` "${credentials}"`)

/** What a provider of the SDK says of its own look-up is all that is known. */
const whyRejected = ({ name, text }: Seen): string =>
  name === "CredentialsProviderError" && text !== "" ? text : name || "none found"

/** IAM's name of what was not allowed: as AWS tells it, else that of the call itself. */
const missingAction = (seen: Seen): string =>
  /not authorized to perform: ([a-z][a-z0-9-]*:[A-Za-z]+)/.exec(seen.text)?.[1] ??
  `${servicePrefix(seen.action)}:${seen.action}`

const servicePrefix = (action: string): string => {
  if (/^Describe(Vpcs|Subnets|SecurityGroups)$/.test(action)) return "ec2"
  return action.includes("Log") ? "logs" : "ecs"
}

/** The part of the table that is about who calls, and how often. */
export const accessRows: ReadonlyArray<Row> = [...throttling, ...credentials, ...permissions]
