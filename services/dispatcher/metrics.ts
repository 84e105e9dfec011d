import { Metric } from "effect"

/** What `/metrics` says of runs. docs/operating.md describes each; a test holds both together. */

/** Runs that are not over, as of the last sweep; of several replicas, from the one that holds its lease, else 0. */
export const runs = Metric.gauge("fleet_runs", {
  description: "runs that are not over, by state, as of the last sweep over records"
})

export const unfinishedRuns = Metric.gauge("fleet_runs_live", {
  description: "runs that are not over, as of the last sweep over records"
})

export const runsFinished = Metric.counter("fleet_runs_finished_total", {
  incremental: true,
  description: "runs that ended, by outcome"
})

export const hopSeconds = Metric.histogram("fleet_run_hop_seconds", {
  boundaries: Metric.boundariesFromIterable([
    0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600, 14_400, 86_400
  ]),
  description: "how long each hop of a run took, by the times of its messages"
})

export const slots = Metric.gauge("fleet_dispatcher_slots", {
  description: "turns in the queues of limited pools that this process holds"
})
