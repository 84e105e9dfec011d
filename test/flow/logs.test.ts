import { spawn } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { connect } from "@nats-io/transport-node"
import { Effect, Layer } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { Publisher } from "#bus/Publisher.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { LogCodecs, type LogLine } from "#ecs-core/LogLine.ts"
import { RunCodec } from "#ecs-core/Run.ts"
import { BucketNames, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { aLine, aRun } from "#test/support/builders.ts"
import { layerFleet } from "#test/support/EmbeddedFleet.ts"
import { fleet, main, start, variables, watch } from "#test/support/fleetCommand.ts"
import { firstThat } from "#test/support/follow.ts"
import { at, ready, requested, started } from "#test/support/messages.ts"
import { tempFolder } from "#test/support/NatsServer.ts"
import { finished, output, request } from "#test/support/runs.ts"

/** `fleet logs` as its users start it, over a fleet in this process and real programs. */

const poolOfShell = Layer.effectDiscard(
  Effect.gen(function* () {
    const pools = yield* (yield* Buckets).open(BucketNames.pools)
    const executionRoleArn = "arn:aws:iam::000000000000:role/execution"
    yield* pools.put("default", JSON.stringify({ image: "local/shell", executionRoleArn }))
  })
)

const place = Effect.gen(function* () {
  const { url } = yield* NatsServer
  return { folder: yield* tempFolder("logs"), env: { NATS_URL: url } }
})

/** A program that writes these lines, and the others as soon as the gate is open. */
const waitsBetween = (gate: string, before: ReadonlyArray<string>, after: ReadonlyArray<string>): string =>
  [
    ...before.map((line) => `echo ${line}`),
    `until [ -e ${gate} ]; do sleep 0.05; done`,
    ...after.map((line) => `echo ${line}`)
  ].join("; ")

const open = (gate: string) => Effect.promise(() => writeFile(gate, ""))

const shell = (program: string, runId: string) => request({ runId, command: ["sh", "-c", program] })

const lineCame = (runId: string, text: string) =>
  firstThat({ stream: Streams.logs, subject: Subjects.logs(runId) }, LogCodecs.message, (message) =>
    "lines" in message ? message.lines.some((line) => line.text === text) : false
  )

const jsonOf = (out: string) =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly runId: string; readonly time: string; readonly text: string })

/** Writes what a log-streamer would write of a run with two containers: its record, batches, the end marker. */
const publishRun = Effect.fnUntraced(function* (runId: string, batches: ReadonlyArray<ReadonlyArray<LogLine>>) {
  const runs = yield* (yield* Buckets).open(BucketNames.runs)
  const run = { ...aRun(requested(0), ready(1), started(2)), runId: RunId.make(runId) }
  yield* runs.put(runId, RunCodec.encode(run))
  const publisher = yield* Publisher
  const publish = (data: string) => publisher.publish({ stream: Streams.logs, subject: Subjects.logs(runId), data })
  yield* Effect.forEach(batches, (lines) => publish(LogCodecs.batch.encode({ attempt: 1, lines, positions: [] })))
  const containers = [{ attempt: 1, container: "sidecar", time: 0, lines: 1, drained: "cut" as const }]
  yield* publish(LogCodecs.end.encode({ end: { lines: 3, containers, complete: false } }))
})

