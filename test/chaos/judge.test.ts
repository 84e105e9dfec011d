import { assert, describe, it } from "@effect/vitest"
import { judgeRun, type Seen, sumUp } from "./judge.ts"
import { chaosProgram, type Program } from "./programs.ts"

const program: Program = { command: [], lines: ["a", "b", "c"], exitCode: 0 }
const task = { taskArn: "arn", lastStatus: "STOPPED", startedBy: "fleet/run/1" }
const good: Seen = {
  finished: [{ outcome: "succeeded", exitCode: 0 }],
  lines: ["a", "b", "c"],
  ends: [true],
  tasks: [task]
}
const end = { outcome: "succeeded", exitCode: 0 } as const

describe("judgeRun", () => {
  it("finds nothing wrong with what the program does", () => {
    const judgement = judgeRun("run", program, good)
    assert.deepStrictEqual(judgement, { finished: 1, tasks: 1, linesLost: 0, linesDoubled: 0, violations: [] })
  })

  it.each<[string, Partial<Seen>, ReadonlyArray<RegExp>]>([
    ["a run that never ends", { finished: [] }, [/^run: finished 0 times$/]],
    ["twice: an end", { finished: [end, end] }, [/finished 2 times/]],
    ["another outcome", { finished: [{ outcome: "crashed", exitCode: -1 }] }, [/is crashed with exit code -1/]],
    ["another exit code", { finished: [{ outcome: "succeeded", exitCode: 1 }] }, [/not succeeded with 0/]],
    ["twice: a task", { tasks: [task, task] }, [/has 2 tasks: fleet\/run\/1, fleet\/run\/1/]],
    ["no task", { tasks: [] }, [/has 0 tasks: none/]],
    ["a task that lives", { tasks: [{ ...task, lastStatus: "RUNNING" }] }, [/left arn RUNNING/]],
    ["a lost line", { lines: ["a", "c"] }, [/^run: lost 1 lines, first: b$/]],
    ["twice: a line", { lines: ["a", "b", "b", "c"] }, [/^run: doubled 1 lines, first: b$/]],
    ["out of order: lines", { lines: ["b", "a", "c"] }, [/out of order/]],
    ["somebody else's line", { lines: ["a", "b", "c", "z"] }, [/lines of others, first: z/]],
    ["twice: an end marker", { ends: [true, true] }, [/has 2 end markers/]],
    ["an end marker that is not sure", { ends: [false] }, [/lines may be missing/]],
    ["several at once", { lines: [], ends: [] }, [/0 end markers/, /lost 3 lines/]]
  ])("sees %s", (_, seen, expected) => {
    const { violations } = judgeRun("run", program, { ...good, ...seen })
    assert.lengthOf(violations, expected.length)
    expected.forEach((text, at) => assert.match(violations[at] ?? "", text))
  })

  it("sums up", () => {
    const lost = judgeRun("lost", program, { ...good, lines: ["a"] })
    const twice = judgeRun("twice", program, { ...good, lines: ["a", "a", "b", "c"], finished: [] })
    assert.deepInclude(sumUp([lost, twice]), { finished: 1, tasks: 2, linesLost: 2, linesDoubled: 1 })
    assert.lengthOf(sumUp([lost, twice]).violations, 3)
  })
})

describe("programs of chaos", () => {
  it.each([0, 1, 2, 3, 4])("%i: every line is another one", (at) => {
    const { lines } = chaosProgram("run", at)
    assert.strictEqual(new Set(lines).size, lines.length)
    assert.isNotEmpty(lines)
  })
})
