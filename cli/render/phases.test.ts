import { assert, describe, it } from "@effect/vitest"
import type { TaskTimes } from "#ecs-core/Messages.ts"
import { millis } from "#test/support/builders.ts"
import { at } from "#test/support/messages.ts"
import { type Phase, phasesOf } from "./phases.ts"

/** Stamps in seconds after nine o'clock. */
const times = (seconds: { readonly [K in keyof TaskTimes]?: number }): TaskTimes =>
  Object.fromEntries(Object.entries(seconds).map(([name, second]) => [name, at(second)]))

const whole = {
  createdAt: 0,
  connectivityAt: 4,
  pullStartedAt: 11,
  pullStoppedAt: 18,
  startedAt: 20,
  executionStoppedAt: 50,
  stoppingAt: 51,
  stoppedAt: 73
}

/** `network 0-4`; `?` where the end is not known, `…` where it goes on. */
const shown = ({ names, fromMillis, toMillis, goesOn }: Phase): string => {
  const second = (epochMillis: number) => (epochMillis - millis(0)) / 1000
  const end = toMillis === undefined ? "?" : second(toMillis)
  return `${names.join("+")} ${second(fromMillis)}-${end}${goesOn ? "…" : ""}`
}

const without = (...left: ReadonlyArray<keyof TaskTimes>) =>
  Object.fromEntries(Object.entries(whole).filter(([name]) => !left.some((key) => key === name)))

describe("phasesOf", () => {
  it.each([
    {
      what: "every stamp",
      seconds: whole,
      phases: ["network 0-4", "host 4-11", "pull 11-18", "start 18-20", "run 20-50", "stop 50-73"]
    },
    { what: "no stamp", seconds: {}, phases: [] },
    {
      what: "no connectivityAt: network and host are one",
      seconds: without("connectivityAt"),
      phases: ["network+host 0-11", "pull 11-18", "start 18-20", "run 20-50", "stop 50-73"]
    },
    {
      what: "nothing between creation and start",
      seconds: without("connectivityAt", "pullStartedAt", "pullStoppedAt"),
      phases: ["network+host+pull+start 0-20", "run 20-50", "stop 50-73"]
    },
    {
      what: "no createdAt: begins with what is known",
      seconds: without("createdAt"),
      phases: ["host 4-11", "pull 11-18", "start 18-20", "run 20-50", "stop 50-73"]
    },
    {
      what: "no executionStoppedAt",
      seconds: without("executionStoppedAt"),
      phases: ["network 0-4", "host 4-11", "pull 11-18", "start 18-20", "run 20-51", "stop 51-73"]
    },
    {
      what: "a program that outlived the beginning of its stop",
      seconds: { ...whole, stoppingAt: 40 },
      phases: ["network 0-4", "host 4-11", "pull 11-18", "start 18-20", "run 20-40", "stop 40-73"]
    },
    {
      what: "neither stamp of the stop: run and stop are one",
      seconds: without("executionStoppedAt", "stoppingAt"),
      phases: ["network 0-4", "host 4-11", "pull 11-18", "start 18-20", "run+stop 20-73"]
    },
    {
      what: "a pull that failed: there was no run",
      seconds: { createdAt: 0, connectivityAt: 4, pullStartedAt: 11, stoppingAt: 13, stoppedAt: 20 },
      phases: ["network 0-4", "host 4-11", "pull+start 11-13", "stop 13-20"]
    },
    {
      what: "a task that was given up at once",
      seconds: { createdAt: 0, stoppedAt: 20 },
      phases: ["network+host+pull+start+stop 0-20"]
    },
    {
      what: "equal stamps: phases of no length",
      seconds: { ...whole, connectivityAt: 0, pullStoppedAt: 11 },
      phases: ["network 0-0", "host 0-11", "pull 11-11", "start 11-20", "run 20-50", "stop 50-73"]
    },
    {
      what: "stamps out of order: never below zero, and the same whole",
      seconds: { ...whole, connectivityAt: 12, pullStartedAt: 11 },
      phases: ["network 0-12", "host 12-12", "pull 12-18", "start 18-20", "run 20-50", "stop 50-73"]
    },
    {
      what: "an end before the last beginning",
      seconds: { createdAt: 0, startedAt: 20, stoppedAt: 19 },
      phases: ["network+host+pull+start 0-20", "run+stop 20-20"]
    },
    {
      what: "a run that was over before its task had STOPPED",
      seconds: without("stoppedAt"),
      phases: ["network 0-4", "host 4-11", "pull 11-18", "start 18-20", "run 20-50"]
    },
    {
      what: "a run whose task was lost",
      seconds: { createdAt: 0, startedAt: 20 },
      phases: ["network+host+pull+start 0-20", "run 20-?"]
    }
  ])("of a task that is over, with $what", ({ seconds, phases }) => {
    assert.deepStrictEqual(phasesOf(times({ ...seconds }), true, millis(1000)).map(shown), phases)
  })

  it.each([
    { seconds: { createdAt: 0 }, now: 3, phases: ["network 0-3…"] },
    {
      seconds: { createdAt: 0, connectivityAt: 4, pullStartedAt: 11 },
      now: 30,
      phases: ["network 0-4", "host 4-11", "pull 11-30…"]
    },
    { seconds: { createdAt: 0, startedAt: 20 }, now: 30, phases: ["network+host+pull+start 0-20", "run 20-30…"] },
    {
      seconds: { createdAt: 0, startedAt: 20, executionStoppedAt: 25 },
      now: 30,
      phases: ["network+host+pull+start 0-20", "run 20-25", "stop 25-30…"]
    }
  ])("of a task that goes on: $phases", ({ seconds, now, phases }) => {
    assert.deepStrictEqual(phasesOf(times(seconds), false, millis(now)).map(shown), phases)
  })

  it("a clock behind that of ECS makes no length below zero", () => {
    assert.deepStrictEqual(phasesOf(times({ createdAt: 5 }), false, millis(0)).map(shown), ["network 5-5…"])
  })

  it("covers the whole time whichever stamps between are missing", () => {
    const between: ReadonlyArray<keyof TaskTimes> = [
      "connectivityAt",
      "pullStartedAt",
      "pullStoppedAt",
      "startedAt",
      "executionStoppedAt",
      "stoppingAt"
    ]
    for (let bits = 0; bits < 2 ** between.length; bits++) {
      const phases = phasesOf(times(without(...between.filter((_, index) => bits & (1 << index)))), true, 0)
      const ends = [phases[0]?.fromMillis, ...phases.map(({ toMillis }) => toMillis)]
      assert.deepStrictEqual([ends[0], ends.at(-1)], [millis(0), millis(73)])
      assert.deepStrictEqual(
        ends.slice(0, -1),
        phases.map(({ fromMillis }) => fromMillis)
      )
    }
  })
})
