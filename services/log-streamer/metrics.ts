import { Metric } from "effect"

/** What `/metrics` says of a log-streamer. docs/operating.md describes each; a test holds both together. */

export const attempts = Metric.gauge("fleet_log_streamer_attempts", {
  description: "attempts whose output this process carries"
})

export const lines = Metric.counter("fleet_log_lines_total", {
  incremental: true,
  description: "lines published"
})

export const lineDelaySeconds = Metric.histogram("fleet_log_line_delay_seconds", {
  boundaries: Metric.boundariesFromIterable([0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 3600]),
  description: "from the time of a line until it was published, of the oldest line of each look"
})
