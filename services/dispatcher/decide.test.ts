import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { RunMessage } from "#ecs-core/Evolve.ts"
import { problemOf } from "#ecs-core/errors.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Subjects } from "#ecs-core/Subjects.ts"
import { anAwsFailure, aRun, aTaskdefReady, aTaskStop, millis } from "#test/support/builders.ts"
import * as messages from "#test/support/messages.ts"
import { at, runId } from "#test/support/messages.ts"
import { afterFailure, arbitrate, readFact, readRequest, refusalOf, type Stored, stopOf } from "./decide.ts"
import { DefinitionBusy } from "./definitions.ts"

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
    const problems = [{ code: "AccessDenied", message: "No.", advice: "Ask." }] as const
    assert.deepStrictEqual(refusalOf(problems, millis(3)), {
      kind: "run.refused",
      at: at(3),
      outcome: "rejected",
      problems
    })
  })
})

describe("afterFailure", () => {
  const deadline = millis(60)
  const busy = new DefinitionBusy()

  it.each([
    { what: "throttled", failure: anAwsFailure("throttle"), now: 0, delayMillis: 10_000 },
    { what: "an answer lost", failure: anAwsFailure("transient"), now: 0, delayMillis: 10_000 },
    { what: "no credentials", failure: anAwsFailure("credentials"), now: 0, delayMillis: 10_000 },
    { what: "throttled near the deadline", failure: anAwsFailure("throttle"), now: 59, delayMillis: 1000 },
    { what: "no credentials beyond the deadline", failure: anAwsFailure("credentials"), now: 90, delayMillis: 10_000 }
  ])("$what: noted, and again after $delayMillis ms", ({ delayMillis, failure, now }) => {
    assert.deepStrictEqual(afterFailure(failure, deadline, millis(now)), {
      event: { kind: "run.delayed", at: at(now), problem: problemOf(failure) },
      delayMillis
    })
  })

  it("another replica registers: again after a second, which is no news", () => {
    assert.deepStrictEqual(afterFailure(busy, deadline, millis(0)), { delayMillis: 1000 })
  })

  it.each(["never", "inactive"] as const)("what repeating cannot help (%s) ends the run at once", (retry) => {
    const failure = anAwsFailure(retry)
    assert.deepStrictEqual(afterFailure(failure, deadline, millis(3)), {
      event: refusalOf([problemOf(failure)], millis(3))
    })
  })

  it.each([60, 61])("at %i s of 60 the launch is timed out, with the last reason", (now) => {
    for (const failure of [anAwsFailure("throttle"), busy]) {
      const { delayMillis, event } = afterFailure(failure, deadline, millis(now))
      assert.isUndefined(delayMillis)
      assert.deepInclude(event, { kind: "run.refused", outcome: "timed_out", phase: "launch", at: at(now) })
      const [problem] = event?.kind === "run.refused" ? event.problems : []
      assert.strictEqual(problem?.code, "LaunchTimeout")
      assert.include(problem?.message, failure.message)
    }
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
