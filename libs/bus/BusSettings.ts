import { Context } from "effect"

/** Limits and times of the bus. Times are of this process' Effect `Clock`. */
export interface BusSettingsShape {
  /** How long a publish, read or bucket write is retried before it fails with `BusUnavailable`. */
  readonly publishTimeoutSeconds: number
  /** How long one request waits for its answer before it is sent again. */
  readonly answerTimeoutSeconds: number
  /** First and longest pause between retries; each is shortened by up to half at random. */
  readonly retryFirstMillis: number
  readonly retryMaxMillis: number
  /** Life of one pull request. A consumer whose leader dies stalls no longer than this. */
  readonly pullExpiresMillis: number
  /** The server says that it is there so often; after two silent ones the pull is sent again. At most half the life. */
  readonly pullHeartbeatMillis: number
  /** Upper bound of one pull. */
  readonly pullMaxMessages: number
  /** The heart-beats of many leases are spread over their interval in steps no shorter than this. */
  readonly heartbeatStepMillis: number
  /** A durable that does not exist so long ends `Consumer.run` and `leases` with `BusUnavailable`. */
  readonly missingSeconds: number
  /** How many messages a replay reads ahead. */
  readonly replayBufferMessages: number
  /** The server forgets a replay whose reader vanished after this time. */
  readonly replayInactiveSeconds: number
  /** How long `Topology.ensure` waits for somebody else to create what these credentials may not. */
  readonly topologyWaitSeconds: number
}

export const defaultBusSettings: BusSettingsShape = {
  publishTimeoutSeconds: 30,
  answerTimeoutSeconds: 5,
  retryFirstMillis: 50,
  retryMaxMillis: 1_000,
  pullExpiresMillis: 5_000,
  pullHeartbeatMillis: 1_000,
  pullMaxMessages: 500,
  heartbeatStepMillis: 250,
  missingSeconds: 60,
  replayBufferMessages: 500,
  replayInactiveSeconds: 60,
  topologyWaitSeconds: 60
}

/** Read when a port's layer is built. */
export const BusSettings: Context.Reference<BusSettingsShape> = Context.Reference("bus/BusSettings", {
  defaultValue: () => defaultBusSettings
})
