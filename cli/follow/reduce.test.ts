import { assert, describe, it } from "@effect/vitest"
import type { RunMessage } from "#ecs-core/Evolve.ts"
import { runFinished } from "#ecs-core/Run.ts"
import { aRun } from "#test/support/builders.ts"
import { at, deferred, ready, requested, started, stopped } from "#test/support/messages.ts"
import { beginning, type FollowEvent, type FollowItem, isOver, reduce } from "./reduce.ts"

const shownFor = (events: ReadonlyArray<FollowEvent>): ReadonlyArray<FollowItem> => {
  let following = beginning
  return events.flatMap((event) => {
    const [next, items] = reduce(following, event)
    following = next
    return items
  })
}

const told = (events: ReadonlyArray<FollowEvent>): ReadonlyArray<string> =>
  shownFor(events).map((item) => {
    if (item.kind === "line") return item.line.text
    if (item.kind === "state") return `● ${item.state} ${item.attempt}`
    return item.kind === "notice" ? `! ${item.text}` : `end ${item.finished.outcome} ${item.lines}`
  })

const record = (...messages: ReadonlyArray<RunMessage>): FollowEvent => ({ kind: "record", run: aRun(...messages) })
const line = (text: string, container = "main"): FollowEvent => ({
  kind: "line",
  line: { attempt: 1, container, time: at(0), text }
})
const end = (lines: "complete" | "cut"): FollowEvent => ({ kind: "linesEnded", lines })

const over = aRun(requested(0), ready(1), started(2), stopped(5, { outcome: "failed", exitCode: 3 }))
const ended = runFinished(over)
if (ended === undefined) throw new Error("the run is not over")
const finished: FollowEvent = { kind: "finished", finished: ended }
const rejected: FollowEvent = { kind: "finished", finished: { ...ended, outcome: "rejected", attempts: 0 } }

const defining = record(requested(0))
const launching = record(requested(0), ready(1))

describe("reduce", () => {
  it.each([
    { what: "states as they change", events: [defining, launching], shows: ["● defining 1", "● launching 1"] },
    { what: "a record that comes twice once", events: [defining, defining], shows: ["● defining 1"] },
    { what: "lines as they come", events: [line("a"), line("b"), line("c")], shows: ["a", "b", "c"] },
    {
      what: "the outcome after the last line, whichever source is quicker",
      events: [{ kind: "record", run: over } as const, finished, line("last"), end("complete")],
      shows: ["last", "end failed complete"]
    },
    {
      what: "the outcome when the end of the lines came first",
      events: [end("complete"), finished],
      shows: ["end failed complete"]
    },
    { what: "that lines may be missing", events: [finished, end("cut")], shows: ["end failed cut"] },
    {
      what: "the outcome when the end of the lines never comes",
      events: [finished, line("a"), { kind: "logsOverdue" } as const],
      shows: ["a", "end failed overdue"]
    },
    {
      what: "a refusal at once: without a task there are no lines",
      events: [rejected],
      shows: ["end rejected complete"]
    },
    {
      what: "nothing after the outcome",
      events: [finished, end("complete"), finished, end("complete"), line("late")],
      shows: ["end failed complete"]
    },
    {
      what: "no state after the outcome is known",
      events: [finished, launching, end("complete")],
      shows: ["end failed complete"]
    },
    {
      what: "that nobody takes the request",
      events: [{ kind: "dispatcherOverdue" } as const],
      shows: [/^! No dispatcher has taken the request yet.*`fleet up`/]
    },
    {
      what: "no such thing once a record is there",
      events: [defining, { kind: "dispatcherOverdue" } as const],
      shows: ["● defining 1"]
    }
  ])("shows $what", ({ events, shows }) => {
    const items = told(events)
    assert.lengthOf(items, shows.length)
    shows.forEach((expected, at) =>
      typeof expected === "string" ? assert.strictEqual(items[at], expected) : assert.match(items[at] ?? "", expected)
    )
  })

  it("shows each reason for waiting once", () => {
    const because = (message: string, tries: number) =>
      deferred(tries + 2, { try: tries, problem: { code: "NoCapacity", message, advice: "Wait." } })
    const first = record(requested(0), ready(1), because("no capacity", 1))
    const again = record(requested(0), ready(1), because("no capacity", 1), because("no capacity", 2))
    const other = record(requested(0), ready(1), because("no capacity", 1), because("throttled", 2))
    const reasons = shownFor([first, again, other]).map((item) =>
      item.kind === "state" ? item.waitingFor?.problem.message : item.kind
    )
    assert.deepStrictEqual(reasons, ["no capacity", "throttled"])
  })

  it("shows the same state again with the next attempt", () => {
    const second = record(requested(0), ready(1), ready(8, { attempt: 2 }))
    assert.deepStrictEqual(told([launching, second]), ["● launching 1", "● launching 2"])
  })

  it("tells a notice once, whether the record or the log brings it", () => {
    const noticed: FollowEvent = { kind: "record", run: { ...aRun(requested(0)), notices: ["There is no output."] } }
    const asLine = line("There is no output.", "fleet")
    assert.deepStrictEqual(told([noticed, asLine]), ["! There is no output.", "● defining 1"])
    assert.deepStrictEqual(told([asLine, noticed]), ["! There is no output.", "● defining 1"])
  })

  it("is over when the outcome is known and the lines have ended", () => {
    const [afterEnd] = reduce(beginning, end("complete"))
    assert.isFalse(isOver(afterEnd))
    assert.isTrue(isOver(reduce(afterEnd, finished)[0]))
  })

  it("tells where a run stands in the queue, each place once, and nothing of it once its turn has come", () => {
    const place = (position: number): FollowEvent => ({ kind: "place", place: { pool: "gpu", position }, at: at(1) })
    const queued = record(requested(0, { queued: true }))
    const events = [place(9), queued, place(3), queued, place(3), place(2), record(requested(0)), place(1)]
    const shown = shownFor(events).map((item) => (item.kind === "state" ? [item.state, item.place?.position] : []))
    assert.deepStrictEqual(shown, [
      ["queued", undefined],
      ["queued", 3],
      ["queued", 2],
      ["defining", undefined]
    ])
  })
})
