import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { fleetTopology, topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { Attempt, isRunId, PoolName, RunId } from "#ecs-core/Ids.ts"
import {
  AttemptKinds,
  Filters,
  goodKey,
  isTaskCancel,
  parsePoolKey,
  parseSubject,
  pauseKey,
  Streams,
  Subjects
} from "#ecs-core/Subjects.ts"

const services = Schema.Literals(["dispatcher", "launcher", "watcher", "log-streamer"])

const ofAttempt = {
  "taskdef.ready": Subjects.taskdefReady,
  "task.launching": Subjects.taskLaunching,
  "task.started": Subjects.taskStarted,
  "task.deferred": Subjects.taskDeferred,
  "task.rejected": Subjects.taskRejected,
  "task.changed": Subjects.taskChanged,
  "task.stopped": Subjects.taskStopped,
  "task.stop": Subjects.taskStop
} as const

describe("subjects", () => {
  it.prop("of a run parse back to what built them", [RunId, PoolName, services], ([runId, pool, service]) => {
    assert.deepStrictEqual(parseSubject(Subjects.runRequested(runId)), { kind: "run.requested", runId })
    assert.deepStrictEqual(parseSubject(Subjects.runCancel(runId)), { kind: "run.cancel", runId })
    assert.deepStrictEqual(parseSubject(Subjects.runQueued(pool, runId)), { kind: "run.queued", pool, runId })
    assert.deepStrictEqual(parseSubject(Subjects.runFinished(runId)), { kind: "run.finished", runId })
    assert.deepStrictEqual(parseSubject(Subjects.logs(runId)), { kind: "logs", runId })
    assert.deepStrictEqual(parseSubject(Subjects.dead(service, runId)), { kind: "dead", service, runId })
  })

  it.prop("of an attempt parse back to what built them", [RunId, Attempt], ([runId, attempt]) => {
    for (const kind of AttemptKinds) {
      assert.deepStrictEqual(parseSubject(ofAttempt[kind](runId, attempt)), { kind, runId, attempt })
    }
  })

  it.prop("of a cancel by task are never those of a cancel by run", [RunId], ([reference]) => {
    const token = `@${reference}`
    assert.deepStrictEqual(parseSubject(Subjects.taskCancel(reference)), { kind: "run.cancel", runId: token })
    assert.deepStrictEqual([isTaskCancel(token), isTaskCancel(reference), isRunId(token)], [true, false, false])
  })

  it("run.requested needs no id", () => {
    assert.strictEqual(Subjects.runRequested(), "run.requested")
    assert.deepStrictEqual(parseSubject("run.requested"), { kind: "run.requested" })
  })

  it.each([
    "",
    "run",
    "run.requested.",
    "run.requested.a.b",
    "run.cancel",
    "run.cancel.",
    "run.started.a",
    "run.queued.default",
    "run.queued..a",
    "logs",
    "logs.a.b",
    "dead.watcher",
    "task.started.a",
    "task.started.a.0",
    "task.started.a.01",
    "task.started.a.x",
    "task.started..1",
    "task.paused.a.1",
    "taskdef.ready.a.1.2",
    "$JS.ACK.FLEET"
  ])("none of ours: %s", (subject) => {
    assert.isUndefined(parseSubject(subject))
  })
})

describe("keys of fleet-pools", () => {
  it.prop("parse back to what built them", [PoolName], ([pool]) => {
    assert.deepStrictEqual(parsePoolKey(pool), { kind: "pool", pool })
    assert.deepStrictEqual(parsePoolKey(pauseKey(pool)), { kind: "pause", pool })
    assert.deepStrictEqual(parsePoolKey(goodKey(pool)), { kind: "good", pool })
  })

  it.each(["", ".", "paused.", "paused.a.b", "other.a", "a b", "paused.a b", ".a"])("none of ours: %s", (key) => {
    assert.isUndefined(parsePoolKey(key))
  })
})

const matches = (filter: string, subject: string): boolean => {
  const tokens = subject.split(".")
  const pattern = filter.split(".")
  if (pattern.at(-1) === ">") {
    return (
      tokens.length >= pattern.length && pattern.slice(0, -1).every((part, n) => part === "*" || part === tokens[n])
    )
  }
  return pattern.length === tokens.length && pattern.every((part, n) => part === "*" || part === tokens[n])
}

const everySubject = [
  { subject: Subjects.runRequested(), stream: Streams.inbox },
  { subject: Subjects.runRequested("r"), stream: Streams.inbox },
  { subject: Subjects.runCancel("r"), stream: Streams.fleet },
  { subject: Subjects.runQueued("default", "r"), stream: Streams.queues },
  { subject: Subjects.runFinished("r"), stream: Streams.fleet },
  ...Object.values(ofAttempt).map((build) => ({ subject: build("r", 1), stream: Streams.fleet })),
  { subject: Subjects.logs("r"), stream: Streams.logs },
  { subject: Subjects.dead("watcher", "r"), stream: Streams.dead }
]

describe("the topology", () => {
  const topology = fleetTopology(topologyDefaults)

  it.each(everySubject)("stores $subject in $stream and nowhere else", ({ subject, stream }) => {
    const storing = topology.streams.filter(({ subjects }) => subjects.some((filter) => matches(filter, subject)))
    assert.deepStrictEqual(
      storing.map(({ name }) => name),
      [stream]
    )
  })

  it("gives every consumer a filter that its stream stores something for", () => {
    for (const consumer of topology.consumers) {
      if (!("filterSubject" in consumer)) continue
      const { filterSubject, name } = consumer
      const fed = everySubject.filter(
        ({ subject, stream }) => stream === consumer.stream && matches(String(filterSubject), subject)
      )
      assert.isNotEmpty(fed, `${name} would never get a message`)
    }
  })

  it("has one name for each consumer", () => {
    const names = topology.consumers.map(({ name }) => name)
    assert.strictEqual(new Set(names).size, names.length)
  })

  it("reads the facts of one run without those of another", () => {
    assert.isTrue(matches(Filters.factsOf("r"), Subjects.taskStopped("r", 3)))
    assert.isFalse(matches(Filters.factsOf("r"), Subjects.taskStopped("s", 3)))
    assert.isFalse(matches(Filters.factsOf("r"), Subjects.taskdefReady("r", 3)))
  })
})
