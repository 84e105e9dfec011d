import { afterAll, assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Gate } from "#aws/gate/Gate.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { expire, keepPool, teamKey, writeSets } from "#test/support/credentialSets.ts"
import { layerFleetWith } from "#test/support/EmbeddedFleet.ts"
import { all, tasksOf } from "#test/support/follow.ts"
import { clearFaults, layerTest as localAws } from "#test/support/LocalAws.ts"
import { recordOf } from "#test/support/MemoryFleet.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { cancel, finished, firstOn, output, request } from "#test/support/runs.ts"

const [teamA, teamB] = [teamKey("team-a"), teamKey("team-b")]
const sets = writeSets([teamA, teamB])
afterAll(sets.remove)

const settings = {
  FLEET_AWS_CREDENTIALS_FILE: sets.path,
  FLEET_AWS_CREDENTIALS_PROBE_SECONDS: "0.2",
  FLEET_AWS_CREDENTIALS_PROBE_SECONDS_MAX: "1"
}

const executionRoleArn = "arn:aws:iam::000000000000:role/execution"
const pools = Effect.gen(function* () {
  yield* keepPool("a", { image: "local/shell", executionRoleArn, credentials: teamA.set })
  yield* keepPool("b", { image: "local/shell", executionRoleArn, credentials: teamB.set })
})

const runOf = (pool: string, seconds: number, more: object = {}) =>
  request({ pool, command: ["sh", "-c", `echo begun; sleep ${seconds}; echo done`], ...more })

const runsOf = (pool: string, count: number, seconds: number) =>
  Effect.forEach(
    Array.from({ length: count }, () => seconds),
    (each) => runOf(pool, each)
  )

const deferralsOf = (runId: string) => all(Subjects.taskDeferred(runId, 1), Codecs.taskDeferred)
const startedOf = (runId: string) => firstOn(Streams.fleet, Subjects.taskStarted(runId, 1))
const pausedSets = Effect.map(
  Effect.flatMap(Gate, ({ pauses }) => pauses),
  (pauses) => pauses.map(({ credentials }) => credentials)
)

const assertWhole = (runId: string) =>
  Effect.gen(function* () {
    assert.deepInclude(yield* finished(runId), { outcome: "succeeded", exitCode: 0, attempts: 1 }, runId)
    const { end, lines } = yield* output(runId)
    assert.deepStrictEqual([lines.map(({ text }) => text), end.complete], [["begun", "done"], true], runId)
    assert.lengthOf(yield* tasksOf(runId), 1)
  })

layer(layerFleetWith(natsServer, localAws(), settings), { excludeTestServices: true })("credentials", (it) => {
  it.effect(
    "of one pool that expire: its runs wait and finish, the other pool's never notice, no attempt is counted (peers 83, scenario 71)",
    () =>
      Effect.gen(function* () {
        yield* pools
        const running = yield* runsOf("a", 5, 3)
        yield* Effect.forEach(running, startedOf)
        yield* expire(teamA)
        const late = yield* runOf("a", 0, { launchTimeoutSeconds: 4 })
        const waiting = [late, ...(yield* runsOf("a", 10, 0))]
        const wanted = yield* runOf("a", 0, { command: ["sleep", "600"] })
        const others = yield* runsOf("b", 10, 5)
        yield* Effect.forEach(others, assertWhole, { concurrency: "unbounded" })
        assert.deepStrictEqual(yield* pausedSets, [teamA.set])
        yield* cancel(wanted)
        assert.strictEqual((yield* finished(wanted)).outcome, "cancelled")
        for (const runId of [...running, ...waiting]) {
          assert.deepStrictEqual(yield* all(Subjects.runFinished(runId), Codecs.runFinished), [], runId)
        }
        yield* clearFaults
        yield* Effect.forEach([...running, ...waiting], assertWhole, { concurrency: "unbounded" })
        assert.deepStrictEqual(yield* pausedSets, [])
        for (const runId of others) assert.deepStrictEqual(yield* deferralsOf(runId), [])
        for (const runId of waiting) {
          const said = (yield* recordOf(runId))?.timeline.filter(({ what }) => what.includes(teamA.set)) ?? []
          assert.deepStrictEqual([said.length, said[0]?.count], [1, undefined], runId)
        }
      }),
    60_000
  )

  it.effect(
    "that expire before a launch whose definition is known: one fact says so, and the deadline waits too (peers 83)",
    () =>
      Effect.gen(function* () {
        yield* pools
        yield* assertWhole(yield* runOf("a", 0))
        yield* expire(teamA)
        const runId = yield* runOf("a", 0, { launchTimeoutSeconds: 4 })
        yield* firstOn(Streams.fleet, Subjects.taskDeferred(runId, 1))
        yield* assertWhole(yield* runOf("b", 5))
        assert.strictEqual((yield* recordOf(runId))?.state, "waiting")
        yield* clearFaults
        yield* assertWhole(runId)
        const [only, ...more] = yield* deferralsOf(runId)
        assert.deepStrictEqual([only?.problem.code, more.length], ["CredentialsRejected", 0])
        assert.include(only?.problem.message, `"${teamA.set}"`)
      }),
    60_000
  )

  it.effect(
    "that the dispatcher does not know: the run is refused before anything is asked, with the nearest name",
    () =>
      Effect.gen(function* () {
        yield* keepPool("c", { image: "local/shell", credentials: "team_aa" })
        const { error, outcome } = yield* finished(yield* runOf("c", 0))
        assert.deepStrictEqual([outcome, error?.code, error?.field], ["rejected", "InvalidRequest", "pool"])
        assert.include(error?.message, 'Pool "c" names the set of credentials "team_aa"')
        assert.include(error?.message, 'Did you mean "team-a"?')
        assert.include(error?.advice, "FLEET_AWS_CREDENTIALS_FILE")
      })
  )
})
