import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { evolve, type RunMessage } from "#ecs-core/Evolve.ts"
import { RunFinished } from "#ecs-core/Messages.ts"
import { CONTAINERS_MAX } from "#ecs-core/RegistrationProblems.ts"
import { effects, type Run, RunCodec, runFinished, SIDECAR_LOGS_ATTEMPTS_MAX } from "#ecs-core/Run.ts"
import {
  at,
  cancel,
  changed,
  deferred,
  definitionGone,
  ready,
  rejected,
  requested,
  runId,
  started,
  stopped,
  taskArn,
  taskDefinitionArn
} from "#test/support/messages.ts"

const recordOf = (...messages: ReadonlyArray<RunMessage>): Run => {
  const run = messages.reduce<Run | undefined>(evolve, undefined)
  assert.isDefined(run)
  return run
}

const keep = { _tag: "KeepLive" } as const
const define = { _tag: "Define", attempt: 1 } as const
const launch = (attempt: number) => ({ _tag: "PublishTaskdefReady", attempt }) as const
const stop = (attempt: number) => ({ _tag: "PublishTaskStop", attempt }) as const
const end = [{ _tag: "PublishRunFinished" }, { _tag: "DropLive" }] as const

describe("effects", () => {
  it.each([
    { what: "a tombstone", messages: [cancel(0)], expected: [] },
    { what: "a request without a definition yet", messages: [requested(0)], expected: [keep, define] },
    { what: "a defined attempt", messages: [requested(0), ready(1)], expected: [launch(1)] },
    {
      what: "a second attempt",
      messages: [requested(0), ready(1), ready(9, { attempt: 2 })],
      expected: [launch(2)]
    },
    {
      what: "an attempt whose definition ECS no longer knew",
      messages: [requested(0), ready(1), definitionGone(2)],
      expected: [{ _tag: "Define", attempt: 2, notArn: taskDefinitionArn }]
    },
    {
      what: "the attempt after that",
      messages: [requested(0), ready(1), definitionGone(2), ready(3, { attempt: 2 })],
      expected: [launch(2)]
    },
    {
      what: "a defined attempt to be cancelled",
      messages: [requested(0), ready(1), cancel(2)],
      expected: [launch(1), stop(1)]
    },
    { what: "an attempt that waits", messages: [requested(0), ready(1), deferred(2)], expected: [] },
    {
      what: "a waiting attempt to be cancelled",
      messages: [requested(0), ready(1), deferred(2), cancel(3)],
      expected: [stop(1)]
    },
    { what: "a task", messages: [requested(0), ready(1), started(2)], expected: [] },
    {
      what: "a task known by a fact that came first",
      messages: [requested(0), ready(1), changed(2, "RUNNING", 3)],
      expected: []
    },
    { what: "a task to be cancelled", messages: [requested(0), ready(1), started(2), cancel(3)], expected: [stop(1)] },
    {
      what: "a refused request",
      messages: [requested(0, { problems: [{ code: "InvalidRequest", message: "Bad.", advice: "Mend it." }] })],
      expected: end
    },
    { what: "a cancelled request", messages: [requested(0), cancel(1)], expected: end },
    { what: "a launch that never happened", messages: [requested(0), ready(1), rejected(2)], expected: end },
    { what: "a task that ended", messages: [requested(0), ready(1), started(2), stopped(3)], expected: end },
    {
      what: "a task that ended while it was to be cancelled",
      messages: [requested(0), ready(1), started(2), cancel(3), stopped(4)],
      expected: end
    }
  ] as ReadonlyArray<{ what: string; messages: ReadonlyArray<RunMessage>; expected: ReturnType<typeof effects> }>)(
    "of $what",
    ({ messages, expected }) => {
      assert.deepStrictEqual(effects(recordOf(...messages)), expected)
    }
  )
})

describe("runFinished", () => {
  it("is nothing while the run goes on", () => {
    assert.isUndefined(runFinished(recordOf(requested(0), ready(1), started(2))))
  })

  it("tells outcome, exit code, task and times", () => {
    const run = recordOf(requested(0), ready(1), started(2), stopped(9, { times: { startedAt: at(4) } }))
    assert.deepStrictEqual(runFinished(run), {
      runId,
      outcome: "succeeded",
      exitCode: 0,
      attempts: 1,
      taskArn,
      requestedAt: at(0),
      startedAt: at(4),
      finishedAt: at(9)
    })
  })

  it("gives the first of several problems, and all of them", () => {
    const problems = ["a", "b"].map(
      (field) => ({ code: "InvalidRequest", field, message: "Bad.", advice: "Mend it." }) as const
    )
    const message = runFinished(recordOf(requested(0, { problems })))
    assert.deepStrictEqual(message?.error, problems[0])
    assert.deepStrictEqual(message?.errors, problems)
    assert.strictEqual(message?.attempts, 0)
  })

  it("gives a single problem once", () => {
    const message = runFinished(recordOf(requested(0), ready(1), rejected(2)))
    assert.strictEqual(message?.error?.code, "ClusterNotFound")
    assert.notProperty(message, "errors")
  })

  it.each([
    { before: [started(2)], last: stopped(9, { outcome: "timed_out", phase: "run", exitCode: 137 }) },
    { before: [], last: rejected(9, { outcome: "timed_out", phase: "launch" }) },
    { before: [started(2)], last: stopped(9) }
  ])("folded into a record that lacks the last fact gives the same message again", ({ before, last }) => {
    const known = [requested(0), ready(1), ...before]
    const message = runFinished(recordOf(...known, last))
    assert.isTrue(Schema.is(RunFinished)(message))
    if (message === undefined) return
    assert.deepStrictEqual(runFinished(recordOf(...known, { kind: "run.finished", message })), message)
  })
})

describe("RunCodec", () => {
  it("stores a record and reads it back", () => {
    const run = recordOf(requested(0), ready(1), deferred(2), started(3), cancel(4, "why"), stopped(9))
    assert.deepStrictEqual(RunCodec.decode(RunCodec.encode(run)), Result.succeed({ v: 1, ...run }))
  })
})

describe("log streams of a record", () => {
  const attempts = Array.from({ length: 201 }, (_, n) => n + 1)
  const sources = Array.from({ length: CONTAINERS_MAX }, (_, n) => ({
    container: `${n}`.padStart(255, "c"),
    logGroup: "g".repeat(512),
    logStreamPrefix: "p".repeat(224),
    region: "ap-northeast-1"
  }))
  const longest = recordOf(
    requested(0),
    ...attempts.flatMap((attempt) => [ready(attempt, { attempt }), started(attempt, { attempt, logs: { sources } })])
  )

  it(`are those of all containers up to attempt ${SIDECAR_LOGS_ATTEMPTS_MAX}, then that of the first`, () => {
    assert.deepStrictEqual(longest.attempts[SIDECAR_LOGS_ATTEMPTS_MAX - 1]?.logs, sources)
    assert.deepStrictEqual(longest.attempts[SIDECAR_LOGS_ATTEMPTS_MAX]?.logs, sources.slice(0, 1))
  })

  it("leave room in a message of NATS, however many and long they are", () => {
    assert.isBelow(RunCodec.encode(longest).length, 512 * 1024)
  })
})
