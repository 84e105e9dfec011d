import { Result } from "effect"
import type { AwsException } from "#aws/model/AwsException.ts"
import type { Window } from "./CallLog.ts"
import { ec2Answer, ec2Error, queryAnswer, queryError } from "./wire/ec2-xml.ts"
import { encodeJson } from "./wire/json.ts"

/** A request as far as the routing looks: header names in lower case. */
export interface WireRequest {
  readonly method: string
  /** Path without the query. */
  readonly path: string
  /** What follows the question mark. */
  readonly query?: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

export interface WireReply {
  readonly status: number
  readonly contentType: string
  readonly body: string
  /** Nothing is answered: the connection is reset. */
  readonly isReset?: boolean
}

export type Service = "ecs" | "logs" | "ec2" | "sts" | "iam"

/** What a request was signed for, and by whom. */
interface Scope {
  readonly region: string
  /** Access key id; absent = the request is not signed. */
  readonly caller: string | undefined
}

/** What a request asks for. */
export type Route =
  | (Scope & { readonly kind: "json"; readonly service: "ecs" | "logs"; readonly action: string })
  | (Scope & {
      readonly kind: "form"
      readonly service: "ec2" | "sts" | "iam"
      readonly action: string
      readonly form: URLSearchParams
    })
  | { readonly kind: "control"; readonly operation: string; readonly query: string }
  | { readonly kind: "refused"; readonly status: number; readonly error: AwsException }

const targets: Readonly<Record<string, "ecs" | "logs">> = {
  AmazonEC2ContainerServiceV20141113: "ecs",
  Logs_20140328: "logs"
}

const defaultRegion = "us-east-1"

/** `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, …`: the key and the region the client signed with. */
const scopeOf = (authorization: string | undefined): { readonly scope: Scope; readonly service: string } => {
  const found = /Credential=([^/]*)\/[^/]*\/([^/]+)\/([^/]+)\/aws4_request/.exec(authorization ?? "")
  return { scope: { region: found?.[2] ?? defaultRegion, caller: found?.[1] }, service: found?.[3] ?? "" }
}

const refused = (status: number, __type: string, message: string): Route => ({
  kind: "refused",
  status,
  error: { __type, message }
})

const served =
  "local-aws serves Amazon ECS, the discovery part of Amazon EC2, CloudWatch Logs, sts:GetCallerIdentity, sts:AssumeRole and iam:GetRole"

/** Requests of a browser carry an Origin. A web page must not be able to start programs or forget tasks here. */
const comesFromBrowser = (request: WireRequest): boolean => request.headers["origin"] !== undefined

const routeTarget = (target: string, scope: Scope): Route => {
  const dot = target.lastIndexOf(".")
  const name = target.slice(0, dot)
  const service = Object.hasOwn(targets, name) ? targets[name] : undefined
  if (service === undefined) return refused(400, "UnknownOperationException", `${served}; it does not know ${target}.`)
  return { ...scope, kind: "json", service, action: target.slice(dot + 1) }
}

const routeForm = (request: WireRequest): Route => {
  const { scope, service } = scopeOf(request.headers["authorization"])
  const form = new URLSearchParams(request.body)
  const action = form.get("Action")
  if (action === null) return refused(400, "MissingAction", `The form has no Action. ${served}.`)
  const isSts = service === "sts" || action === "GetCallerIdentity" || action === "AssumeRole"
  return { ...scope, kind: "form", service: isSts ? "sts" : service === "iam" ? "iam" : "ec2", action, form }
}

/** Which action of which service: by `x-amz-target`, else by the form's `Action`, or the control API by its path. */
export const route = (request: WireRequest): Route => {
  if (comesFromBrowser(request))
    return refused(403, "AccessDeniedException", "local-aws answers no web pages: the request has an Origin header.")
  if (request.path.startsWith("/_fleet/"))
    return {
      kind: "control",
      operation: `${request.method} ${request.path.slice("/_fleet/".length)}`,
      query: request.query ?? ""
    }
  const target = request.headers["x-amz-target"]
  if (target !== undefined) return routeTarget(target, scopeOf(request.headers["authorization"]).scope)
  if (request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true)
    return routeForm(request)
  return refused(404, "UnknownOperationException", `${served}, by POST of the AWS SDKs; see /_fleet/health for people.`)
}

export const unknownAction = (service: Service, action: string, known: ReadonlyArray<string>): AwsException => ({
  __type: service === "ecs" || service === "logs" ? "UnknownOperationException" : "InvalidAction",
  message: `local-aws does not serve ${service}:${action}; it serves ${known.toSorted().join(", ")}.`
})

export const throttled = (service: Service): AwsException =>
  service === "ec2"
    ? { __type: "RequestLimitExceeded", message: "Request limit exceeded." }
    : { __type: "ThrottlingException", message: "Rate exceeded" }

/** AWS's 5xx; every other error is the caller's own, 400. */
const statuses: Readonly<Record<string, number>> = {
  ServerException: 500,
  InternalFailure: 500,
  ServiceUnavailableException: 503,
  RequestLimitExceeded: 503,
  RequestEntityTooLargeException: 413
}

const statusOf = (error: AwsException): number =>
  error.$metadata?.httpStatusCode ?? (Object.hasOwn(statuses, error.__type) ? (statuses[error.__type] ?? 400) : 400)

const json = (status: number, body: unknown): WireReply => ({
  status,
  contentType: "application/x-amz-json-1.1",
  body: encodeJson(body)
})

const xml = (status: number, body: string): WireReply => ({ status, contentType: "text/xml;charset=UTF-8", body })

export const answerOf = (route: Route, answer: object, requestId: string): WireReply => {
  if (route.kind !== "form") return json(200, answer)
  const encode = route.service === "ec2" ? ec2Answer : queryAnswer
  return xml(200, encode(route.action, { ...answer }, requestId))
}

export const errorOf = (route: Route, error: AwsException, requestId: string): WireReply => {
  const status = route.kind === "refused" ? route.status : statusOf(error)
  if (error.code === "ECONNRESET") return { ...json(status, {}), isReset: true }
  if (route.kind !== "form") return json(status, { ...error, $metadata: undefined })
  const encode = route.service === "ec2" ? ec2Error : queryError
  return xml(status, encode(error.__type, error.message, requestId))
}

/** What the control API answers: plain JSON for people and tests. */
export const controlReply = (status: number, body: object): WireReply => ({
  status,
  contentType: "application/json",
  body: `${JSON.stringify(body, undefined, 2)}\n`
})

/** `from=` and `to=` in epoch milliseconds; undefined = neither is given. Else every problem at once. */
export const readWindow = (query: string): Result.Result<Window | undefined, ReadonlyArray<string>> => {
  const given = new URLSearchParams(query)
  const problems = [
    ...[...given.keys()].filter((name) => name !== "from" && name !== "to").map(unknownParameter),
    ...["from", "to"].flatMap((name) => notATime(name, given.get(name)))
  ]
  if (problems.length > 0) return Result.fail(problems)
  if (given.size === 0) return Result.succeed(undefined)
  const { from = 0, to = Number.POSITIVE_INFINITY } = Object.fromEntries(
    [...given].map(([name, value]) => [name, Number(value)])
  )
  return from > to ? Result.fail([`from: ${from} is later than to, ${to}.`]) : Result.succeed({ from, to })
}

const unknownParameter = (name: string): string =>
  `${name}: there is no such parameter; there are from and to, e.g. calls?from=1767225600000&to=1767225601000.`

const notATime = (name: string, value: string | null): ReadonlyArray<string> =>
  value === null || /^\d{1,15}$/.test(value) ? [] : [`${name}: must be epoch milliseconds, not '${value}'.`]
