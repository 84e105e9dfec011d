import { assert, describe, it } from "@effect/vitest"
import { makeJournal } from "./Journal.ts"

const task = (id: number, rest = {}) => ({
  taskArn: `arn:${id}`,
  clusterArn: "arn:cluster",
  taskDefinitionArn: "arn:definition",
  lastStatus: "PROVISIONING",
  containers: [{ name: "main" }],
  ...rest
})

const launch = (journal: ReturnType<typeof makeJournal>, id: number, clientToken: string) => {
  const input = { taskDefinition: "d", clientToken }
  journal.launching(input)
  journal.launched("us-east-1", input, { tasks: [task(id, { startedBy: "fleet/run/1" })] })
}

describe("journal", () => {
  it("a task launched twice by one token is there once", () => {
    const journal = makeJournal(10, 10)
    launch(journal, 1, "a")
    launch(journal, 1, "a")
    launch(journal, 2, "b")
    assert.strictEqual(journal.counts().runTaskClientTokens, 2)
    assert.deepStrictEqual(
      journal.tasks().map(({ clientToken, startedBy, taskArn }) => [taskArn, clientToken, startedBy]),
      [
        ["arn:1", "a", "fleet/run/1"],
        ["arn:2", "b", "fleet/run/1"]
      ]
    )
  })

  it("keeps what was last seen of a task", () => {
    const journal = makeJournal(10, 10)
    launch(journal, 1, "a")
    journal.seen([
      task(1, {
        lastStatus: "STOPPED",
        stopCode: "EssentialContainerExited",
        containers: [{ name: "main", exitCode: 3 }]
      }),
      task(7)
    ])
    const [only, ...others] = journal.tasks()
    assert.deepInclude(only, {
      lastStatus: "STOPPED",
      stopCode: "EssentialContainerExited",
      clientToken: "a",
      containers: [{ name: "main", exitCode: 3 }]
    })
    assert.strictEqual(others.length, 0)
  })

  it("counts calls and refusals by action", () => {
    const journal = makeJournal(10, 10)
    const call = { region: "us-east-1", action: "RunTask" }
    journal.called(call, 1)
    journal.called(call, 2)
    journal.called({ ...call, error: "ThrottlingException" }, 2)
    const counts = { calls: { RunTask: 2 }, refused: { "RunTask ThrottlingException": 1 } }
    assert.deepStrictEqual(journal.counts(), { ...counts, regions: { "us-east-1": counts }, runTaskClientTokens: 0 })
    assert.deepStrictEqual(journal.callsWithin({ from: 0, to: 2 }).calls, { RunTask: 1 })
  })

  it("is bounded: the oldest tasks and tokens go first, the count of tokens stays right", () => {
    const journal = makeJournal(3, 10)
    for (let id = 1; id <= 5; id++) launch(journal, id, `token-${id}`)
    assert.deepStrictEqual(
      journal.tasks().map(({ taskArn }) => taskArn),
      ["arn:3", "arn:4", "arn:5"]
    )
    assert.strictEqual(journal.counts().runTaskClientTokens, 5)
  })
})
