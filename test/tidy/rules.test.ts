/** Each rule on small files that break it and small files that do not: a rule that finds nothing would pass for ever. */
import { assert, describe, it } from "@effect/vitest"
import {
  noFocus,
  noMachinePaths,
  skipsHaveReasons,
  subjectsInOnePlace,
  testsWaitForFacts,
  timeIsAnArgument
} from "#test/tidy/calls.ts"
import { importDirection } from "#test/tidy/imports.ts"
import { fileLength, missingRooms, oneTitle } from "#test/tidy/layout.ts"
import { format, type Rule } from "#test/tidy/Rule.ts"

type Row = readonly [path: string, text: string]

/** `bad` rows give exactly one violation each, `good` ones none. */
const holds = ({ name, check }: Rule, rows: { readonly bad: ReadonlyArray<Row>; readonly good: ReadonlyArray<Row> }) =>
  describe(`rule: ${name}`, () => {
    it.each(rows.bad)("finds %s: %s", (path, text) => {
      assert.lengthOf(check({ path, text }), 1)
    })
    it.each(rows.good)("leaves %s: %s", (path, text) => {
      assert.deepStrictEqual(check({ path, text }).map(format), [])
    })
  })

const importing = (path: string) => `import { a } from "${path}"`

holds(importDirection, {
  bad: [
    ["libs/ecs-core/Run.ts", importing("#aws/Ecs.ts")],
    ["libs/ecs-core/Run.ts", importing("node:fs")],
    ["libs/ecs-core/Run.ts", importing("node:crypto")],
    ["libs/ecs-core/Run.ts", importing("@nats-io/jetstream")],
    ["libs/bus/Consumer.ts", importing("#ecs-core/Run.ts")],
    ["libs/bus/Consumer.ts", importing("#aws/Ecs.ts")],
    ["libs/bus/server/NatsServer.ts", importing("#services/watcher/main.ts")],
    ["libs/aws/Ecs.ts", importing("#bus/Bus.ts")],
    ["libs/process/Main.ts", importing("#services/watcher/main.ts")],
    ["libs/process/Main.ts", importing("#test/support/NatsServer.ts")],
    ["services/watcher/handle.ts", importing("#services/launcher/decide.ts")],
    ["services/watcher/handle.ts", `const { a } = await import("#services/launcher/decide.ts")`],
    ["services/watcher/handle.ts", importing("#test/support/NatsServer.ts")],
    ["cli/ps.ts", importing("#test/support/NatsServer.ts")],
    ["services/watcher/wire/a.ts", importing("../decide.ts")],
    ["services/watcher/handle.test.ts", importing("./wire/../decide.ts")],
    ["test/flow/a.test.ts", importing("../support/b.ts").replaceAll('"', "'")]
  ],
  good: [
    ["libs/ecs-core/Run.ts", importing("effect")],
    ["libs/ecs-core/Run.ts", importing("#ecs-core/Ids.ts")],
    ["libs/ecs-core/Run.ts", importing("./Ids.ts")],
    ["libs/ecs-core/Job.ts", importing("shlex")],
    ["libs/ecs-core/Digest.ts", importing("node:crypto")],
    ["libs/ecs-core/Run.test.ts", importing("@effect/vitest")],
    ["libs/aws/Ecs.ts", importing("#ecs-core/errors.ts")],
    ["libs/process/Main.ts", importing("#bus/Bus.ts")],
    ["libs/bus/Consumer.test.ts", importing("#test/support/NatsServer.ts")],
    ["services/watcher/handle.ts", importing("#services/watcher/decide.ts")],
    ["services/watcher/handle.test.ts", importing("#services/local-aws/LocalAws.ts")],
    ["cli/up.ts", importing("#services/watcher/main.ts")],
    ["bench/start.ts", importing("#test/support/NatsServer.ts")],
    ["libs/ecs-core/Run.ts", `// ${importing("node:fs")}`],
    ["docs/a.md", importing("../b.ts")]
  ]
})

holds(testsWaitForFacts, {
  bad: [
    ["a.test.ts", "await new Promise((done) => setTimeout(done, 5))"],
    ["a.test.ts", 'yield* Effect.sleep("1 second")'],
    ["a.test.ts", "await delay(5)"],
    ["test/support/a.ts", 'effect.pipe(Effect.delay("1 second"))'],
    ["libs/process/fixtures/app.ts", "setInterval(() => undefined, 5)"]
  ],
  good: [
    ["a.ts", "setTimeout(done, 5)"],
    ["a.test.ts", 'yield* TestClock.adjust("1 second")'],
    ["a.test.ts", 'const text = "setTimeout("'],
    ["a.test.ts", "// no setTimeout(done) here"],
    ["a.test.ts", "nakDelay(5)"]
  ]
})

