import { assert, describe, it } from "@effect/vitest"
import { Option, Result } from "effect"
import { millis } from "#test/support/builders.ts"
import { ExitCodes } from "./exitCode.ts"
import { TAIL_LINES_MAX } from "./follow/LastLines.ts"
import { type LogsFlags, logsOptions, parsePattern, parseSince, RUNS_MAX } from "./logsOptions.ts"

const now = millis(100)

describe("parseSince", () => {
  it.each([
    { given: "90s", millis: millis(10) },
    { given: "1m", millis: millis(40) },
    { given: "1.5m", millis: millis(10) },
    { given: "1h30m", millis: millis(100 - 5400) },
    { given: "2d", millis: millis(100 - 2 * 86_400) },
    { given: "99999999d", millis: 0 },
    { given: "0s", millis: now },
    { given: "2026-03-01T09:00:07Z", millis: millis(7) },
    { given: "2026-03-01T09:00:07.250Z", millis: millis(7.25) },
    { given: "2026-03-01T10:00:07+01:00", millis: millis(7) },
    { given: "2026-03-01T09:00:07", millis: millis(7) },
    { given: "2026-03-01 09:00", millis: millis(0) },
    { given: "2026-03-01", millis: millis(-9 * 3600) }
  ])("$given", ({ given, millis }) => {
    assert.deepStrictEqual(parseSince(given, now), Result.succeed(millis))
  })

  it.each(["", "90", "m", "10 m", "-5m", "10M", "5w", "yesterday", "2026-13-01", "2026-03-01T25:00Z", "1h-30m"])(
    'says what fits instead of "%s"',
    (given) => {
      const { message, exitCode } = Result.getOrThrow(Result.flip(parseSince(given, now)))
      assert.include(message, `--since "${given}" is no time. Give a duration (90s, 10m,`)
      assert.include(message, "2026-03-01T09:30:00Z")
      assert.strictEqual(exitCode, ExitCodes.usage)
    }
  )
})

describe("parsePattern", () => {
  it.each([
    { pattern: "err(or)?", ignoreCase: false, text: "an error", matches: true },
    { pattern: "ERROR", ignoreCase: false, text: "an error", matches: false },
    { pattern: "ERROR", ignoreCase: true, text: "an error", matches: true },
    { pattern: "^\\p{Lu}", ignoreCase: false, text: "Übung", matches: true },
    { pattern: "", ignoreCase: false, text: "", matches: true }
  ])("$pattern in $text: $matches", ({ pattern, ignoreCase, text, matches }) => {
    const found = Result.getOrThrow(parsePattern(pattern, ignoreCase))
    assert.deepStrictEqual([found.test(text), found.test(text)], [matches, matches])
  })

  it.each([
    { pattern: "(", reason: "Unterminated group" },
    { pattern: "*", reason: "Nothing to repeat" },
    { pattern: "[a", reason: "Unterminated character class" },
    { pattern: "\\y", reason: "Invalid escape" }
  ])("names flag, value and what is wrong with $pattern", ({ pattern, reason }) => {
    const { message, exitCode } = Result.getOrThrow(Result.flip(parsePattern(pattern, false)))
    assert.include(message, `--grep "${pattern}" is no regular expression: ${reason}. `)
    assert.include(message, "needs a backslash before it")
    assert.strictEqual(exitCode, ExitCodes.usage)
  })
})

const flags: LogsFlags = {
  runs: ["r-1"],
  follow: false,
  since: Option.none(),
  tail: Option.none(),
  grep: Option.none(),
  ignoreCase: false,
  all: false,
  container: Option.none(),
  timestamps: false,
  json: false
}

describe("logsOptions", () => {
  it.each([
    { what: "by default", change: {}, options: { containers: { kind: "own" }, wanted: {} } },
    { what: "with --all", change: { all: true }, options: { containers: { kind: "all" } } },
    {
      what: "with --container",
      change: { container: Option.some("a") },
      options: { containers: { kind: "one", name: "a" } }
    },
    { what: "with --since", change: { since: Option.some("90s") }, options: { wanted: { sinceMillis: millis(10) } } },
    {
      what: "with --grep -i",
      change: { grep: Option.some("a"), ignoreCase: true },
      options: { wanted: { pattern: /a/iu } }
    },
    { what: "with --tail 0", change: { tail: Option.some(0) }, options: { tail: 0 } },
    {
      what: "with the longest --tail",
      change: { tail: Option.some(TAIL_LINES_MAX) },
      options: { tail: TAIL_LINES_MAX }
    },
    {
      what: "with as many runs as can be",
      change: { runs: Array.from({ length: RUNS_MAX }, () => "r") },
      options: { follow: false }
    }
  ])("$what", ({ change, options }) => {
    assert.deepInclude(Result.getOrThrow(logsOptions({ ...flags, ...change }, now)), options as never)
  })

  it.each([
    { change: { tail: Option.some(-1) }, says: `--tail takes 0 to ${TAIL_LINES_MAX} lines, got -1.` },
    { change: { tail: Option.some(TAIL_LINES_MAX + 1) }, says: `got ${TAIL_LINES_MAX + 1}. Leave it out` },
    { change: { since: Option.some("soon") }, says: '--since "soon"' },
    { change: { grep: Option.some("(") }, says: '--grep "("' },
    { change: { ignoreCase: true }, says: "--ignore-case is about --grep" },
    { change: { all: true, container: Option.some("a") }, says: '--all shows every container and --container "a" one' },
    {
      change: { runs: Array.from({ length: RUNS_MAX + 1 }, () => "r") },
      says: `at most ${RUNS_MAX} runs at a time, got ${RUNS_MAX + 1}.`
    }
  ])("refuses what does not fit: $says", ({ change, says }) => {
    const { message, exitCode } = Result.getOrThrow(Result.flip(logsOptions({ ...flags, ...change }, now)))
    assert.include(message, says)
    assert.strictEqual(exitCode, ExitCodes.usage)
  })
})
