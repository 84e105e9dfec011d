import { assert, describe, it } from "@effect/vitest"
import type { Phase, PhaseName } from "./phases.ts"
import { plain, styleFor } from "./style.ts"
import {
  BAR_COLUMNS_MAX,
  BAR_COLUMNS_MIN,
  LONG_PLACEMENT_MILLIS,
  LONG_PULL_MILLIS,
  LONG_START_MILLIS,
  startUpSentence,
  waterfallLines
} from "./waterfall.ts"

/** Phases one after the other, lengths in seconds. */
const phases = (...lengths: ReadonlyArray<readonly [PhaseName | Phase["names"], number]>): ReadonlyArray<Phase> => {
  let at = 0
  return lengths.map(([name, seconds]) => {
    const fromMillis = at
    at += seconds * 1000
    return { names: typeof name === "string" ? [name] : name, fromMillis, toMillis: at, goesOn: false }
  })
}

const goingOn = (all: ReadonlyArray<Phase>): ReadonlyArray<Phase> =>
  all.map((phase, index) => ({ ...phase, goesOn: index === all.length - 1 }))

const three = phases(["network", 4], ["pull", 8], ["stop", 4])
/** What stands beside the bars of `three`: name, length, two gaps, and room for the mark. */
const BESIDE = "network".length + "4.0 s".length + 4 + " now".length

describe("waterfallLines", () => {
  it.each([
    {
      what: "one after the other, to scale",
      all: three,
      columns: BESIDE + 16,
      lines: ["network  4.0 s  ████", "pull     8.0 s      ████████", "stop     4.0 s              ████"]
    },
    {
      what: "a run longer than all the rest, cut to the length of the rest",
      all: phases(["network", 10], ["run", 86_400], ["stop", 10]),
      columns: BESIDE + 5 + 16,
      lines: ["network        10 s  ████", "run      24 h 0 min      ███⋯████", "stop           10 s              ████"]
    },
    { what: "nothing but a run", all: phases(["run", 30]), columns: 35, lines: [`run  30 s  ${"█".repeat(20)}`] },
    {
      what: "phases of no length",
      all: phases(["network", 0], ["run", 0]),
      columns: 80,
      lines: ["network  0.0 s  ▏", "run      0.0 s  ▏"]
    },
    {
      what: "the shortest phase with one block, within the room",
      all: phases(["network", 59], ["pull", 0.01]),
      columns: BESIDE + 16,
      lines: [`network   59 s  ${"█".repeat(16)}`, `pull     0.0 s  ${" ".repeat(15)}█`]
    },
    {
      what: "merged phases, and one that goes on with a mark",
      all: goingOn(phases([["network", "host"], 12], ["pull", 12])),
      columns: 44,
      lines: ["network + host  12 s  █████████", "pull            12 s           █████████ now"]
    },
    {
      what: "no bar where the end is not known",
      all: [
        ...phases(["network", 4]),
        { names: ["run"], fromMillis: 4000, toMillis: undefined, goesOn: false } as const
      ],
      columns: 44,
      lines: [`network      4.0 s  ${"█".repeat(20)}`, "run      not known"]
    },
    { what: "nothing of nothing", all: [], columns: 80, lines: [] }
  ])("draws $what", ({ all, columns, lines }) => {
    assert.deepStrictEqual(waterfallLines(plain, all, columns), lines)
  })

  it.each([
    { columns: BESIDE + BAR_COLUMNS_MIN, widest: BAR_COLUMNS_MIN },
    { columns: BESIDE + BAR_COLUMNS_MIN - 1, widest: 0 },
    { columns: 0, widest: 0 },
    { columns: 400, widest: BAR_COLUMNS_MAX }
  ])("has bars of $widest in a terminal of $columns columns", ({ columns, widest }) => {
    const lines = waterfallLines(plain, three, columns)
    assert.strictEqual(lines.join("").replaceAll(/[^█]/gu, "").length, widest)
    assert.include(lines[1], "pull     8.0 s")
  })

  it.each([20, 33, 47, 80, 120])("is never wider than %i columns where there is room for bars", (columns) => {
    const all = goingOn(phases(["network", 3.3], ["host", 7.1], ["pull", 0.2], ["start", 0.1], ["run", 0.4]))
    const widest = Math.max(...waterfallLines(plain, all, columns).map(({ length }) => length))
    assert.isAtMost(widest, Math.max(columns, "network  3.3 s now".length))
  })

  it("has colours for terminals only", () => {
    const terminal = styleFor({ isTerminal: true, env: {} })
    const noColour = styleFor({ isTerminal: true, env: { NO_COLOR: "1" } })
    assert.include(waterfallLines(terminal, three, 80).join(), "\u001B[33m█")
    assert.deepStrictEqual(waterfallLines(noColour, three, 80), waterfallLines(plain, three, 80))
  })
})

describe("startUpSentence", () => {
  const second = 1000

  it.each([
    { what: "before anything", all: [], says: undefined },
    { what: "after nothing measurable", all: phases(["network", 0]), says: undefined },
    { what: "where only the run is known", all: phases(["run", 5]), says: undefined },
    {
      what: "of a short pull",
      all: phases(["network", 3], ["pull", LONG_PULL_MILLIS / second - 1], ["run", 100]),
      says: "Longest part of the start-up: pull (9.0 s of 12 s), the download of the images."
    },
    {
      what: "of a long pull",
      all: phases(["network", 3], ["pull", LONG_PULL_MILLIS / second]),
      says:
        "Longest part of the start-up: pull (10 s of 13 s), the download of the images: " +
        "a smaller image helps, or one in the same region, or a SOCI index on Fargate."
    },
    {
      what: "of a usual network",
      all: phases(["network", LONG_PLACEMENT_MILLIS / second - 1]),
      says:
        "Longest part of the start-up: network (19 s of 19 s), the network interface, " +
        "usually 10 to 20 s on Fargate for network and host together."
    }
  ])("$what", ({ all, says }) => {
    assert.strictEqual(startUpSentence(all), says)
  })

  it.each([
    { name: "network", seconds: LONG_PLACEMENT_MILLIS / second, helps: "free addresses" },
    { name: "host", seconds: LONG_PLACEMENT_MILLIS / second, helps: "instances that are kept ready" },
    { name: "start", seconds: LONG_START_MILLIS / second, helps: "health checks" }
  ] as const)("says what helps where $name is long, and not before", ({ name, seconds, helps }) => {
    assert.include(startUpSentence(phases([name, seconds])), helps)
    assert.notInclude(startUpSentence(phases([name, seconds - 0.001])), helps)
  })

  it("takes merged phases for the one where most can be done", () => {
    assert.include(startUpSentence(phases([["network", "host", "pull", "start"], 30])), "download of the images")
    assert.include(startUpSentence(phases([["network", "host"], 30])), "the network interface")
  })
})