holds(timeIsAnArgument, {
  bad: [
    ["libs/ecs-core/Run.ts", "const now = Date.now()"],
    ["libs/ecs-core/Run.ts", "const now = new Date()"],
    ["services/watcher/decide.ts", "Math.random()"],
    ["services/watcher/handle.ts", "Math.random()"],
    ["libs/ecs-core/Ids.ts", "randomUUID()"]
  ],
  good: [
    ["libs/ecs-core/Run.ts", "new Date(now)"],
    ["services/watcher/handle.ts", "Clock.currentTimeMillis"],
    ["services/watcher/decide.test.ts", "Date.now()"],
    ["libs/ecs-core/Run.ts", "/* Date.now() */"]
  ]
})

holds(subjectsInOnePlace, {
  bad: [
    ["services/watcher/handle.ts", "publish(`task.stopped.${runId}.1`)"],
    ["services/watcher/handle.ts", 'subscribe("task.*.*.*")'],
    ["libs/bus/Topology.ts", 'subjects: ["run.cancel.*"]'],
    ["cli/logs.ts", "`logs.${runId}`"],
    ["cli/dead.ts", '"dead.>"'],
    ["cli/run.ts", "'run.requested.abc'"]
  ],
  good: [
    ["libs/ecs-core/Subjects.ts", "`logs.${runId}`"],
    ["services/watcher/handle.test.ts", "`logs.${runId}`"],
    ["examples/run.ts", '"run.requested.a"'],
    ["services/watcher/handle.ts", 'kind === "task.stopped"'],
    ["services/watcher/handle.ts", "// answers `task.stopped.<runId>`"],
    ["libs/aws/ContainerLogs.ts", '"logs"'],
    ["libs/ecs-core/PublicSchemas.ts", '"run.cancel.<runId>"'],
    ["cli/ps.ts", '"tasks.json"']
  ]
})

holds(noFocus, {
  bad: [
    ["a.test.ts", "it.only(1)"],
    ["a.test.ts", "it.live.only(1)"],
    ["a.test.ts", "describe.only(1)"],
    ["a.test.ts", "fdescribe(1)"]
  ],
  good: [
    ["a.test.ts", 'it("only one")'],
    ["a.ts", "options.only"]
  ]
})

holds(skipsHaveReasons, {
  bad: [
    ["a.test.ts", 'it.skip("works", () => undefined)'],
    ["a.test.ts", 'it.live.skipIf(noDocker)("works", () => undefined)'],
    ["a.test.ts", 'describe.runIf(linux)("works", () => undefined)'],
    ["a.test.ts", 'it.todo("works")'],
    ["a.test.ts", 'xit("works")']
  ],
  good: [
    ["a.test.ts", 'it.skip("works (needs Docker)", () => undefined)'],
    ["a.test.ts", 'it.live.skipIf(noDocker)(\n  "works (needs Docker)",\n  () => undefined)'],
    ["a.test.ts", "stream.skip(5)"]
  ]
})

const machine = ["", "work", "main"].join("/")
const registry = ["https:", "", "registry.example.org"].join("/")

holds(noMachinePaths, {
  bad: [
    ["docs/a.md", `cd ${machine}/libs`],
    ["a.ts", `"${["", "Users", "me", "a"].join("/")}"`],
    [".npmrc", `x=${registry}`]
  ],
  good: [
    ["package-lock.json", registry],
    ["a.md", "in the folder docs/work/main/"],
    ["Dockerfile", "COPY . /home/node/app"],
    ["a.ts", '"https://docs.aws.amazon.com/AmazonECS"']
  ]
})

const lines = (count: number) => "x\n".repeat(count)

holds(fileLength, {
  bad: [
    ["libs/a.ts", lines(301)],
    ["services/watcher/main.ts", lines(41)],
    ["services/watcher/README.md", lines(41)]
  ],
  good: [
    ["libs/a.ts", lines(300)],
    ["services/watcher/main.ts", lines(40)],
    ["services/watcher/README.md", lines(40)],
    ["docs/a.md", lines(500)]
  ]
})

holds(oneTitle, {
  bad: [
    ["a.md", "no title"],
    ["a.md", "\n# late"],
    ["a.md", "# one\n\n# two"],
    ["a.md", ""]
  ],
  good: [
    ["a.md", "# one\n\n## part"],
    ["a.md", "# one\n```sh\n# a comment\n```"],
    ["a.ts", "no title"]
  ]
})

describe("missingRooms", () => {
  it("names each room that a service lacks", () => {
    const rooms = ["README.md", "main.ts", "config.ts", "decide.ts", "handle.ts"]
    const services = ["dispatcher", "launcher", "watcher", "log-streamer", "local-aws"]
    const all = new Set(services.flatMap((service) => rooms.map((room) => `services/${service}/${room}`)))
    assert.deepStrictEqual(missingRooms(all), [])
    all.delete("services/watcher/decide.ts")
    assert.deepStrictEqual(
      missingRooms(all).map(({ path }) => path),
      ["services/watcher/decide.ts"]
    )
  })
})

describe("a violation", () => {
  it("has the line it stands on, and how to mend it", () => {
    const [found] = noFocus.check({ path: "a.test.ts", text: "\n\nit.only(1)" }).map(format)
    assert.strictEqual(found, "a.test.ts:3: it.only hides every other test; remove the focus")
  })
})
