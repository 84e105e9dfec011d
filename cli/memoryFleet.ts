/** For tests of commands: a fleet's streams and buckets in memory, filled by hand with what the services would write. */

import { Effect, Layer, type Queue } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { Bus } from "#bus/Bus.ts"
import { Publisher } from "#bus/Publisher.ts"
import { topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { LogCodecs, type LogEnd, type LogLine } from "#ecs-core/LogLine.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { isFinal, type Run, RunCodec, runFinished } from "#ecs-core/Run.ts"
import { BucketNames, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { Interrupts, type Signal } from "./Interrupts.ts"
import { Output } from "./Output.ts"

/** A fleet of its own for each test. */
export const memoryFleet = () =>
  Layer.effectDiscard(setUpFleet(topologyDefaults)).pipe(Layer.provideMerge(Bus.layerMemory), Layer.fresh)

export interface Screen {
  out: string
  err: string
}

/** What is written ends up in the screen; signals come from the queue. */
export const onScreen = (screen: Screen, signals: Queue.Queue<Signal>) =>
  Layer.merge(Output.layerMemory(screen), Interrupts.layerMemory(signals))

const bucket = (name: string) => Buckets.use((buckets) => buckets.open(name))

/** Writes a record as the dispatcher does, with its key among those that are not over. */
export const putRun = Effect.fnUntraced(function* (run: Run) {
  yield* (yield* bucket(BucketNames.runs)).put(run.runId, RunCodec.encode(run))
  const live = yield* bucket(BucketNames.live)
  yield* isFinal(run) ? live.delete(run.runId) : live.put(run.runId, "{}")
})

/** Publishes `run.finished` of a run that is over. */
export const publishFinished = Effect.fnUntraced(function* (run: Run) {
  const finished = runFinished(run)
  if (finished === undefined) return yield* Effect.die(new Error("the run is not over"))
  const data = Codecs.runFinished.encode(finished)
  yield* (yield* Publisher).createOnce({ stream: Streams.fleet, subject: Subjects.runFinished(run.runId), data })
})

const publishLog = Effect.fnUntraced(function* (runId: string, data: string) {
  yield* (yield* Publisher).publish({ stream: Streams.logs, subject: Subjects.logs(runId), data })
})

/** Lines of any containers in one batch, of the first attempt unless it is named. */
export const publishLines = (runId: string, lines: ReadonlyArray<LogLine>, attempt = 1) =>
  publishLog(runId, LogCodecs.batch.encode({ attempt, lines, positions: [] }))

/** The end marker; complete and without last lines unless the change says otherwise. */
export const publishEnd = (runId: string, change: Partial<LogEnd["end"]> = {}) =>
  publishLog(runId, LogCodecs.end.encode({ end: { lines: 0, containers: [], complete: true, ...change } }))

/** What this version cannot read. */
export const publishUnreadable = (runId: string) => publishLog(runId, '{"v":2}')