layer(Layer.provideMerge(poolOfShell, layerFleet), { excludeTestServices: true })("fleet logs", (it) => {
  it.effect("follows two runs at once until both are over, and replays them in the order of time", () =>
    Effect.gen(function* () {
      const here = yield* place
      const gate = join(here.folder, "gate")
      const ids = ["both-first", "both-second"]
      yield* Effect.forEach(ids, (id, n) => shell(waitsBetween(gate, [`a${n}`], [`b${n}`]), id))
      yield* Effect.forEach(ids, (id, n) => lineCame(id, `a${n}`))
      const following = yield* start(here, ["logs", "-f", ...ids])
      yield* Effect.all([following.wrote("both-first  | a0\n"), following.wrote("both-second | a1\n")])
      yield* open(gate)
      const { code, out, err } = yield* following.ended
      assert.deepStrictEqual([code, err], [0, ""])
      const lines = ["both-first  | a0", "both-first  | b0", "both-second | a1", "both-second | b1"]
      assert.deepStrictEqual(out.trimEnd().split("\n").toSorted(), lines)

      const replayed = jsonOf((yield* fleet(here, "logs", "--json", ...ids)).out)
      assert.sameMembers(
        replayed.map(({ runId, text }) => `${runId} ${text}`),
        lines.map((line) => line.replace(/ +\| /, " "))
      )
      const times = replayed.map(({ time }) => time)
      assert.deepStrictEqual(times, times.toSorted())
      assert.deepInclude(replayed[0], { type: "line", attempt: 1, container: "main" } as never)
    })
  )

  it.effect("--tail with -f: the last lines of those that were there, and all that come", () =>
    Effect.gen(function* () {
      const here = yield* place
      const gate = join(here.folder, "gate")
      const runId = yield* shell(waitsBetween(gate, ["one", "two", "three"], ["four"]), "tail-1")
      yield* lineCame(runId, "three")
      const following = yield* start(here, ["logs", "-f", "--tail", "2", runId])
      yield* following.wrote("three\n")
      yield* open(gate)
      assert.deepStrictEqual(yield* following.ended, { code: 0, out: "two\nthree\nfour\n", err: "" })
    })
  )

  it.effect("--grep and --since let pass what is asked for, and say what to do when that is nothing", () =>
    Effect.gen(function* () {
      const here = yield* place
      const runId = yield* shell("echo begin; sleep 0.1; echo Error: one; echo error: two; echo end", "since-1")
      yield* finished(runId)
      const { lines } = yield* output(runId)
      const since = lines.find(({ text }) => text === "Error: one")?.time ?? ""
      const logs = (...flags: ReadonlyArray<string>) => fleet(here, "logs", runId, ...flags)
      assert.strictEqual((yield* logs("--grep", "^error")).out, "error: two\n")
      assert.strictEqual((yield* logs("--grep", "^error", "-i")).out, "Error: one\nerror: two\n")
      assert.strictEqual((yield* logs("--since", since)).out, "Error: one\nerror: two\nend\n")
      assert.strictEqual((yield* logs("--since", "1h", "--tail", "1")).out, "end\n")
      const nothing = yield* logs("--since", "0s")
      assert.deepStrictEqual([nothing.code, nothing.out], [0, ""])
      assert.match(nothing.err, /^Run since-1 has no line since [^ ]+Z\. All there are: fleet logs since-1\n$/)
      const wrong = yield* logs("--grep", "(")
      assert.deepStrictEqual([wrong.code, wrong.out], [2, ""])
      assert.include(wrong.err, '--grep "(" is no regular expression: Unterminated group.')
    })
  )

  it.effect("--all shows both containers of a task, each line with its own; by default the program's is shown", () =>
    Effect.gen(function* () {
      const here = yield* place
      const sidecar = { container: "sidecar" }
      yield* publishRun("two-containers", [
        [aLine("hello"), aLine("proxy up", sidecar)],
        [aLine("bye", { time: at(3) })]
      ])
      const cut = "! The last lines of container sidecar may be missing: its log could not be read to its end.\n"
      const logs = (...flags: ReadonlyArray<string>) => fleet(here, "logs", "two-containers", ...flags)
      assert.deepStrictEqual(yield* logs(), { code: 0, out: "hello\nbye\n", err: cut })
      const all = yield* logs("--all")
      assert.deepStrictEqual(all, { code: 0, out: "main | hello\nsidecar | proxy up\nmain    | bye\n", err: cut })
      assert.strictEqual((yield* logs("--container", "sidecar")).out, "proxy up\n")
      assert.include((yield* fleet(here, "describe", "two-containers")).out, `Lines      ${cut.slice(2)}`)
    })
  )

  it.effect("a plain subscription gets each batch as it is published, also one that the stream refuses", () =>
    Effect.gen(function* () {
      const { url } = yield* NatsServer
      const publisher = yield* Publisher
      const plain = yield* Effect.acquireRelease(
        Effect.promise(() => connect({ servers: url })),
        (open) => Effect.promise(() => open.close())
      )
      const subject = Subjects.logs("plain-1")
      const seen = plain.subscribe(subject, { max: 2 })
      yield* Effect.promise(() => plain.flush())
      const append = (text: string) => {
        const data = LogCodecs.batch.encode({ attempt: 1, lines: [aLine(text)], positions: [] })
        return publisher.append({ stream: Streams.logs, subject, data }, 0)
      }
      yield* append("first")
      assert.strictEqual((yield* Effect.flip(append("refused")))._tag, "WrongLastSequence")
      const texts = yield* Effect.promise(async () => {
        const all: Array<string> = []
        for await (const message of seen) all.push(message.string())
        return all
      })
      assert.lengthOf(texts, 2)
      assert.include(texts[0], '"first"')
      assert.include(texts[1], '"refused"')
    })
  )

  it.effect("writes every line into a pipe, and ends quietly when its reader has seen enough", () =>
    Effect.gen(function* () {
      const here = yield* place
      const batches = Array.from({ length: 100 }, (_, b) =>
        Array.from({ length: 100 }, (_, n) => aLine(`line ${b * 100 + n} ${".".repeat(100)}`))
      )
      yield* publishRun("long-1", batches)
      const { code, out } = yield* fleet(here, "logs", "long-1")
      assert.strictEqual(code, 0)
      assert.strictEqual(out, batches.flatMap((lines) => lines.map(({ text }) => `${text}\n`)).join(""))

      const script = `{ "${process.execPath}" "${main}" logs long-1; echo "code $?" >&2; } | head -1`
      const env = variables(here.env)
      const piped = yield* watch(spawn("sh", ["-c", script], { cwd: here.folder, env })).ended
      assert.strictEqual(piped.out, `${batches[0]?.[0]?.text}\n`)
      assert.strictEqual(piped.err, "code 0\n")
    })
  )
})
