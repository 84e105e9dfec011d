import { assert, describe, it } from "@effect/vitest"
import { anAwsFailure } from "#test/support/builders.ts"
import { afterFailure, afterProbe, type GateState, opened, type Paused, probeWaitMillis } from "./gateState.ts"

const rule = { probeSeconds: 1, probeSecondsMax: 30 }
const rejected = anAwsFailure("credentials")

const pausedAt = (now: number): Paused => {
  const state = afterFailure(opened, rejected, { askedAt: now, now }, rule)
  assert(state._tag === "Paused")
  return state
}

/** A state in short. */
const short = (state: GateState): string =>
  state._tag === "Open" ? `open since ${state.since}` : `paused since ${state.since}, probed at ${state.nextProbeAt}`

describe("afterFailure", () => {
  const open: GateState = { _tag: "Open", since: 50_000, probes: 0 }
  it.each([
    { what: "the first refusal", state: opened, askedAt: 5, expected: "paused since 60000, probed at 61000" },
    {
      what: "of a call after the last pause",
      state: open,
      askedAt: 50_000,
      expected: "paused since 60000, probed at 62000"
    },
    {
      what: "late: of a call that began in the last pause",
      state: open,
      askedAt: 49_999,
      expected: "open since 50000"
    },
    {
      what: "twice: one that is paused already",
      state: pausedAt(7),
      askedAt: 6,
      expected: "paused since 7, probed at 1007"
    }
  ])("$what: $expected", ({ askedAt, expected, state }) => {
    assert.strictEqual(short(afterFailure(state, rejected, { askedAt, now: 60_000 }, rule)), expected)
  })

  it.each(["throttle", "transient", "capacity", "inactive", "conflict", "never"] as const)(
    "%s says nothing against the credentials",
    (retry) => {
      assert.strictEqual(afterFailure(opened, anAwsFailure(retry), { askedAt: 1, now: 1 }, rule), opened)
    }
  )

  it.each([
    { seconds: 29, wait: 16_000 },
    { seconds: 30, wait: 1000 }
  ])("refused again $seconds s after a probe: the next one comes after $wait ms", ({ seconds, wait }) => {
    const now = seconds * 1000
    const state = afterFailure({ _tag: "Open", since: 0, probes: 3 }, rejected, { askedAt: now, now }, rule)
    assert.strictEqual(state._tag === "Paused" && state.nextProbeAt - now, wait)
  })
})

describe("afterProbe", () => {
  it.each([
    { what: "an answer", failure: undefined },
    { what: "no such cluster", failure: anAwsFailure("never", { code: "ClusterNotFound" }) },
    { what: "a call that is not allowed", failure: anAwsFailure("never", { code: "AccessDenied" }) }
  ])("$what: the credentials work", ({ failure }) => {
    assert.strictEqual(short(afterProbe(pausedAt(0), failure, 9, rule)), "open since 9")
  })

  it.each(["credentials", "throttle", "transient"] as const)(
    "%s: the pause goes on, with its first reason or a newer one",
    (retry) => {
      const failure = anAwsFailure(retry, { message: "again" })
      const state = afterProbe(pausedAt(0), failure, 1000, rule)
      assert.strictEqual(short(state), "paused since 0, probed at 3000")
      assert.strictEqual(
        state._tag === "Paused" && state.why.message,
        retry === "credentials" ? "again" : rejected.message
      )
    }
  )

  it("the waits between probes double up to their most", () => {
    const waits = [0, 1, 2, 3, 4, 5, 60, 5000].map((probes) => probeWaitMillis(probes, rule) / 1000)
    assert.deepStrictEqual(waits, [1, 2, 4, 8, 16, 30, 30, 30])
  })
})
