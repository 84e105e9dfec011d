import { assert, describe, it } from "@effect/vitest"
import { READ_AGAIN_MILLIS } from "#process/ReadAgain.ts"
import {
  ALONG_SHARE,
  BUSY_SECONDS,
  type Candidate,
  choose,
  isStarted,
  isWorthAsking,
  kindOf,
  LONG_SILENT_FACTOR,
  nextDueAt,
  pauseMillis,
  SILENT_FACTOR,
  SILENT_SECONDS,
  STREAMS_MAX,
  UNSTARTED_SECONDS
} from "./plan.ts"

const NOW = 1_000_000

interface Named extends Candidate {
  readonly name: string
}

/** A busy stream, looked at a second ago and due now. */
const aStream = (name: string, change: Partial<Candidate> = {}): Named => ({
  name,
  group: "fleet",
  exists: true,
  hasStarted: true,
  isBusy: false,
  isAlone: false,
  lookedAt: NOW - 1000,
  dueAt: NOW,
  lineAt: NOW - 1000,
  hasMore: false,
  ...change
})

const silent = { lineAt: NOW - BUSY_SECONDS * 1000, lookedAt: NOW - 3000 }
const chosen = (streams: ReadonlyArray<Named>, isAloneNext = false) =>
  choose(streams, NOW, isAloneNext).map(({ name }) => name)

describe("choose", () => {
  it.each([
    { what: "nothing is there", streams: [], expected: [] },
    { what: "nothing is due", streams: [aStream("a", { dueAt: NOW + 1 })], expected: [] },
    { what: "all that are due, together", streams: [aStream("a"), aStream("b")], expected: ["a", "b"] },
    {
      what: "not one that is asked for already",
      streams: [aStream("a", { isBusy: true }), aStream("b")],
      expected: ["b"]
    },
    {
      what: "one log group a call, that of the most overdue",
      streams: [aStream("a"), aStream("b", { group: "other", lookedAt: NOW - 5000, dueAt: NOW - 4000 })],
      expected: ["b"]
    },
    {
      what: "busy ones apart from silent ones, whose lines begin long ago",
      streams: [aStream("silent", silent), aStream("busy", { dueAt: NOW - 500 })],
      expected: ["busy"]
    },
    {
      what: "new ones apart from those that are there: one that is missing fails the call",
      streams: [aStream("there"), aStream("new", { exists: false, lookedAt: NOW - 2000, dueAt: NOW - 1000 })],
      expected: ["new"]
    },
    {
      what: "the most overdue first, by the time that each was to wait",
      streams: [
        aStream("late", { lookedAt: NOW - 1500, dueAt: NOW - 500 }),
        aStream("later", { lookedAt: NOW - 3000, dueAt: NOW - 2000 })
      ],
      expected: ["later", "late"]
    },
    {
      what: "and along with them what is due soon",
      streams: [aStream("due"), aStream("soon", { lookedAt: NOW - 500, dueAt: NOW + 500 })],
      expected: ["due", "soon"]
    },
    {
      what: "but not what has just been asked for",
      streams: [aStream("due"), aStream("fresh", { lookedAt: NOW - 499, dueAt: NOW + 501 })],
      expected: ["due"]
    }
  ])("$what", ({ expected, streams }) => {
    assert.deepStrictEqual(chosen(streams), expected)
    assert.strictEqual(ALONG_SHARE, 0.5)
  })

  it.each([STREAMS_MAX, STREAMS_MAX + 1])("%d are due: at most a hundred a call", (count) => {
    const streams = Array.from({ length: count }, (_, n) => aStream(String(n)))
    assert.strictEqual(chosen(streams).length, STREAMS_MAX)
  })

  it("a lone stream has every other call at most, and every one if nobody else is due", () => {
    const lone = aStream("lone", { isAlone: true, dueAt: NOW - 1000 })
    assert.deepStrictEqual(chosen([lone, aStream("a")], true), ["lone"])
    assert.deepStrictEqual(chosen([lone, aStream("a")], false), ["a"])
    assert.deepStrictEqual(chosen([lone, aStream("a", { dueAt: NOW + 1 })], false), ["lone"])
    assert.deepStrictEqual(chosen([aStream("a")], true), ["a"])
  })

  it("of several lone streams each has its turn", () => {
    const [one, other] = [
      aStream("one", { isAlone: true, lookedAt: NOW - 100, dueAt: NOW - 99 }),
      aStream("other", { isAlone: true, lookedAt: NOW - 300, dueAt: NOW - 299 })
    ]
    assert.deepStrictEqual(chosen([one, other], true), ["other"])
  })

  it("busy ones come first where there are more streams than calls", () => {
    const [busy, quiet] = [
      aStream("busy", { lookedAt: NOW - 4000 }),
      aStream("quiet", { ...silent, lookedAt: NOW - 4000, dueAt: NOW - 1000 })
    ]
    assert.deepStrictEqual(chosen([quiet, { ...busy, dueAt: NOW - 3000 }]), ["busy"])
  })
})

