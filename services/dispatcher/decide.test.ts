import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import type { RunMessage } from "#ecs-core/Evolve.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { Codecs, TaskdefReady } from "#ecs-core/Messages.ts"
import { Subjects } from "#ecs-core/Subjects.ts"
import { aJob, aRun, aTaskdefReady, aTaskStop, millis } from "#test/support/builders.ts"
import * as messages from "#test/support/messages.ts"
import { at, runId } from "#test/support/messages.ts"
import { arbitrate, orderOf, readFact, readRequest, refusalOf, type Stored, stopOf } from "./decide.ts"

const stored = (body: unknown, change: Partial<Stored> = {}): Stored => ({
  subject: "run.requested",
  seq: 17,
  time: millis(0),
  headers: {},
  text: typeof body === "string" ? body : JSON.stringify(body),
  ...change
})

const fieldsOf = (request: Stored) =>
  readRequest(request).seen.problems.map(({ code, field }) => (field === undefined ? code : `${code} ${field}`))

describe("readRequest", () => {
  it("keeps what a record needs, secrets masked", () => {
    const body = { name: "nightly-report", pool: "batch", image: "alpine", env: { TOKEN: "s3cret" } }
    const read = readRequest(stored(body))
    assert.deepStrictEqual(read.body, body)
    assert.strictEqual(read.pool, "batch")
    assert.isUndefined(read.undecodable)
    const { bodyDigest, ...seen } = read.seen
    assert.match(bodyDigest, /^[0-9a-f]{64}$/)
    assert.deepStrictEqual(seen, {
      runId: RunId.make("run-17"),
      at: at(0),
      sequence: 17,
      pool: "batch",
      name: "nightly-report",
      request: { ...body, env: { TOKEN: "***" } },
      notices: [],
      problems: []
    })
  })

  it.each([
    { what: "no JSON", body: '{"image": "alp', problems: ["InvalidJson"], dead: true },
    { what: "nothing", body: "", problems: ["InvalidJson"], dead: true },
    { what: "JSON that is no object", body: "[]", problems: ["InvalidRequest"], dead: false },
    { what: "null", body: "null", problems: ["InvalidRequest"], dead: false },
    { what: "a later version", body: { v: 2, image: "alpine" }, problems: ["InvalidRequest v"], dead: false },
    {
      what: "every problem at once",
      body: { imgae: "alpine", cpu: 1 },
      problems: ["InvalidRequest cpu", "InvalidRequest imgae"],
      dead: false
    }
  ])("refuses $what, and yet gives it an id", ({ body, dead, problems }) => {
    const read = readRequest(stored(body))
    assert.sameMembers(fieldsOf(stored(body)), problems)
    assert.isUndefined(read.body)
    assert.strictEqual(read.undecodable !== undefined, dead)
    assert.strictEqual(read.seen.runId, "run-17")
  })

  it("suggests the nearest name for a misspelt field", () => {
    const [problem] = readRequest(stored({ imgae: "alpine" })).seen.problems
    assert.strictEqual(problem?.advice, 'Did you mean "image"?')
  })

  it("never repeats the text of a request that is no JSON", () => {
    assert.notInclude(JSON.stringify(readRequest(stored('{"env": {"TOKEN": "s3cret"'))), "s3cret")
  })

  const subject = Subjects.runRequested("by-subject")
  const headers = { "Nats-Msg-Id": "by-header" }
  it.each([
    {
      what: "body before subject and header",
      body: { runId: "by-subject" },
      change: { subject, headers },
      id: "by-subject"
    },
    { what: "body before header", body: { runId: "by-body" }, change: { headers }, id: "by-body" },
    { what: "subject before header", body: {}, change: { subject, headers }, id: "by-subject" },
    { what: "header", body: {}, change: { headers }, id: "by-header" },
    { what: "sequence", body: {}, change: {}, id: "run-17" },
    {
      what: "sequence instead of a header that does not fit",
      body: {},
      change: { headers: { "Nats-Msg-Id": "a b" } },
      id: "run-17"
    }
  ])("takes the id from $what", ({ body, change, id }) => {
    assert.strictEqual(readRequest(stored({ image: "alpine", ...body }, change)).seen.runId, id)
  })

  it("says which id was passed over", () => {
    const { seen } = readRequest(stored({ image: "alpine", runId: "run-7" }))
    assert.strictEqual(seen.runId, "run-17")
    assert.deepStrictEqual(seen.notices, [
      'run id "run-7" from body was not used: run-<number> is reserved for ids given by the stream'
    ])
  })

  it("refuses a body that names another run than the subject, under the subject's id", () => {
    const request = stored({ image: "alpine", runId: "other" }, { subject })
    assert.deepStrictEqual(fieldsOf(request), ["InvalidRequest runId"])
    assert.strictEqual(readRequest(request).seen.runId, "by-subject")
    assert.isUndefined(readRequest(request).body)
  })

  it("digests what a body says, not how it is written", () => {
    const digestOf = (body: unknown) => readRequest(stored(body)).seen.bodyDigest
    assert.strictEqual(digestOf('{"image":"a","cpu":256}'), digestOf('{ "cpu": 256, "image": "a" }'))
    assert.notStrictEqual(digestOf('{"image":"a"}'), digestOf('{"image":"b"}'))
    assert.notStrictEqual(digestOf("{a"), digestOf("{b"))
  })
})

