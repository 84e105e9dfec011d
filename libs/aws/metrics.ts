import { Metric } from "effect"

/** What `/metrics` says of calls to AWS. docs/operating.md describes each; a test holds both together. */

/** From a call of a few milliseconds on loopback to one that is given up. */
const callBoundaries = Metric.boundariesFromIterable([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20])

/** `result`: `ok`, else the class by which the failure is tried again. */
export const calls = Metric.counter("fleet_aws_calls_total", {
  incremental: true,
  description: "calls to AWS by action and result"
})

export const callSeconds = Metric.histogram("fleet_aws_call_seconds", {
  boundaries: callBoundaries,
  description: "how long calls to AWS took, by action"
})

export const paceWaitSeconds = Metric.histogram("fleet_aws_pace_wait_seconds", {
  boundaries: callBoundaries,
  description: "how long calls waited for their turn under AWS's quota, by class of calls"
})

export const paceCallsLeft = Metric.gauge("fleet_aws_pace_calls_left", {
  description: "calls that could be made at once now, by quota, region and set of credentials"
})

export const pacePerSecond = Metric.gauge("fleet_aws_pace_calls_per_second", {
  description: "the rate that is kept to now, by quota, region and set of credentials"
})

export const paceShare = Metric.gauge("fleet_aws_pace_share", {
  description: "that rate as a part of its limit: less than 1 after AWS has throttled"
})

export const credentialsPaused = Metric.gauge("fleet_aws_credentials_paused", {
  description: "1 while AWS does not accept a set of credentials in a region, else 0"
})
