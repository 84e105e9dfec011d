import { fleetTopology, topologyDefaults } from "#ecs-core/FleetTopology.ts"
import {
  type AttemptKind,
  AttemptKinds,
  BucketNames,
  type ServiceName,
  ServiceNames,
  Streams,
  Subjects
} from "#ecs-core/Subjects.ts"

/** What is published in tests of permissions. */

export const RUN = "r-mine"
export const OTHER = "r-other"

/** Requests about durables, and all else that somebody could publish; a server refuses or takes each by its subject. */
const durables = fleetTopology(topologyDefaults).consumers

export const taking = durables.flatMap(({ stream, name }) => [
  { name, subject: `$JS.API.CONSUMER.INFO.${stream}.${name}` },
  { name, subject: `$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}` },
  { name, subject: `$JS.ACK.${stream}.${name}.1.1.1.1.1` }
])
export const changing = durables.flatMap(({ stream, name }) => [
  `$JS.API.CONSUMER.CREATE.${stream}.${name}`,
  `$JS.API.CONSUMER.CREATE.${stream}.${name}.task.stopped.*.*`,
  `$JS.API.CONSUMER.CREATE.${stream}.${name}.task.stop.*.*`,
  `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.${name}`,
  `$JS.API.CONSUMER.DELETE.${stream}.${name}`
])

const writersOf: Readonly<Record<AttemptKind, ReadonlyArray<ServiceName>>> = {
  "taskdef.ready": ["dispatcher"],
  "task.stop": ["dispatcher"],
  "task.launching": ["launcher"],
  "task.started": ["launcher"],
  "task.deferred": ["launcher"],
  "task.rejected": ["launcher"],
  "task.changed": ["watcher"],
  "task.stopped": ["watcher"]
}

/** Every subject of the fleet with the services that write it. */
export const written: ReadonlyArray<readonly [string, ReadonlyArray<ServiceName>]> = [
  ...AttemptKinds.map((kind) => [`${kind}.${OTHER}.1`, writersOf[kind]] as const),
  [Subjects.runRequested(), []],
  [Subjects.runRequested(OTHER), []],
  [Subjects.runCancel(OTHER), ["dispatcher"]],
  [Subjects.runQueued("narrow", OTHER), ["dispatcher"]],
  [Subjects.runFinished(OTHER), ["dispatcher"]],
  [Subjects.logs(OTHER), ["log-streamer"]],
  ...ServiceNames.map((name) => [Subjects.dead(name, OTHER), [name]] as const)
]

export const bucketKeys = Object.values(BucketNames).map((bucket) => `$KV.${bucket}.key`)

export const orders = [
  Subjects.runRequested(),
  ...[RUN, OTHER].flatMap((id) => [Subjects.runRequested(id), Subjects.runCancel(id)])
]

/** What a reader asks JetStream for; `$JS.FLEET.API` as it is called in the users' account. */
export const readings = (runId: string) => [
  `$JS.FLEET.API.CONSUMER.CREATE.FLEET_LOGS.any.logs.${runId}`,
  `$JS.FLEET.API.CONSUMER.CREATE.FLEET.any.run.finished.${runId}`
]
export const pulls = ["FLEET_LOGS", "FLEET"].flatMap((stream) => [
  `$JS.FLEET.API.CONSUMER.MSG.NEXT.${stream}.any`,
  `$JS.FLEET.API.CONSUMER.DELETE.${stream}.any`
])
/** All that anybody could try, in both accounts. */
export const attempts = (own: ReadonlyArray<string>): ReadonlyArray<string> =>
  [
    ...written.map(([subject]) => subject),
    ...orders,
    ...bucketKeys,
    ...taking.map(({ subject }) => subject),
    ...changing,
    ...Object.values(Streams).flatMap((stream) => [
      `$JS.API.STREAM.DELETE.${stream}`,
      `$JS.API.STREAM.PURGE.${stream}`,
      `$JS.API.STREAM.UPDATE.${stream}`,
      `$JS.API.STREAM.MSG.DELETE.${stream}`,
      `$JS.API.STREAM.MSG.GET.${stream}`,
      `$JS.API.DIRECT.GET.${stream}`,
      `$JS.API.CONSUMER.CREATE.${stream}`
    ]),
    "$JS.API.STREAM.MSG.GET.KV_fleet-runs",
    "$JS.FLEET.API.STREAM.MSG.GET.FLEET_LOGS",
    "$JS.FLEET.API.STREAM.MSG.GET.FLEET",
    "$JS.FLEET.API.STREAM.INFO.FLEET_LOGS",
    "$JS.FLEET.API.STREAM.INFO.FLEET",
    "$JS.FLEET.API.CONSUMER.NAMES.FLEET_LOGS",
    "$JS.FLEET.API.CONSUMER.CREATE.FLEET_LOGS.any",
    "$JS.FLEET.API.CONSUMER.CREATE.FLEET.any.task.stopped.*.*",
    "$JS.FLEET.API.CONSUMER.MSG.NEXT.FLEET_QUEUES.pool-narrow",
    ...taking.map(({ subject }) => subject.replace("$JS.API", "$JS.FLEET.API")),
    ...changing.map((subject) => subject.replace("$JS.API", "$JS.FLEET.API")),
    ...readings(RUN),
    ...readings(OTHER),
    ...pulls
  ].filter((subject, at, all) => all.indexOf(subject) === at && !own.includes(subject))