describe("arbitrate", () => {
  const first = messages.requested(0, { sequence: 17, bodyDigest: "d1" })
  const known = aRun(first)
  it.each([
    { what: "the first request", run: undefined, change: {}, ruling: "proceed" },
    { what: "the same, delivered twice", run: known, change: {}, ruling: "proceed" },
    { what: "the same body under a later sequence", run: known, change: { sequence: 18 }, ruling: "ignore" },
    {
      what: "another body for a known id",
      run: known,
      change: { sequence: 18, bodyDigest: "d2" },
      ruling: "conflict"
    },
    { what: "a run that was only cancelled so far", run: aRun(messages.cancel(0)), change: {}, ruling: "proceed" },
    {
      what: "the same, delivered late, of a run that is over",
      run: aRun(first, messages.ready(1), messages.started(2), messages.stopped(3)),
      change: {},
      ruling: "proceed"
    }
  ])("$what: $ruling", ({ change, ruling, run }) => {
    assert.strictEqual(arbitrate(run, { ...first.message, ...change }), ruling)
  })
})

describe("orderOf", () => {
  const attempt = { runId, attempt: 2, taskDefinitionArn: messages.taskDefinitionArn, at: at(0) }
  const order = (request: Parameters<typeof aJob>[0] = {}) => orderOf(aJob(request), attempt, "eu-central-1")
  const role = { executionRoleArn: "arn:aws:iam::123456789012:role/execution" }

  it("holds all that the launcher needs, deadlines counted from the attempt", () => {
    const made = order({ launchTimeoutSeconds: 60, taskStartTimeoutSeconds: 90, runTimeoutSeconds: 120 })
    assert.isTrue(Schema.is(TaskdefReady)(made))
    assert.deepInclude(made, {
      runId,
      attempt: 2,
      at: at(0),
      target: { region: "eu-central-1" },
      containerName: "main",
      launchDeadline: at(60),
      taskStartTimeoutSeconds: 90,
      runTimeoutSeconds: 120,
      pollIntervalSeconds: 5
    })
    assert.deepStrictEqual(made.runTask.overrides.containerOverrides[0]?.environment, [
      { name: "FLEET_RUN_ID", value: runId },
      { name: "FLEET_ATTEMPT", value: "2" }
    ])
  })

  it("made again after a crash, it is the same order", () => {
    assert.deepStrictEqual(order({ command: "echo hello" }), order({ command: "echo hello" }))
  })

  const networkConfiguration = { subnets: ["subnet-1"] }
  it.each([
    { what: "no network: the default VPC", request: {}, inferNetwork: {} },
    { what: "a VPC only: that VPC", request: { vpcId: "vpc-1" }, inferNetwork: { vpcId: "vpc-1" } },
    { what: "subnets: nothing", request: { vpcId: "vpc-1", networkConfiguration }, inferNetwork: undefined }
  ])("infers from $what", ({ inferNetwork, request }) => {
    const made = order(request)
    assert.deepStrictEqual(made.inferNetwork, inferNetwork)
    assert.strictEqual("networkConfiguration" in made.runTask, inferNetwork === undefined)
  })

  const source = { container: "main", logGroup: "fleet", logStreamPrefix: "fleet_default", region: "eu-central-1" }
  const own = { "awslogs-group": "mine", "awslogs-region": "eu-west-1" }
  it.each([
    { what: "with a role", request: role, logs: { sources: [source] } },
    {
      what: "with options of its own",
      request: { ...role, cloudwatchLogsOptions: own, cloudwatchLogsPrefix: "p" },
      logs: { sources: [{ container: "main", logGroup: "mine", logStreamPrefix: "p", region: "eu-west-1" }] }
    },
    {
      what: "with streamOutput false",
      request: { ...role, streamOutput: false },
      logs: { sources: [], notice: "There is no output to show: streamOutput is false." }
    },
    {
      what: "with logs turned off",
      request: { ...role, configureCloudwatchLogs: false },
      logs: { sources: [], notice: "There is no output to show: configureCloudwatchLogs is false." }
    }
  ])("log sources $what", ({ logs, request }) => {
    assert.deepStrictEqual(order(request).logs, logs)
  })

  it("without an execution role it says why there is no output", () => {
    assert.include(order().logs.notice ?? "", "no executionRoleArn is set")
  })
})

