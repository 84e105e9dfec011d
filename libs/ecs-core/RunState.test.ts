import { assert, describe, it } from "@effect/vitest"
import {
  isOutcome,
  LiveState,
  mayBecome,
  Outcome,
  RunState,
  stateOfLastStatus,
  transitions
} from "#ecs-core/RunState.ts"

const live = LiveState.literals
const outcomes = Outcome.literals
const states = [...live, ...outcomes]

describe("mayBecome", () => {
  it("lets every live state end in every outcome", () => {
    for (const from of live) for (const to of outcomes) assert.isTrue(mayBecome(from, to), `${from} → ${to}`)
  })

  it("lets no outcome become anything", () => {
    for (const from of outcomes) for (const to of states) assert.isFalse(mayBecome(from, to), `${from} → ${to}`)
  })

  it("lets nothing become itself", () => {
    for (const state of states) assert.isFalse(mayBecome(state, state), state)
  })

  it("goes back only from waiting to launching, to defining or launching for the next attempt, and where a record is made anew", () => {
    const back = live.flatMap((from, n) =>
      transitions[from].filter((to) => !isOutcome(to) && live.indexOf(to) < n).map((to) => `${from} → ${to}`)
    )
    assert.deepStrictEqual(back, [
      "defining → queued",
      "launching → defining",
      "waiting → defining",
      "waiting → launching",
      "provisioning → defining",
      "provisioning → launching",
      "pending → defining",
      "pending → launching",
      "running → defining",
      "running → launching",
      "stopping → defining",
      "stopping → launching"
    ])
  })

  it.each([
    { from: "requested", to: "running" },
    { from: "defining", to: "requested" },
    { from: "queued", to: "waiting" },
    { from: "running", to: "pending" },
    { from: "running", to: "waiting" },
    { from: "stopping", to: "running" }
  ] as const)("refuses $from → $to", ({ from, to }) => {
    assert.isFalse(mayBecome(from, to))
  })
})

describe("stateOfLastStatus", () => {
  it.each([
    ["PROVISIONING", "provisioning"],
    ["PENDING", "pending"],
    ["ACTIVATING", "pending"],
    ["RUNNING", "running"],
    ["DEACTIVATING", "stopping"],
    ["STOPPING", "stopping"],
    ["DEPROVISIONING", "stopping"],
    ["STOPPED", "stopping"],
    ["DELETED", "stopping"],
    ["HIBERNATING", undefined],
    ["running", undefined],
    ["", undefined],
    ["constructor", undefined]
  ])("%s → %s (scenario 60)", (lastStatus, state) => {
    assert.strictEqual(stateOfLastStatus(lastStatus), state)
  })
})

describe("RunState", () => {
  it("is the live states and the outcomes, each once", () => {
    assert.deepStrictEqual(
      RunState.members.flatMap((member) => [...member.literals]),
      states
    )
    assert.strictEqual(new Set(states).size, states.length)
  })
})
