import { Metric } from "effect"

/** What `/metrics` says of messages. docs/operating.md describes each; a test holds both together. */

/** `verdict`: `ack`, `nak` (it comes again), `dead` (it is among the dead letters). Leases are not counted. */
export const messages = Metric.counter("fleet_bus_messages_total", {
  incremental: true,
  description: "messages handled, by consumer and verdict"
})

export const messageWaitSeconds = Metric.histogram("fleet_bus_message_wait_seconds", {
  boundaries: Metric.boundariesFromIterable([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]),
  description: "from the time a message was stored until it was first taken in hand, by consumer"
})