describe("stopOf and refusalOf", () => {
  it("the order to stop is the same however often and however late it is made", () => {
    const run = aRun(messages.ready(1), messages.cancel(5, "too slow"))
    const order = { runId, attempt: 1, at: at(5), reason: "fleet:cancelled: too slow" }
    assert.deepStrictEqual(stopOf(run, 1), order)
    const later = aRun(
      messages.ready(1),
      messages.cancel(5, "too slow"),
      messages.started(6),
      messages.cancel(9, "why")
    )
    assert.deepStrictEqual(stopOf(later, 1), order)
  })

  it("a refusal ends the run as rejected", () => {
    const problem = { code: "AccessDenied", message: "No.", advice: "Ask." } as const
    assert.deepStrictEqual(refusalOf(problem, millis(3)), {
      kind: "run.refused",
      at: at(3),
      outcome: "rejected",
      problem
    })
  })
})

describe("readFact", () => {
  const read = (subject: string, text: string) =>
    Result.getOrUndefined(readFact(stored(text, { subject, time: millis(9) })))
  const started = messages.started(0, { v: 1 })
  const deferred = messages.deferred(0, { v: 1 })
  const rejected = messages.rejected(0, { v: 1 })
  const changed = messages.changed(0, "RUNNING", 3, { v: 1 })
  const stopped = messages.stopped(0, { v: 1 })
  const facts: ReadonlyArray<readonly [string, string, RunMessage]> = [
    [Subjects.taskStarted(runId, 1), Codecs.taskStarted.encode(started.message), started],
    [Subjects.taskDeferred(runId, 1), Codecs.taskDeferred.encode(deferred.message), deferred],
    [Subjects.taskRejected(runId, 1), Codecs.taskRejected.encode(rejected.message), rejected],
    [Subjects.taskChanged(runId, 1), Codecs.taskChanged.encode(changed.message), changed],
    [Subjects.taskStopped(runId, 1), Codecs.taskStopped.encode(stopped.message), stopped]
  ]

  it.each(facts)("%s", (subject, text, event) => {
    assert.deepStrictEqual(read(subject, text), { runId, event })
  })

  it("a wish to cancel counts from when it was stored", () => {
    const text = Codecs.runCancel.encode({ reason: "too slow" })
    assert.deepInclude(read(Subjects.runCancel(runId), text)?.event, { kind: "run.cancel", runId, at: at(9) })
  })

  it.each([
    { what: "task.stop", subject: Subjects.taskStop(runId, 1), text: Codecs.taskStop.encode(aTaskStop()) },
    {
      what: "taskdef.ready",
      subject: Subjects.taskdefReady(runId, 1),
      text: Codecs.taskdefReady.encode(aTaskdefReady())
    },
    { what: "an order even if it is undecodable", subject: Subjects.taskStop(runId, 1), text: "{" }
  ])("passes over its own orders: $what", ({ subject, text }) => {
    assert.deepStrictEqual(read(subject, text), { runId, event: undefined })
  })

  it.each([
    { what: "no JSON", subject: Subjects.taskStopped(runId, 1), text: "{" },
    { what: "a field of the wrong type", subject: Subjects.taskChanged(runId, 1), text: '{"runId": 7}' },
    { what: "a later version", subject: Subjects.runCancel(runId), text: '{"v": 2}' },
    { what: "no run id", subject: "run.cancel.a*b", text: "{}" },
    { what: "a subject of nobody", subject: "task.started.x", text: "{}" }
  ])("is undecodable: $what", ({ subject, text }) => {
    assert.isTrue(Result.isFailure(readFact(stored(text, { subject }))))
  })
})
