import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { text } from "#bus/Message.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { layerFleet } from "#test/support/EmbeddedFleet.ts"
import { calls, launchedTasks } from "#test/support/LocalAws.ts"
import { allFinished, cancel, finished, firstOn, output, request, stored } from "#test/support/runs.ts"

const pool = { image: "local/shell", executionRoleArn: "arn:aws:iam::000000000000:role/execution" }

layer(layerFleet, { excludeTestServices: true })("a request becomes a run", (it) => {
  it.effect("a program runs, its lines come in order, its exit code once (peers 96)", () =>
    Effect.gen(function* () {
      const command = ["sh", "-c", "for i in 1 2 3; do echo line $i; sleep 0.2; done; exit 3"]
      const runId = yield* request({ ...pool, command })
      const { lines, end } = yield* output(runId)
      assert.deepStrictEqual(
        lines.map((line) => line.text),
        ["line 1", "line 2", "line 3"]
      )
      assert.deepInclude(end, { lines: 3, complete: true })
      const run = yield* finished(runId)
      assert.deepInclude(run, { outcome: "failed", exitCode: 3, attempts: 1 })
      assert.strictEqual(run.error?.code, "ProgramFailed")
    })
  )

  it.effect("without an execution role there is one notice in place of the output", () =>
    Effect.gen(function* () {
      const runId = yield* request({ image: "local/shell", command: ["true"] })
      const { lines } = yield* output(runId)
      assert.lengthOf(lines, 1)
      assert.match(lines[0]?.text ?? "", /no executionRoleArn/)
      assert.strictEqual((yield* finished(runId)).outcome, "succeeded")
    })
  )

  it.effect("bad requests end with every problem, each naming field and advice", () =>
    Effect.gen(function* () {
      const misspelt = yield* finished(yield* request({ comand: ["x"] }))
      assert.deepInclude(misspelt, { outcome: "rejected", attempts: 0 })
      assert.deepInclude(misspelt.error, { code: "InvalidRequest", field: "comand", advice: 'Did you mean "command"?' })
      const wrong = yield* finished(yield* request({ image: 7, cpu: "many", env: { A: 1 } }))
      assert.deepStrictEqual(
        wrong.errors?.map(({ field }) => field),
        ["image", "env.A", "cpu"]
      )
      const nothing = yield* finished(yield* request([1]))
      assert.strictEqual(nothing.error?.code, "InvalidRequest")
    })
  )

  it.effect("invalid JSON ends its run and the original is kept among the dead letters (peers 103, scenario 49)", () =>
    Effect.gen(function* () {
      const runId = yield* request('{"command": [', "broken-1")
      assert.strictEqual((yield* finished(runId)).error?.code, "InvalidJson")
      const dead = yield* firstOn(Streams.dead, Subjects.dead("dispatcher", runId))
      assert.strictEqual(text(dead), '{"command": [')
      assert.match(dead.headers["Fleet-Dead-Reason"] ?? "", /not JSON/)
    })
  )

  it.effect("an unknown cluster and a missing program end with what to do", () =>
    Effect.gen(function* () {
      const cluster = yield* finished(yield* request({ ...pool, cluster: "nowhere", command: ["true"] }))
      assert.deepInclude(cluster, { outcome: "rejected" })
      assert.strictEqual(cluster.error?.code, "ClusterNotFound")
      assert.match(cluster.error?.message ?? "", /nowhere/)
      const missing = yield* finished(yield* request({ ...pool, command: ["no-such-program-here"] }))
      assert.deepInclude(missing, { outcome: "crashed" })
      assert.strictEqual(missing.error?.code, "ProgramNotFound")
      assert.match(missing.error?.message ?? "", /no-such-program-here/)
    })
  )

  it.effect("a message over the size limit is refused at the publish", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(request({ ...pool, env: { BIG: "x".repeat(300_000) } }))
      assert.deepInclude(refused, { _tag: "PayloadTooLarge" })
    })
  )

  it.effect("a running run is cancelled; a second cancel changes nothing (peers 116, scenario 45, 80)", () =>
    Effect.gen(function* () {
      const runId = yield* request({ ...pool, command: ["sh", "-c", "echo up; exec sleep 60"] })
      yield* firstOn(Streams.logs, Subjects.logs(runId))
      yield* cancel(runId, "not needed")
      const run = yield* finished(runId)
      assert.deepInclude(run, { outcome: "cancelled" })
      assert.match(run.error?.message ?? "", /not needed/)
      yield* cancel(runId)
      const { end } = yield* output(runId)
      assert.strictEqual(end.lines, 1)
      assert.lengthOf(yield* stored(Streams.fleet, Subjects.runFinished(runId)), 1)
    })
  )

  it.effect("a cancel before its request ends it unlaunched; the same request twice is one run (peers 119)", () =>
    Effect.gen(function* () {
      yield* cancel("early-bird")
      yield* firstOn(`KV_fleet-runs`, "$KV.fleet-runs.early-bird")
      const body = { ...pool, runId: "early-bird", command: ["true"] }
      yield* request(body)
      yield* request(body)
      assert.deepInclude(yield* finished("early-bird"), { outcome: "cancelled", attempts: 0 })
      assert.isFalse((yield* launchedTasks).some(({ startedBy }) => startedBy?.includes("early-bird")))
    })
  )
})

layer(layerFleet, { excludeTestServices: true })("many requests at once", (it) => {
  it.effect("200 equal requests: 200 ends, 200 tasks, one definition (scenario 28)", () =>
    Effect.gen(function* () {
      const command = ["simulate", "--seconds", "1", "--exit-code", "0"]
      const runIds = yield* Effect.forEach(Array.from({ length: 200 }), () => request({ ...pool, command }), {
        concurrency: "unbounded"
      })
      const ends = yield* allFinished(runIds)
      assert.deepStrictEqual(new Set(ends.map(({ runId }) => runId)), new Set(runIds))
      assert.isTrue(ends.every(({ outcome }) => outcome === "succeeded"))
      const tasks = yield* launchedTasks
      assert.lengthOf(tasks, 200)
      assert.strictEqual((yield* calls).calls["RegisterTaskDefinition"], 1)
    })
  )
})
