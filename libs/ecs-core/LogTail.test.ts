import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { LogLine } from "#ecs-core/LogLine.ts"
import {
  addToTail,
  emptyTail,
  linesOfTail,
  TAIL_BYTES_MAX,
  TAIL_CUT_MARK,
  TAIL_LINES_MAX,
  TAIL_TEXT_BYTES_MAX,
  type TailLimits,
  tailLimits,
  tailOf
} from "#ecs-core/LogTail.ts"

const time = "2026-03-01T09:00:00.000Z"
const limits = tailLimits(["main", "fleet"])
const aLine = (text: string, change: Partial<LogLine> = {}): LogLine => ({ time, container: "main", text, ...change })
const textsOf = (lines: ReadonlyArray<LogLine>) => tailOf(lines, limits).map(({ text }) => text)
const jsonBytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value))
/** A text of so many bytes of JSON. */
const textOf = (bytes: number, character = "x") => character.repeat((bytes - 2) / (jsonBytes(character) - 2))
const pieces = (id: string, ...texts: ReadonlyArray<string>) =>
  texts.map((text, at) => aLine(text, { id, part: at + 1, ...(at === texts.length - 1 ? { last: true } : {}) }))

describe("tailOf", () => {
  it("has nothing of nothing", () => {
    assert.deepStrictEqual(tailOf([], limits), [])
  })

  it(`has the last ${TAIL_LINES_MAX} lines, as they were published`, () => {
    const lines = Array.from({ length: TAIL_LINES_MAX }, (_, n) => aLine(`${n}`, { id: `${n}`, late: true }))
    assert.deepStrictEqual(tailOf(lines, limits), lines)
    const next = aLine("next")
    assert.deepStrictEqual(tailOf([...lines, next], limits), [...lines.slice(1), next])
  })

  it.each([
    { what: "its container and the fleet's own", lines: ["main", "proxy", "fleet", "proxy"], shown: ["main", "fleet"] },
    { what: "the fleet alone", lines: ["proxy", "fleet"], shown: ["fleet"] },
    { what: "neither: all", lines: ["proxy", "agent"], shown: ["proxy", "agent"] }
  ])("of several containers it has the lines of $what", ({ lines, shown }) => {
    const containers = tailOf(
      lines.map((container) => aLine("text", { container })),
      limits
    ).map(({ container }) => container)
    assert.deepStrictEqual(containers, shown)
  })

  it.each([
    { what: "ASCII", character: "x" },
    { what: "quotes", character: '"' },
    { what: "new lines", character: "\n" },
    { what: "control characters", character: "\u0001" },
    { what: "two bytes each", character: "é" },
    { what: "three bytes each", character: "€" },
    { what: "four bytes each", character: "🚀" },
    { what: "half a pair", character: "\ud83d" }
  ])("keeps a text of $what up to its limit, and cuts the beginning of a longer one", ({ character }) => {
    const each = jsonBytes(character) - 2
    const longest = textOf(TAIL_TEXT_BYTES_MAX - ((TAIL_TEXT_BYTES_MAX - 2) % each), character)
    assert.deepStrictEqual(textsOf([aLine(longest)]), [longest])
    const [cut = ""] = textsOf([aLine(`${longest}${character}`)])
    assert.isTrue(cut.startsWith(TAIL_CUT_MARK))
    assert.isAtMost(jsonBytes(cut), TAIL_TEXT_BYTES_MAX)
    assert.isAbove(jsonBytes(cut), TAIL_TEXT_BYTES_MAX - each)
    assert.isTrue(longest.endsWith(cut.slice(TAIL_CUT_MARK.length)))
  })

  it("keeps colours and control characters", () => {
    const text = "\u001b[31mfailed\u001b[0m\tat\r\u0000"
    assert.deepStrictEqual(textsOf([aLine(text)]), [text])
  })

  it(`has at most ${TAIL_BYTES_MAX} bytes of JSON: the oldest go first`, () => {
    const long = Array.from({ length: 8 }, (_, n) => aLine(textOf(TAIL_TEXT_BYTES_MAX), { id: `${n}` }))
    const whole = long.slice(1)
    const room = TAIL_BYTES_MAX - jsonBytes([...whole, aLine("")])
    const last = aLine(textOf(2 + room))
    assert.strictEqual(jsonBytes([...whole, last]), TAIL_BYTES_MAX)
    assert.deepStrictEqual(tailOf([...long, last], limits), [...whole, last])
    const longer = aLine(textOf(3 + room))
    assert.deepStrictEqual(tailOf([...long, longer], limits), [...whole.slice(1), longer])
  })

  it("leaves out what does not fit at all", () => {
    const small = { ...limits, bytesMax: 60 }
    assert.deepStrictEqual(tailOf([aLine("short"), aLine("too long a line")], small), [])
  })
})

