import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import { evolve, type RunMessage } from "#ecs-core/Evolve.ts"
import { effects, isFinal, isTombstone, type Run, RunCodec, TIMELINE_MAX } from "#ecs-core/Run.ts"
import { mayBecome, Outcome } from "#ecs-core/RunState.ts"
import {
  at,
  cancel,
  changed,
  clusterArn,
  deferred,
  finished,
  ready,
  refused,
  rejected,
  requested,
  started,
  stopped,
  taskArn
} from "#test/support/messages.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))
const Shuffled = Schema.Struct({
  pick: upTo(10),
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
    ready(seconds, { attempt }),
    started(seconds, { attempt, lastStatus }),
    deferred(seconds, { attempt, try: number }),
    rejected(seconds, { attempt, outcome: "crashed" }),
    changed(seconds, lastStatus, number, { attempt, times: { startedAt: at(seconds) } }),
    stopped(seconds, { attempt, outcome, exitCode: number }),
    number === 1 ? refused(seconds) : finished(seconds, { outcome, exitCode: number })
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
    "what is final never changes",
    [Messages],
    ([messages]) => {
      for (const { before, after } of steps(messages)) {
        if (before !== undefined && isFinal(before)) assert.strictEqual(after, before)
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
        if (isFinal(after)) assert.deepStrictEqual(tags, ["PublishRunFinished", "DropLive"])
        else assert.notInclude(tags, "PublishRunFinished")
        if (isTombstone(after)) assert.deepStrictEqual(tags, [])
        assert.strictEqual(tags.includes("PublishTaskdefReady") && tags[0] !== "KeepLive", false)
      }
    },
    many
  )
})

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
  [requested(0), ready(1), rejected(2)]
]

describe("redelivery", () => {
  it.prop(
    "of anything at any later time changes nothing",
    [
      Schema.Literals([0, 1, 2, 3, 4]),
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

const permutations = <A>(list: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  list.length === 0
    ? [[]]
    : list.flatMap((first, n) => permutations(list.toSpliced(n, 1)).map((rest) => [first, ...rest]))

describe("facts of one attempt out of order", () => {
  const facts = [
    started(2),
    changed(3, "PENDING", 2),
    changed(4, "RUNNING", 3, { times: { startedAt: at(4) } }),
    changed(5, "STOPPING", 4)
  ]

  it("come to the same state, versions and locations, in whatever order", () => {
    for (const order of permutations(facts)) {
      const run = steps([requested(0), ready(1), ...order]).at(-1)?.after
      const last = { taskArn, clusterArn, try: 1, lastStatus: "STOPPING", taskVersion: 4 }
      assert.deepInclude(run, { state: "stopping", updatedAt: at(5) })
      assert.deepInclude(run?.attempts[0], last)
      assert.isNotEmpty(run?.attempts[0]?.logs)
    }
  })

  it("come to the same outcome, wherever the last fact arrives", () => {
    for (const order of permutations([...facts.slice(0, 3), stopped(6, { outcome: "failed", exitCode: 3 })])) {
      const run = steps([requested(0), ready(1), ...order]).at(-1)?.after
      assert.deepInclude(run, { state: "failed", exitCode: 3, finishedAt: at(6) })
    }
  })

  it("statement 88: a repeated or older version changes nothing", () => {
    const run = steps([requested(0), ready(1), started(2), changed(4, "RUNNING", 3)]).at(-1)?.after
    assert.strictEqual(evolve(run, changed(9, "PENDING", 3)), run)
    assert.strictEqual(evolve(run, changed(9, "PENDING", 2)), run)
  })

  it("a late deferral does not make a started run wait", () => {
    const run = steps([requested(0), ready(1), started(2)]).at(-1)?.after
    assert.strictEqual(evolve(run, deferred(3, { try: 9 })), run)
  })

  it("facts of an earlier attempt do not move a later one", () => {
    const run = steps([requested(0), ready(1), started(2), ready(9, { attempt: 2 })]).at(-1)?.after
    assert.strictEqual(run?.state, "launching")
    for (const late of [changed(10, "STOPPED", 9), stopped(10, { outcome: "crashed" }), rejected(10)]) {
      assert.strictEqual(evolve(run, late)?.state, "launching", late.kind)
    }
  })
})
