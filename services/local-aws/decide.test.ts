import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import {
  answerOf,
  errorOf,
  type Route,
  readWindow,
  route,
  throttled,
  unknownAction,
  type WireRequest
} from "./decide.ts"

const request = (given: Partial<WireRequest>): WireRequest => ({
  method: "POST",
  path: "/",
  headers: {},
  body: "",
  ...given
})

const form = "application/x-www-form-urlencoded"

const signedFor = (region: string, service: string) =>
  `AWS4-HMAC-SHA256 Credential=AKID/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`

const refusedStatus = (to: Route) => (to.kind === "refused" ? to.status : undefined)

describe("routing", () => {
  it.each([
    { target: "AmazonEC2ContainerServiceV20141113.RunTask", service: "ecs", action: "RunTask" },
    { target: "Logs_20140328.FilterLogEvents", service: "logs", action: "FilterLogEvents" }
  ])("$target", ({ action, service, target }) => {
    const headers = { "x-amz-target": target, authorization: signedFor("eu-west-1", "ecs") }
    assert.deepStrictEqual(route(request({ headers })), {
      kind: "json",
      service,
      action,
      region: "eu-west-1",
      caller: "AKID"
    } as Route)
  })

  it.each([
    { authorization: signedFor("eu-west-1", "ec2"), body: "Action=DescribeVpcs", service: "ec2", region: "eu-west-1" },
    { authorization: signedFor("us-west-2", "sts"), body: "Action=AssumeRole", service: "sts", region: "us-west-2" },
    { authorization: undefined, body: "Action=GetCallerIdentity", service: "sts", region: "us-east-1" },
    { authorization: "nonsense", body: "Action=DescribeVpcs", service: "ec2", region: "us-east-1" }
  ])("$body of $region", ({ authorization, body, region, service }) => {
    const to = route(request({ headers: { "content-type": `${form}; charset=utf-8`, authorization }, body }))
    const asked = to.kind === "form" ? [to.service, to.region, to.action] : []
    assert.deepStrictEqual(asked, [service, region, body.slice("Action=".length)])
  })

  it.each([
    { name: "another service", given: { headers: { "x-amz-target": "AmazonSQS.SendMessage" } }, status: 400 },
    { name: "a target that is no name", given: { headers: { "x-amz-target": "__proto__" } }, status: 400 },
    { name: "a form without Action", given: { headers: { "content-type": form } }, status: 400 },
    { name: "a browser's address line", given: { method: "GET" }, status: 404 },
    { name: "a web page", given: { path: "/_fleet/reset", headers: { origin: "http://example.com" } }, status: 403 }
  ])("$name is refused", ({ given, status }) => {
    assert.strictEqual(refusedStatus(route(request(given))), status)
  })

  it("the control API goes by method and path", () => {
    const to = route(request({ method: "GET", path: "/_fleet/calls", query: "from=1" }))
    assert.deepStrictEqual(to, { kind: "control", operation: "GET calls", query: "from=1" } as Route)
  })
})

describe("a window of time", () => {
  it.each([
    { query: "", window: undefined },
    { query: "from=5", window: { from: 5, to: Number.POSITIVE_INFINITY } },
    { query: "to=7", window: { from: 0, to: 7 } },
    { query: "from=5&to=5", window: { from: 5, to: 5 } }
  ])("reads '$query'", ({ query, window }) => {
    assert.deepStrictEqual(readWindow(query), Result.succeed(window))
  })

  it.each([
    {
      query: "since=5&to=now",
      says: [/^since: .* there are from and to/, /^to: must be epoch milliseconds, not 'now'/]
    },
    { query: "from=-1", says: [/^from: must be/] },
    { query: "from=6&to=5", says: [/^from: 6 is later than to, 5\.$/] }
  ])("refuses '$query', every problem at once", ({ query, says }) => {
    const read = readWindow(query)
    const problems = Result.isFailure(read) ? read.failure : []
    assert.lengthOf(problems, says.length)
    for (const [index, text] of says.entries()) assert.match(problems[index] ?? "", text)
  })
})

const ecs: Route = { kind: "json", service: "ecs", action: "RunTask", region: "us-east-1", caller: undefined }
const ec2: Route = {
  kind: "form",
  service: "ec2",
  action: "DescribeVpcs",
  region: "us-east-1",
  caller: undefined,
  form: new URLSearchParams()
}
const sts: Route = { ...ec2, service: "sts", action: "GetCallerIdentity" }

describe("answers", () => {
  it("ECS times are epoch seconds, absent members are left out", () => {
    const reply = answerOf(ecs, { tasks: [{ createdAt: new Date(1500), stoppedAt: undefined, cpu: "256" }] }, "id")
    assert.deepStrictEqual(reply, {
      status: 200,
      contentType: "application/x-amz-json-1.1",
      body: '{"tasks":[{"createdAt":1.5,"cpu":"256"}]}'
    })
  })

  it("EC2 names, lists and escapes", () => {
    const { body } = answerOf(
      ec2,
      { Vpcs: [{ VpcId: "vpc-1", IsDefault: true, Tags: [{ Key: "a<b", Value: "" }] }], NextToken: undefined },
      "id"
    )
    assert.include(
      body,
      "<vpcSet><item><vpcId>vpc-1</vpcId><isDefault>true</isDefault>" +
        "<tagSet><item><key>a&lt;b</key><value/></item></tagSet></item></vpcSet></DescribeVpcsResponse>"
    )
    assert.include(answerOf(ec2, { Vpcs: [] }, "id").body, "<vpcSet/>")
  })

  it("STS wraps its answer", () => {
    const { body } = answerOf(sts, { Account: "000000000000" }, "id")
    assert.include(body, "<GetCallerIdentityResult><Account>000000000000</Account></GetCallerIdentityResult>")
  })
})

describe("errors", () => {
  it.each([
    {
      to: ecs,
      error: throttled("ecs"),
      status: 400,
      body: '{"__type":"ThrottlingException","message":"Rate exceeded"}'
    },
    { to: ec2, error: throttled("ec2"), status: 503, body: "<Code>RequestLimitExceeded</Code>" },
    {
      to: sts,
      error: { __type: "A", message: "b & c" },
      status: 400,
      body: "<Code>A</Code><Message>b &amp; c</Message>"
    },
    { to: ecs, error: { __type: "ServerException", message: "" }, status: 500, body: "ServerException" },
    { to: ecs, error: { __type: "toString", message: "" }, status: 400, body: "toString" },
    {
      to: ecs,
      error: { __type: "ConflictException", message: "m", resourceIds: ["arn:1"] },
      status: 400,
      body: '{"__type":"ConflictException","message":"m","resourceIds":["arn:1"]}'
    }
  ])("$error.__type of $to.service is $status", ({ body, error, status, to }) => {
    const reply = errorOf(to, error, "id")
    assert.strictEqual(reply.status, status)
    assert.include(reply.body, body)
  })

  it("an unknown action says what there is", () => {
    const error = unknownAction("ecs", "CreateService", ["StopTask", "RunTask"])
    assert.strictEqual(error.__type, "UnknownOperationException")
    assert.include(error.message, "RunTask, StopTask")
    assert.strictEqual(unknownAction("ec2", "RunInstances", []).__type, "InvalidAction")
  })
})