describe("pieces of a long line", () => {
  it("are one line again, with what they have in common", () => {
    const lines = [aLine("before"), ...pieces("a", "one ", "two ", "three"), aLine("after")]
    assert.deepStrictEqual(tailOf(lines, limits), [
      aLine("before"),
      aLine("one two three", { id: "a" }),
      aLine("after")
    ])
  })

  it("are cut as one", () => {
    const lines = pieces("a", textOf(48 * 1024), textOf(48 * 1024), "the end")
    const [text = ""] = textsOf(lines)
    assert.strictEqual(jsonBytes(text), TAIL_TEXT_BYTES_MAX)
    assert.match(text, /^\[…\] x+the end$/)
  })

  it("of which the first is missing begin with the mark; what follows the last one is another line", () => {
    const [, second, third] = pieces("a", "one ", "two ", "three")
    assert.isDefined(second)
    assert.isDefined(third)
    assert.deepStrictEqual(textsOf([second, third, { ...third, part: 4 }]), [
      `${TAIL_CUT_MARK}two three`,
      `${TAIL_CUT_MARK}three`
    ])
  })

  it("with those of another line, container or attempt in between stay apart", () => {
    const [one, two] = pieces("a", "one ", "two")
    const [other] = pieces("b", "other ", "line")
    assert.isDefined(one)
    assert.isDefined(two)
    assert.isDefined(other)
    assert.deepStrictEqual(textsOf([one, other, two]), ["one ", "other ", `${TAIL_CUT_MARK}two`])
    assert.deepStrictEqual(textsOf([one, { ...two, container: "fleet" }]), ["one ", `${TAIL_CUT_MARK}two`])
    assert.deepStrictEqual(textsOf([one, { ...two, container: "proxy" }, two]), ["one two"])
  })
})

const small: TailLimits = { containers: ["main", "fleet"], linesMax: 4, textBytesMax: 24, bytesMax: 400 }
const Text = Schema.Array(Schema.Literals(["a", "b c", '"', "\\", "\n", "\u001b[0m", "é", "€", "🚀", ""])).check(
  Schema.isMaxLength(12)
)
const Event = Schema.Struct({
  container: Schema.Literals(["main", "proxy", "proxy", "fleet"]),
  pieces: Schema.Array(Text).check(Schema.isMinLength(1), Schema.isMaxLength(4)),
  isWhole: Schema.Literals([true, true, true, false])
})
const Events = Schema.Array(Event).check(Schema.isMaxLength(12))
const OfSidecars = Schema.Array(
  Schema.Struct({ ...Event.fields, container: Schema.Literals(["proxy", "agent"]) })
).check(Schema.isMaxLength(8))
const Sizes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 }))).check(Schema.isMaxLength(12))

const linesOf = (events: ReadonlyArray<{ container: string; pieces: typeof Event.Type.pieces; isWhole: boolean }>) =>
  events.flatMap(({ container, pieces: texts, isWhole }, n) => {
    const all = texts.map((text) => text.join(""))
    const lines = all.length === 1 ? [aLine(all.join(""), { id: `${n}` })] : pieces(`${n}`, ...all)
    return lines.slice(isWhole || lines.length === 1 ? 0 : 1).map((line) => ({ ...line, container }))
  })

const inBatches = (lines: ReadonlyArray<LogLine>, sizes: ReadonlyArray<number>) => {
  const starts = sizes.map((_, at) => sizes.slice(0, at).reduce((sum, size) => sum + size, 0))
  const batches = sizes.map((size, at) => lines.slice(starts[at], (starts[at] ?? 0) + size))
  return [...batches, lines.slice(batches.flat().length)]
}

/** The same told plainly: whole texts first, then each limit in turn. */
const plainly = (lines: ReadonlyArray<LogLine>, { containers, linesMax, textBytesMax, bytesMax }: TailLimits) => {
  const own = lines.filter(({ container }) => containers.includes(container))
  const joined: Array<{ line: LogLine; startsAt: number; next: number | undefined }> = []
  for (const { part, last, ...line } of own.length > 0 ? own : lines) {
    const before = joined.at(-1)
    const next = part === undefined || last === true ? undefined : part + 1
    if (part !== undefined && before?.next === part && before.line.id === line.id) {
      joined.splice(-1, 1, { ...before, line: { ...line, text: before.line.text + line.text }, next })
    } else joined.push({ line, startsAt: part ?? 1, next })
  }
  const cut = joined.slice(-linesMax).map(({ line, startsAt }) => {
    if (startsAt === 1 && jsonBytes(line.text) <= textBytesMax) return line
    const characters = [...line.text]
    while (jsonBytes(TAIL_CUT_MARK + characters.join("")) > textBytesMax) characters.shift()
    return { ...line, text: TAIL_CUT_MARK + characters.join("") }
  })
  while (cut.length > 0 && jsonBytes(cut) > bytesMax) cut.shift()
  return cut
}

const many = { arbitrary: { runs: 1000 } }

describe("a tail that is taken batch by batch", () => {
  for (const [what, schema] of [
    ["all containers", Events],
    ["sidecars alone", OfSidecars]
  ] as const) {
    it.prop(
      `is that of all lines at once, and what the limits say one by one: ${what}`,
      [schema, Sizes],
      ([events, sizes]) => {
        const lines = linesOf(events)
        const tail = inBatches(lines, sizes).reduce((before, batch) => addToTail(before, batch, small), emptyTail)
        assert.deepStrictEqual(linesOfTail(tail, small), plainly(lines, small))
        assert.deepStrictEqual(tailOf(lines, small), plainly(lines, small))
      },
      many
    )
  }

  it("holds no more than its limits, however many and long the lines are", () => {
    const most = TAIL_LINES_MAX * (TAIL_TEXT_BYTES_MAX + 200)
    let tail = emptyTail
    for (let n = 0; n < 2000; n++) {
      const container = n < 1000 ? "proxy" : "main"
      const batch = pieces(`${n}`, textOf(10_000), textOf(10_000), "end").map((line) => ({ ...line, container }))
      tail = addToTail(tail, batch, limits)
      assert.isAtMost(jsonBytes(tail), most)
    }
    assert.isAtMost(jsonBytes(linesOfTail(tail, limits)), TAIL_BYTES_MAX)
  })
})
