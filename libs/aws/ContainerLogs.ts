import {
  FilterLogEventsCommand,
  type FilterLogEventsRequest,
  type FilterLogEventsResponse
} from "@aws-sdk/client-cloudwatch-logs"
import { Context, Effect, Layer } from "effect"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { AwsConfig } from "./AwsConfig.ts"
import { Clients } from "./Clients.ts"
import { type Call, modelCall, regionOfModel, sender } from "./calls.ts"
import { EcsModel } from "./model/EcsModel.ts"
import { Pace } from "./Pace.ts"
import { readLogs } from "./readLogs.ts"
import { makeStreamMemory } from "./StreamMemory.ts"
import type { AwsTarget } from "./Target.ts"

export interface LogsInput {
  readonly logGroup: string
  /** At most 100 (AWS). */
  readonly logStreams: ReadonlyArray<string>
  /** Events of this time and later; epoch milliseconds. */
  readonly startTime?: number
  /** Events of one page at most; default and maximum 10,000 (AWS). */
  readonly limit?: number
  /** Of the page before; all other members must be the same again. */
  readonly nextToken?: string
}

export interface ContainerLogEvent {
  readonly logStream: string
  /** Epoch milliseconds. */
  readonly timestamp: number
  readonly message: string
  /** AWS's own id: the same event read again has the same. */
  readonly eventId: string
  readonly ingestionTime?: number
}

export interface LogsPage {
  /** In the order of time within each stream. May be empty although there are more pages. */
  readonly events: ReadonlyArray<ContainerLogEvent>
  /** Absent = nothing more at the moment. */
  readonly nextToken?: string
  /** Of all streams that were asked for, everything up to this time was given; absent = of some of them only. */
  readonly reached?: number
  /** Those of the streams that do not exist (yet), as far as this page found out. */
  readonly missing: ReadonlyArray<string>
  /** Those of the missing ones that were not asked for, because they were missing a moment ago: of them nothing is known. */
  readonly unasked: ReadonlyArray<string>
}

/** What containers wrote, from CloudWatch Logs: many streams of one group in one call. */
export class ContainerLogs extends Context.Service<
  ContainerLogs,
  {
    /**
     * Streams that do not exist are left out and named in `missing`; if all were asked for and none exists, or the group
     * does not, the failure is `LogStreamNotFound` (normal before a container has started). One read is mostly one FilterLogEvents
     * call, which the caller paces (`filterLogEvents`); further calls for missing streams are paced here.
     */
    readonly read: (target: AwsTarget, input: LogsInput) => Effect.Effect<LogsPage, AwsFailure>
  }
>()("aws/ContainerLogs") {
  /** Over the AWS SDK. */
  static readonly layer = Layer.effect(
    ContainerLogs,
    Effect.gen(function* () {
      const [clients, pace, { missingStreamSeconds }] = [yield* Clients, yield* Pace, yield* AwsConfig]
      const memory = makeStreamMemory(missingStreamSeconds)
      const calls = sdkCalls(clients, pace)
      return ContainerLogs.of({ read: (target, input) => readLogs(calls, memory, target, input) })
    })
  )
  /** Over the model in memory. */
  static readonly layerMemory = Layer.effect(
    ContainerLogs,
    Effect.map(EcsModel, (model) => {
      const [calls, memory] = [modelCalls(model), makeStreamMemory()]
      return ContainerLogs.of({ read: (target, input) => readLogs(calls, memory, target, input) })
    })
  )
}

export interface LogsCalls {
  readonly region: (target: AwsTarget) => string | undefined
  readonly filterLogEvents: Call<FilterLogEventsRequest, FilterLogEventsResponse>
  /** Awaited before each call that the caller does not know of. */
  readonly beforeExtraCall: (target: AwsTarget) => Effect.Effect<void>
}

const sdkCalls = (clients: Clients["Service"], pace: Pace["Service"]): LogsCalls => {
  const send = sender(clients.logs)
  return {
    region: clients.region,
    filterLogEvents: send("FilterLogEvents", (client, input, options) =>
      client.send(new FilterLogEventsCommand(input), options)
    ),
    beforeExtraCall: (target) => pace.take("filterLogEvents", target)
  }
}

const modelCalls = ({ logs }: EcsModel["Service"]): LogsCalls => ({
  region: regionOfModel,
  filterLogEvents: modelCall(logs.FilterLogEvents),
  beforeExtraCall: () => Effect.void
})
