import { accessRows } from "./AwsAccessRows.ts"
import { definitionRows } from "./AwsDefinitionRows.ts"
import { clusterOf, named, type Row, says } from "./AwsErrorFacts.ts"
import { launchRows } from "./AwsLaunchRows.ts"

/**
 * The table of AWS's errors: first match decides, so the narrow rows stand above the wide ones. Patterns are ASCII (the
 * text is folded before). Sources: AWS's API reference, and the texts that the peers' users reported.
 */

const missing: ReadonlyArray<Row> = [
  {
    name: "task-not-found",
    example: {
      action: "StopTask",
      name: "InvalidParameterException",
      text: "The referenced task was not found.",
      status: 400
    },
    when: says(/referenced task was not found/i),
    code: "TaskNotFound",
    retry: "never",
    message: (seen) => `The task was not found in cluster '${clusterOf(seen)}'.`,
    advice: () => "ECS forgets a task about an hour after it stopped, and may not show one in its first seconds."
  },
  {
    name: "log-stream-not-found",
    example: {
      action: "FilterLogEvents",
      name: "ResourceNotFoundException",
      text: "The specified log stream does not exist.",
      status: 400
    },
    when: (seen) => named("ResourceNotFoundException")(seen) && /Log/.test(seen.action),
    code: "LogStreamNotFound",
    retry: "never",
    message: (seen) =>
      `${seen.text || "The log stream does not exist."} (log group '${seen.context.logGroup ?? "unknown"}')`,
    advice: () => "Normal until the container has started, and for ever if it never does."
  }
]

const lostCodes =
  /^(ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|ETIMEDOUT|ESOCKETTIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_PROXY_\w+|UND_ERR_\w+)$/

const untrustedCodes =
  /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|(DEPTH_ZERO_)?SELF_SIGNED_CERT(_IN_CHAIN)?|CERT_(HAS_EXPIRED|NOT_YET_VALID|UNTRUSTED)|ERR_TLS_CERT_ALTNAME_INVALID)$/

const unavailable: ReadonlyArray<Row> = [
  {
    name: "not-reached",
    example: { action: "RunTask", name: "", text: "connect ECONNREFUSED 10.0.0.1:443", systemCode: "ECONNREFUSED" },
    when: (seen) => lostCodes.test(seen.systemCode ?? seen.name),
    code: "ServiceUnavailable",
    retry: "transient",
    message: (seen) => `AWS could not be reached for ${seen.action} (${seen.systemCode ?? seen.name}).`,
    advice: () => "The same call is repeated. Check the network, DNS and, where it is set, AWS_ENDPOINT_URL."
  },
  {
    name: "not-trusted",
    example: {
      action: "RunTask",
      name: "",
      text: "unable to verify the first certificate",
      systemCode: "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
    },
    when: (seen) => untrustedCodes.test(seen.systemCode ?? ""),
    code: "ServiceUnavailable",
    retry: "transient",
    message: (seen) => `The certificate of AWS's side is not trusted for ${seen.action} (${seen.systemCode}).`,
    advice: () =>
      "The same call is repeated. A proxy that opens TLS has an authority of its own: name it in FLEET_AWS_CA_BUNDLE."
  },
  {
    name: "service-failed",
    example: {
      action: "RunTask",
      name: "ServerException",
      text: "Service Unavailable. Please try again later.",
      status: 500
    },
    when: (seen) =>
      (seen.status !== undefined && (seen.status >= 500 || seen.status < 300)) ||
      named(
        "ServerException",
        "ServiceException",
        "InternalFailure",
        "InternalError",
        "InternalServerError",
        "InternalServerException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Unavailable",
        "RequestTimeout",
        "RequestTimeoutException",
        "TimeoutError",
        "AbortError",
        "SyntaxError"
      )(seen),
    code: "ServiceUnavailable",
    retry: "transient",
    message: (seen) => `AWS failed to answer ${seen.action} (${seen.name || `HTTP ${seen.status ?? "?"}`}).`,
    advice: () => "The same call is repeated with the same client token; nothing is launched twice."
  }
]

const inputs: ReadonlyArray<Row> = [
  {
    name: "region-missing",
    example: { action: "RunTask", name: "", text: "Region is missing" },
    when: says(/Region is missing/i),
    code: "InvalidParameter",
    retry: "never",
    message: (seen) => `No AWS region is known for ${seen.action}.`,
    advice: () => "Set AWS_REGION for this process, or name a region in the pool or the request."
  },
  {
    name: "parameter-invalid",
    example: {
      action: "RunTask",
      name: "InvalidParameterException",
      text: "Override for container named web is not a container in the TaskDefinition.",
      status: 400
    },
    when: (seen) =>
      named("ClientException", "ValidationException", "ValidationError")(seen) || seen.name.startsWith("Invalid"),
    code: "InvalidParameter",
    retry: "never",
    message: (seen) => `${seen.action} refused a parameter: ${seen.text || seen.name}`,
    advice: () => "Correct the named parameter in the request or its pool and submit again."
  }
]

/** What no row knows passes through with AWS's own text (peers, scenario 44). */
export const unknownRow: Row = {
  name: "unknown",
  example: {
    action: "TagResource",
    name: "LimitExceededException",
    text: "The limit for the resource was exceeded.",
    status: 400
  },
  when: () => true,
  code: "AwsError",
  retry: "never",
  message: (seen) => `${seen.action} failed: ${seen.name || "an unknown error"}: ${seen.text || "no text given"}`,
  advice: () => "Look the error up in the AWS documentation of the call; the request was not repeated."
}

export const rows: ReadonlyArray<Row> = [
  ...accessRows,
  ...launchRows,
  ...definitionRows,
  ...missing,
  ...unavailable,
  ...inputs,
  unknownRow
]
