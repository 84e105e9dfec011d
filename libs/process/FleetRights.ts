import type { OfStream, Rights } from "#bus/Rights.ts"
import {
  type AttemptKind,
  BucketNames,
  DurablesOf,
  Filters,
  LeaseKeys,
  type ServiceName,
  Streams,
  Subjects
} from "#ecs-core/Subjects.ts"

/*
 * Who may do what, one row for each identity. A service may do what its handlers do and nothing beside it: a right that
 * is missing here shows in `test/operate/auth.test.ts`, where a whole fleet works with these rights and the server's log
 * must name no violation.
 */

/** Those who work on the fleet itself. `init` creates it, `operator` is the person at the command line. */
export type Identity = ServiceName | "init" | "operator"

const stream = (name: string, ...subjects: ReadonlyArray<string>): ReadonlyArray<OfStream> =>
  subjects.map((subject) => ({ stream: name, subject }))

const everything = (...names: ReadonlyArray<string>): ReadonlyArray<OfStream> =>
  names.flatMap((name) => stream(name, ">"))

const service = (name: ServiceName, kinds: ReadonlyArray<AttemptKind>, more: Rights): Rights => ({
  ...more,
  publish: [...kinds.map(Filters.ofAttempts), ...(more.publish ?? []), Filters.deadOf(name)],
  consume: DurablesOf[name],
  look: "own",
  readBuckets: [...(more.readBuckets ?? []), BucketNames.meta]
})

const { inbox, fleet, queues, logs, dead } = Streams
const { taskDefinitions, runs, live, pools, meta } = BucketNames

/** Every identity that works on the fleet. Facts and orders have one writer each; the operator may publish dead ones again. */
export const fleetRights: Readonly<Record<Identity, Rights>> = {
  init: { create: true, look: "all", writeBuckets: [meta, pools] },
  dispatcher: service("dispatcher", ["taskdef.ready", "task.stop"], {
    publish: [Filters.cancels, ...Filters.queues, Filters.runFinished],
    queues: stream(queues, ...Filters.queues),
    replay: everything(inbox, fleet, queues),
    read: [inbox, fleet, queues, logs],
    writeBuckets: [taskDefinitions, runs, live, pools, meta]
  }),
  launcher: service("launcher", ["task.launching", "task.started", "task.deferred", "task.rejected"], {
    read: [fleet],
    readBuckets: [runs]
  }),
  watcher: service("watcher", ["task.changed", "task.stopped"], {
    read: [fleet],
    replay: stream(fleet, Filters.taskStop),
    readBuckets: [runs, live],
    writeKeys: [{ bucket: meta, key: LeaseKeys.reconcileTasks }]
  }),
  "log-streamer": service("log-streamer", [], {
    publish: Filters.logs,
    read: [fleet, logs],
    replay: [...stream(fleet, Filters.taskStopped), ...stream(logs, ...Filters.logs)]
  }),
  operator: {
    publish: [...Filters.requests, ...Filters.fleet, ...Filters.queues],
    read: [inbox, fleet, queues, logs, dead],
    replay: everything(inbox, fleet, logs, dead),
    remove: [dead],
    readBuckets: [taskDefinitions, runs, live],
    writeBuckets: [pools, meta],
    look: "all"
  }
}

/** Publishes requests and cancels: of these run ids, or of any. */
export const producerRights = (runIds?: ReadonlyArray<string>): Rights => ({
  publish:
    runIds === undefined
      ? [...Filters.requests, Filters.cancels]
      : runIds.flatMap((runId) => [Subjects.runRequested(runId), Subjects.runCancel(runId)])
})

/** Reads lines and outcomes: of these runs, or of all of them and their records. */
export const readerRights = (runIds?: ReadonlyArray<string>): Rights =>
  runIds === undefined
    ? {
        replay: [...stream(logs, ...Filters.logs), ...stream(fleet, Filters.runFinished)],
        read: [logs],
        inspect: [logs, fleet],
        readBuckets: [runs, live, meta]
      }
    : { replay: [...stream(logs, ...runIds.map(Subjects.logs)), ...stream(fleet, ...runIds.map(Subjects.runFinished))] }
