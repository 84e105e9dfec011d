import { named, type Row, region, says } from "./AwsErrorFacts.ts"

const throttling: ReadonlyArray<Row> = [
  {
    when: says(/Too many concurrent attempts to create a new revision/i),
    code: "Throttled",
    retry: "throttle",
    message: () => "AWS refused to register two revisions of one task definition family at the same time.",
    advice: () => "The registration is repeated; nothing needs to be done."
  },
  {
    when: (seen) =>
      seen.status === 429 ||
      says(/^Rate exceeded|\bRate exceeded\b|Request limit exceeded/i)(seen) ||
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
    when: named("RequestTimeTooSkewed"),
    code: "CredentialsRejected",
    retry: "credentials",
    message: () => "AWS rejected the signature because this machine's clock is wrong.",
    advice: () => "Set the clock (NTP). Calls go on by themselves afterwards."
  },
  {
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
    message: (seen) => `AWS did not accept the credentials for ${seen.action} (${seen.name || "none found"}).`,
    advice: () => "Renew the credentials of this process; `aws sts get-caller-identity` must work. Runs wait meanwhile."
  }
]

const permissions: ReadonlyArray<Row> = [
  {
    when: (seen) => says(/failed to validate logger args/i)(seen) && says(/AccessDenied|not authorized/i)(seen),
    code: "LoggerPermissionMissing",
    retry: "never",
    message: () => "The task's execution role may not write to CloudWatch Logs.",
    advice: () =>
      "Allow logs:CreateLogStream, logs:PutLogEvents and, with `awslogs-create-group`, logs:CreateLogGroup on the execution role."
  },
  {
    when: says(/iam:PassRole/),
    code: "AccessDenied",
    retry: "never",
    message: (seen) => `${seen.action} was denied: ${seen.text}`,
    advice: () => "Allow iam:PassRole on the execution role and the task role, for ecs-tasks.amazonaws.com."
  },
  {
    when: says(/unable to assume the role/i),
    code: "AccessDenied",
    retry: "never",
    message: (seen) => `${seen.action} was denied: ${seen.text}`,
    advice: () => "The role's trust policy must allow sts:AssumeRole to ecs-tasks.amazonaws.com."
  },
  {
    when: named("BlockedException"),
    code: "AccessDenied",
    retry: "never",
    message: () => "AWS has blocked this account.",
    advice: () => "Contact AWS Support; see https://repost.aws/knowledge-center/ecs-blocked-error."
  },
  {
    when: (seen) =>
      named(
        "AccessDeniedException",
        "AccessDenied",
        "UnauthorizedOperation",
        "UnauthorizedException",
        "OptInRequired"
      )(seen) || says(/is not authorized to perform/i)(seen),
    code: "AccessDenied",
    retry: "never",
    message: (seen) => `${seen.action} was denied: ${seen.text}`,
    advice: (seen) => `Allow ${seen.action} in the IAM policy of the credentials that this process uses.`
  }
]

/** The part of the table that is about who calls, and how often. */
export const accessRows: ReadonlyArray<Row> = [...throttling, ...credentials, ...permissions]
