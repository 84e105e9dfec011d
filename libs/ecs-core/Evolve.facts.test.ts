import { assert, describe, it } from "@effect/vitest"
import { evolve, type RunMessage } from "#ecs-core/Evolve.ts"
import type { Run } from "#ecs-core/Run.ts"
import {
  at,
  changed,
  clusterArn,
  deferred,
  ready,
  rejected,
  requested,
  started,
  stopped,
  taskArn
} from "#test/support/messages.ts"

const fold = (messages: ReadonlyArray<RunMessage>): Run | undefined =>
  messages.reduce<Run | undefined>(evolve, undefined)

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
      const run = fold([requested(0), ready(1), ...order])
      const last = { taskArn, clusterArn, try: 1, lastStatus: "STOPPING", taskVersion: 4 }
      assert.deepInclude(run, { state: "stopping", updatedAt: at(5) })
      assert.deepInclude(run?.attempts[0], last)
      assert.isNotEmpty(run?.attempts[0]?.logs)
    }
  })

  it("come to the same outcome, wherever the last fact arrives", () => {
    for (const order of permutations([...facts.slice(0, 3), stopped(6, { outcome: "failed", exitCode: 3 })])) {
      const run = fold([requested(0), ready(1), ...order])
      assert.deepInclude(run, { state: "failed", exitCode: 3, finishedAt: at(6) })
    }
  })

  it("a repeated or older version changes nothing (peers 88)", () => {
    const run = fold([requested(0), ready(1), started(2), changed(4, "RUNNING", 3)])
    assert.strictEqual(evolve(run, changed(9, "PENDING", 3)), run)
    assert.strictEqual(evolve(run, changed(9, "PENDING", 2)), run)
  })

  it("a late deferral does not make a started run wait", () => {
    const run = fold([requested(0), ready(1), started(2)])
    assert.strictEqual(evolve(run, deferred(3, { try: 9 })), run)
  })

  it("of two deferrals of the same try the later one holds, in whatever order", () => {
    const [first, second] = [deferred(2, { try: 0 }), deferred(7, { try: 0 })]
    const run = fold([requested(0), ready(1), first, second])
    assert.deepInclude(run?.attempts[0]?.deferred, { try: 0, nextTryAt: at(17) })
    assert.deepInclude(run?.timeline.at(-1), { at: at(2), count: 2 })
    for (const late of [first, second]) assert.strictEqual(evolve(run, late), run)
    const swapped = fold([requested(0), ready(1), second, first])
    assert.deepStrictEqual(swapped?.attempts, run?.attempts)
  })

  it("facts of an earlier attempt do not move a later one", () => {
    const run = fold([requested(0), ready(1), started(2), ready(9, { attempt: 2 })])
    assert.strictEqual(run?.state, "launching")
    for (const late of [changed(10, "STOPPED", 9), stopped(10, { outcome: "crashed" }), rejected(10)]) {
      assert.strictEqual(evolve(run, late)?.state, "launching", late.kind)
    }
  })
})
