import { Metric } from "effect"

/** What `/metrics` says of every process, and of what it reads about itself now and then. */

/** Starts after the first one, by worker. */
export const restarts = Metric.counter("fleet_worker_restarts_total", {
  incremental: true,
  description: "times a worker was started again after it failed or ended"
})

/** 1 = AWS answered the last probe as it should, 0 = it did not. */
export const probeHealthy = Metric.gauge("fleet_aws_probe_healthy", {
  description: "1 when AWS answered the last probe as it should, else 0"
})

/** What the sweeps over records and tasks have mended. */
export const mended = Metric.counter("fleet_reconciled_total", {
  incremental: true,
  description: "what a sweep has mended, by kind"
})

export const consumerWaiting = Metric.gauge("fleet_bus_consumer_waiting", {
  description: "messages that were not handed out yet, of all replicas, by consumer"
})

export const consumerUnacknowledged = Metric.gauge("fleet_bus_consumer_unacknowledged", {
  description: "messages handed out and not done with, of all replicas, by consumer: in hand, leases, or to come again"
})
