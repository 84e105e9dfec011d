import { Metric } from "effect"
import * as aws from "#aws/metrics.ts"
import * as bus from "#bus/metrics.ts"
import * as everyProcess from "#process/metrics.ts"
import * as dispatcher from "#services/dispatcher/metrics.ts"
import * as logStreamer from "#services/log-streamer/metrics.ts"
import * as watcher from "#services/watcher/metrics.ts"

/** Every metric of the fleet, by its name. */
export const metricDefinitions = new Map(
  [aws, bus, everyProcess, dispatcher, logStreamer, watcher]
    .flatMap((module) => Object.values(module).filter((value) => Metric.isMetric(value)))
    .map(({ description = "", id, type }) => [id, { name: id, description, type: type.toLowerCase() }] as const)
)
