import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { Bus } from "#bus/Bus.ts"
import { Streams } from "#ecs-core/Subjects.ts"
import { composed } from "#test/docker/Compose.ts"
import { logOf } from "#test/docker/docker.ts"
import { allFinished, output, request, stored } from "#test/support/runs.ts"

/** What each service logs once for each run that it had in hand. */
const work = {
  dispatcher: { replicas: 2, line: "run defined" },
  launcher: { replicas: 3, line: "task launched" },
  watcher: { replicas: 2, line: "attempt over" },
  "log-streamer": { replicas: 2, line: "output drained" }
}

const RUNS = 200

const scaled = Effect.acquireRelease(
  Effect.promise(async () => {
    const here = await composed("replicas")
    const scale = Object.entries(work).flatMap(([name, { replicas }]) => ["--scale", `${name}=${replicas}`])
    await here.compose("up", "-d", "--wait", ...scale)
    return here
  }),
  ({ down }) => Effect.promise(down)
)

/** Runs of which this container logged this line. */
const workOf = async (container: string, line: string): Promise<ReadonlyArray<string>> => {
  const log = await logOf(container)
  return log.flatMap((each) => {
    const { message, runId } = each.startsWith("{") ? (JSON.parse(each) as Logged) : {}
    return message === line && runId !== undefined ? [runId] : []
  })
}

interface Logged {
  readonly message?: string
  readonly runId?: string
}

it.live(
  `${RUNS} runs on two or three replicas of each service: every replica does work, every run finishes once`,
  () =>
    Effect.gen(function* () {
      const here = yield* scaled
      const bus = Bus.layer({ servers: [here.natsUrl], name: "test" })
      const runIds = yield* Effect.gen(function* () {
        const command = ["simulate", "--seconds", "1", "--lines", "3"]
        const runIds = yield* Effect.forEach(
          Array.from({ length: RUNS }, (_, at) => `replicas-${at}`),
          (runId) => request({ command }, runId),
          { concurrency: 20 }
        )
        const ends = yield* allFinished(runIds)
        assert.isTrue(ends.every(({ outcome }) => outcome === "succeeded"))
        const outputs = yield* Effect.forEach(runIds, output, { concurrency: 10 })
        assert.isTrue(outputs.every(({ end, lines }) => end.complete && lines.length === 3))
        const all = yield* stored(Streams.fleet, "run.finished.*")
        assert.sameMembers(
          all.map(({ subject }) => subject.split(".").at(-1)),
          [...runIds]
        )
        return runIds
      }).pipe(Effect.provide(bus))

      for (const [name, { line, replicas }] of Object.entries(work)) {
        const containers = yield* Effect.promise(() => here.containers(name))
        assert.lengthOf(containers, replicas)
        const done = yield* Effect.promise(() => Promise.all(containers.map((each) => workOf(each, line))))
        for (const runs of done) assert.isAbove(runs.length, 0, `${name}: ${done.map(({ length }) => length)}`)
        assert.sameMembers([...new Set(done.flat())], [...runIds], name)
      }
    }).pipe(Effect.scoped),
  120_000
)
