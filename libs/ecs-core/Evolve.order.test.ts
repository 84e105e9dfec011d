import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import { evolve, type RunMessage } from "#ecs-core/Evolve.ts"
import { RETRY_DEFAULTS } from "#ecs-core/RetryPolicy.ts"
import { effects, isFinal, isTombstone, type Run, RunCodec, runFinished, TIMELINE_MAX } from "#ecs-core/Run.ts"
import { mayBecome, Outcome } from "#ecs-core/RunState.ts"
import {
  admitted,
  at,
  cancel,
  changed,
  deferred,
  definitionGone,
  delayed,
  finished,
  queued,
  ready,
  refused,
  rejected,
  requested,
  started,
  stopped,
  taskDefinitionArn
} from "#test/support/messages.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))
const Shuffled = Schema.Struct({
  pick: upTo(15),
  seconds: upTo(2000),
  attempt: upTo(3),
  number: upTo(6),
  lastStatus: Schema.Literals(["PROVISIONING", "PENDING", "RUNNING", "STOPPING", "STOPPED", "HIBERNATING"]),
  outcome: Outcome
})

const messageOf = ({ pick, seconds, attempt, number, lastStatus, outcome }: typeof Shuffled.Type): RunMessage => {
  const choices: ReadonlyArray<RunMessage> = [
    requested(seconds),
    requested(seconds, {
      problems: number === 1 ? [{ code: "InvalidRequest", message: "Bad.", advice: "Mend it." }] : []
    }),
    cancel(seconds, lastStatus),
    ready(seconds, { attempt, ...(number === 1 ? { definition: "linked" } : {}) }),
    started(seconds, { attempt, lastStatus }),
    deferred(seconds, { attempt, try: number }),
    rejected(seconds, { attempt, outcome: "crashed" }),
    changed(seconds, lastStatus, number, { attempt, times: { startedAt: at(seconds) } }),
    stopped(seconds, { attempt, outcome, exitCode: number }),
    number === 1 ? refused(seconds) : finished(seconds, { outcome, exitCode: number }),
    delayed(seconds),
    definitionGone(seconds, { attempt }),
    requested(seconds, { queued: true }),
    queued(seconds),
    admitted(seconds)
  ]
  return choices[pick - 1] ?? cancel(seconds)
}

const Messages = Arbitrary.array(Arbitrary.map(Arbitrary.schema(Shuffled), messageOf), { maxLength: 40 })

const timeOf = (message: RunMessage): string => {
  if ("at" in message) return message.at
  return message.kind === "run.finished" ? message.message.finishedAt : message.message.at
}

/** Every record on the way, with the message that led to it. */
const steps = (messages: ReadonlyArray<RunMessage>) => {
  let run: Run | undefined
  return messages.map((message) => {
    const before = run
    run = evolve(before, message)
    return { before, message, after: run }
  })
}

/** Requested, then in any order launches of which many fail because the definition is gone. */
const Repairs = Arbitrary.map(
  Arbitrary.array(Arbitrary.schema(Schema.Tuple([upTo(6), upTo(8), upTo(2000)])), { maxLength: 40 }),
  (picks): ReadonlyArray<RunMessage> => [
    requested(0),
    ...picks.map(([pick, attempt, seconds]) => {
      if (pick === 1) return started(seconds, { attempt })
      if (pick === 2) return deferred(seconds, { attempt, try: attempt })
      return pick < 5 ? ready(seconds, { attempt }) : definitionGone(seconds, { attempt })
    })
  ]
)

const many = { arbitrary: { runs: 300 } }

