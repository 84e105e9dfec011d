import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { aTask, aTaskStarted, exited, millis } from "#test/support/builders.ts"
import { at } from "#test/support/messages.ts"
import { type Action, judge, MISSING_CONFIRM_SECONDS, MISSING_GRACE_SECONDS, type SeenTask, watch } from "./decide.ts"

const exitCode = 3
const end = { stopCode: "EssentialContainerExited", containers: exited(exitCode) }

/** A task's descriptions in the order of their versions, as ECS makes them; some share a status. */
const life: ReadonlyArray<SeenTask> = [
  aTask({ lastStatus: "PROVISIONING" }),
  aTask({ lastStatus: "PENDING" }),
  aTask({ lastStatus: "PENDING" }),
  aTask({ lastStatus: "RUNNING", times: { startedAt: at(20) } }),
  aTask({ lastStatus: "RUNNING", times: { startedAt: at(20) }, containers: exited(exitCode) }),
  aTask({ lastStatus: "DEACTIVATING", ...end }),
  aTask({ lastStatus: "DEPROVISIONING", ...end }),
  aTask({ lastStatus: "STOPPED", ...end })
].map((task, index) => ({ ...task, version: index + 1 }))

/** One look: which description ECS answers with, the last index being "not found", and seconds since the look before. */
const look = Arbitrary.all({
  index: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: life.length }))),
  seconds: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 400 })))
})
type Look = { readonly index: number; readonly seconds: number }

interface Step extends Look {
  /** Seconds since the launch. */
  readonly now: number
  readonly actions: ReadonlyArray<Action>
}

/** One owner over these looks; the sweep forgets a released task, so that nothing follows a release. */
const stepsOf = (looks: ReadonlyArray<Look>): ReadonlyArray<Step> => {
  let watched = watch(aTaskStarted())
  let now = 0
  const steps: Array<Step> = []
  for (const { index, seconds } of looks) {
    now += seconds
    const judgement = judge(watched, life[index], millis(now))
    watched = judgement.watched
    steps.push({ index, seconds, now, actions: judgement.actions })
    if (judgement.actions.some(({ _tag }) => _tag === "Release")) break
  }
  return steps
}

const actionsOf = (looks: ReadonlyArray<Look>): ReadonlyArray<Action> =>
  stepsOf(looks).flatMap(({ actions }) => actions)

const MISSING = life.length
const STOPPED = life.length - 1

/** The last look found the task STOPPED, or nothing for ten seconds, more than a minute after the launch. */
const isGone = (steps: ReadonlyArray<Step>): boolean => {
  const last = steps.at(-1)
  if (last?.index !== MISSING) return last?.index === STOPPED
  const known = steps.findLastIndex(({ index }) => index !== MISSING)
  const since = steps[known + 1]?.now ?? last.now
  return last.now >= MISSING_GRACE_SECONDS && last.now - since >= MISSING_CONFIRM_SECONDS
}

describe("judge, over any descriptions: twice, late, out of order, missing", () => {
  it.prop(
    "the end at most once, changes with rising versions, a release only when the task is gone (peers 88, scenario 91)",
    [Arbitrary.array(look, { maxLength: 30 })],
    ([looks]) => {
      const steps = stepsOf(looks)
      const actions = steps.flatMap((step) => step.actions)
      const tags = actions.map(({ _tag }) => _tag)
      const ends = tags.filter((tag) => tag === "PublishStopped").length
      assert.isAtMost(ends, 1)
      if (tags.includes("Release")) assert.isTrue(ends === 1 && isGone(steps))
      const versions = actions.flatMap((action) => (action._tag === "PublishChanged" ? [action.fact.version] : []))
      assert.deepStrictEqual(
        versions,
        [...new Set(versions)].toSorted((a, b) => a - b)
      )
      if (ends === 1) assert.isTrue(tags.slice(tags.indexOf("PublishStopped")).every((tag) => tag !== "StopTask"))
    }
  )

  it.prop(
    "whatever came before, STOPPED ends it: exactly one end, and the lease goes back (peers 97)",
    [Arbitrary.array(look, { maxLength: 30 })],
    ([looks]) => {
      const tags = actionsOf([...looks, { index: life.length - 1, seconds: 1 }]).map(({ _tag }) => _tag)
      assert.strictEqual(tags.filter((tag) => tag === "PublishStopped").length, 1)
      assert.strictEqual(tags.at(-1), "Release")
    }
  )
})