describe("pauseMillis", () => {
  const ok = { isOver: false, failed: undefined }
  const pause = (change: Partial<Candidate>, state: Partial<Parameters<typeof pauseMillis>[1]> = {}) =>
    pauseMillis(aStream("a", change), { ...ok, ...state }, 1000, NOW)
  const since = (seconds: number) => ({ lineAt: NOW - seconds * 1000 })

  it.each([
    { what: "a line has just come", stream: since(0), expected: 1000 },
    { what: "still busy", stream: since(BUSY_SECONDS - 0.001), expected: 1000 },
    { what: "silent", stream: since(BUSY_SECONDS), expected: SILENT_FACTOR * 1000 },
    { what: "silent for long", stream: since(SILENT_SECONDS), expected: LONG_SILENT_FACTOR * 1000 },
    { what: "not there yet", stream: { exists: false, lineAt: 0 }, expected: 1000 }
  ])("$what: $expected ms", ({ expected, stream }) => {
    assert.strictEqual(pause(stream), expected)
  })

  it("once the task is over, its last lines are waited for", () => {
    assert.strictEqual(pause(since(SILENT_SECONDS), { isOver: true }), 1000)
  })

  it("where there are more pages it goes on at once", () => {
    assert.strictEqual(pause({ hasMore: true }), 0)
  })

  it("after a failed call it waits, also if there are more pages", () => {
    assert.strictEqual(pause({ hasMore: true }, { failed: "throttle" }), READ_AGAIN_MILLIS.throttle)
    assert.strictEqual(pause({}, { failed: "credentials", isOver: true }), READ_AGAIN_MILLIS.credentials)
  })
})

describe("the next look", () => {
  it("is when the first stream is due that is not being asked for", () => {
    assert.strictEqual(
      nextDueAt([aStream("a", { dueAt: 5 }), aStream("b", { dueAt: 3 }), aStream("c", { dueAt: 1, isBusy: true })]),
      3
    )
    assert.strictEqual(nextDueAt([]), Number.POSITIVE_INFINITY)
  })

  it("kinds: those that were never seen, apart by whether they can be there; busy, silent", () => {
    const streams = [
      aStream("a", { exists: false, hasStarted: false }),
      aStream("b", { exists: false }),
      aStream("c"),
      aStream("d", silent)
    ]
    assert.deepStrictEqual(
      streams.map((each) => kindOf(each, NOW)),
      ["unstarted", "new", "busy", "silent"]
    )
  })

  it.each([
    [undefined, false],
    ["PROVISIONING", false],
    ["PENDING", false],
    ["ACTIVATING", false],
    ["RUNNING", true],
    ["STOPPED", true]
  ])("a container of a task that is %s has been started: %s", (lastStatus, expected) => {
    assert.strictEqual(isStarted(lastStatus), expected)
  })

  it.each([
    { what: "no news for long", lastStatus: undefined, seconds: UNSTARTED_SECONDS, expected: true },
    { what: "no news", lastStatus: undefined, seconds: UNSTARTED_SECONDS - 1, expected: false },
    { what: "others may run before it", lastStatus: "PENDING", seconds: UNSTARTED_SECONDS, expected: true },
    { what: "nothing can run yet", lastStatus: "PROVISIONING", seconds: 9 * UNSTARTED_SECONDS, expected: false }
  ])("before its start, $what: worth asking $expected", ({ expected, lastStatus, seconds }) => {
    assert.strictEqual(isWorthAsking(lastStatus, NOW - seconds * 1000, NOW), expected)
  })
})