describe("messages of a run twice, late and out of order", () => {
  it.prop(
    "twice is once",
    [Messages],
    ([messages]) => {
      for (const { message, after } of steps(messages)) assert.deepStrictEqual(evolve(after, message), after)
    },
    many
  )

  it.prop(
    "what is final never changes (peers 98, scenario 54)",
    [Messages],
    ([messages]) => {
      for (const { before, message, after } of steps(messages)) {
        if (before === undefined || !isFinal(before) || after === undefined) continue
        const isOfTask = message.kind === "task.started" || message.kind === "task.changed"
        if (!isOfTask) assert.strictEqual(after, before)
        if (message.kind === "task.changed") assert.deepStrictEqual(after.timeline, before.timeline)
        assert.strictEqual(after.state, before.state)
        assert.deepStrictEqual(runFinished(after), runFinished(before))
      }
    },
    many
  )

  it.prop(
    "a state only moves along the table",
    [Messages],
    ([messages]) => {
      for (const { before, after } of steps(messages)) {
        if (before === undefined || after === undefined || before.state === after.state) continue
        assert.isTrue(mayBecome(before.state, after.state), `${before.state} → ${after.state}`)
      }
    },
    many
  )

  it.prop(
    "times are those of the messages",
    [Messages],
    ([messages]) => {
      const times = new Set(messages.map(timeOf))
      for (const { after } of steps(messages)) {
        if (after === undefined) continue
        for (const time of [after.requestedAt, after.updatedAt, after.finishedAt ?? after.updatedAt])
          assert.isTrue(times.has(time))
        for (const entry of after.timeline) assert.isTrue(times.has(entry.at))
      }
    },
    many
  )

  it.prop(
    "the timeline is bounded and the record is always one that can be stored",
    [Messages],
    ([messages]) => {
      const run = steps(messages).at(-1)?.after
      if (run === undefined) return
      assert.isAtMost(run.timeline.length, TIMELINE_MAX)
      assert.deepStrictEqual(RunCodec.decode(RunCodec.encode(run)), Result.succeed({ v: 1, ...run }))
    },
    many
  )

  it.prop(
    "only a request or a cancel makes a record",
    [Messages],
    ([messages]) => {
      for (const { before, message, after } of steps(messages)) {
        if (before !== undefined || after === undefined) continue
        assert.include(["run.requested", "run.cancel"], message.kind)
      }
    },
    many
  )

  it.prop(
    "attempts rise, each once",
    [Messages],
    ([messages]) => {
      const numbers =
        steps(messages)
          .at(-1)
          ?.after?.attempts.map(({ attempt }) => attempt) ?? []
      assert.deepStrictEqual(
        numbers,
        [...new Set(numbers)].toSorted((a, b) => a - b)
      )
    },
    many
  )

  it.prop(
    "the effects of a final record end the run, those of a tombstone are none",
    [Messages],
    ([messages]) => {
      for (const { after } of steps(messages)) {
        if (after === undefined) continue
        const tags = effects(after).map(({ _tag }) => _tag)
        const stragglers = after.attempts.filter(({ straggler }) => straggler === true).length
        const end = [...Array.from({ length: stragglers }, () => "PublishTaskStop"), "PublishRunFinished", "DropLive"]
        if (isFinal(after)) assert.deepStrictEqual(tags, end)
        else assert.notInclude(tags, "PublishRunFinished")
        if (isTombstone(after)) assert.deepStrictEqual(tags, [])
        assert.strictEqual(
          tags.includes("KeepLive"),
          !isTombstone(after) && !isFinal(after) && after.attempts.length === 0
        )
      }
    },
    many
  )
})

describe("launches that fail because the definition is gone, twice, late and out of order", () => {
  it.prop(
    "ask for the next attempt, named once, never with the dead definition, and at most so many times",
    [Repairs],
    ([messages]) => {
      for (const { before, message, after } of steps(messages)) {
        const defines = after === undefined ? [] : effects(after).filter(({ _tag }) => _tag === "Define")
        assert.strictEqual(defines.length, after !== undefined && after.state === "defining" ? 1 : 0)
        const over = after?.attempts.filter((each) => each.over === true) ?? []
        if (after?.state === "defining" && over.length > 0) {
          const attempt = (after.attempts.at(-1)?.attempt ?? 0) + 1
          assert.deepStrictEqual(defines, [{ _tag: "Define", attempt, notArn: taskDefinitionArn }])
        }
        assert.strictEqual(after?.platformFailures ?? 0, over.filter(({ problem }) => problem !== undefined).length)
        assert.isAtMost(after?.platformFailures ?? 0, RETRY_DEFAULTS.platformAttempts)
        const wasOver = before?.attempts.some((each) => each.over === true && each.attempt === attemptOf(message))
        if (wasOver === true && message.kind !== "task.started") assert.strictEqual(after, before, message.kind)
      }
    },
    many
  )
})

const attemptOf = (message: RunMessage): number | undefined =>
  "message" in message && "attempt" in message.message ? message.message.attempt : undefined

const stories: ReadonlyArray<ReadonlyArray<RunMessage>> = [
  [
    requested(0),
    ready(1),
    deferred(2, { try: 1 }),
    deferred(3, { try: 2 }),
    started(4),
    changed(5, "RUNNING", 3),
    stopped(6)
  ],
  [
    requested(0),
    ready(1),
    started(2),
    changed(3, "RUNNING", 3),
    cancel(4),
    changed(5, "STOPPING", 4),
    stopped(6, { outcome: "cancelled" }),
    finished(6, { outcome: "cancelled" })
  ],
  [cancel(0), cancel(5), requested(9)],
  [cancel(0), requested(900), ready(901), started(902)],
  [requested(0), ready(1), rejected(2)],
  [
    requested(0),
    delayed(1),
    ready(2),
    definitionGone(3),
    delayed(4),
    ready(5, { attempt: 2 }),
    started(6, { attempt: 2 }),
    stopped(7, { attempt: 2 })
  ],
  [requested(0), ready(1), definitionGone(2), cancel(3)]
]

describe("redelivery", () => {
  it.prop(
    "of anything at any later time changes nothing",
    [
      Schema.Literals([0, 1, 2, 3, 4, 5, 6]),
      Arbitrary.array(Arbitrary.schema(Schema.Tuple([upTo(8), upTo(8)])), { maxLength: 20 })
    ],
    ([n, repeats]) => {
      const story = stories[n] ?? []
      const noisy = story.flatMap((message, position) => [
        message,
        ...repeats.flatMap(([which, after]) =>
          after === position + 1 && which <= after ? story.slice(which - 1, which) : []
        )
      ])
      assert.deepStrictEqual(steps(noisy).at(-1)?.after, steps(story).at(-1)?.after)
    },
    many
  )
})
