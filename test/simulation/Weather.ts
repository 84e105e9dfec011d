import type { Dice } from "./Dice.ts"

/**
 * Which faults a seed suffers from, and how often. Each is switched off in half of the seeds, so that a fault which hides
 * another does not always hide it; what is left is weighed anew (swarm testing).
 */
export interface Weather {
  /** Probability that a request to the bus gets lost on its way there, or its answer on the way back. */
  readonly requestLost: number
  readonly answerLost: number
  readonly ackLost: number
  /** Longest time that a request to the bus takes, milliseconds. */
  readonly busLatencyMillis: number
  /** Each per call of AWS. */
  readonly throttled: number
  readonly callLost: number
  readonly callAnswerLost: number
  readonly serverError: number
  readonly noCapacity: number
  readonly partialSuccess: number
  readonly staleDescribe: number
  readonly hidden: number
  readonly callLatencyMillis: number
  /** For how long DescribeTasks and ListTasks do not know a new task, seconds. */
  readonly missingAfterRunSeconds: number
  /** Mean time between two deaths, freezes and orderly restarts of any process, seconds; infinite = never. */
  readonly crashEverySeconds: number
  readonly freezeEverySeconds: number
  readonly restartEverySeconds: number
  readonly natsRestartEverySeconds: number
  /** AWS rejects the credentials, from … for …; seconds. */
  readonly credentialsOutage: { readonly afterSeconds: number; readonly seconds: number } | undefined
  /** The platform stops a task, or forgets it; each per task. */
  readonly platformStop: number
  readonly taskForgotten: number
  readonly heldInProvisioning: number
  /** Somebody deregisters every definition so often, seconds. */
  readonly deregisterEverySeconds: number
  /** Old messages of finished runs and the oldest log lines go so often, seconds. */
  readonly trimEverySeconds: number
  /** How far the clocks of processes are apart, milliseconds. */
  readonly clockSkewMillis: number
}

export const weatherOf = (dice: Dice): Weather => {
  const rate = (maximum: number): number => (dice.chance(0.5) ? 0 : dice.spread(maximum / 20, maximum))
  const every = (minimum: number, maximum: number): number =>
    dice.chance(0.5) ? Number.POSITIVE_INFINITY : dice.spread(minimum, maximum)
  return {
    requestLost: rate(0.1),
    answerLost: rate(0.1),
    ackLost: rate(0.2),
    busLatencyMillis: dice.chance(0.5) ? 0 : dice.spread(1, 2000),
    throttled: rate(0.3),
    callLost: rate(0.2),
    callAnswerLost: rate(0.3),
    serverError: rate(0.1),
    noCapacity: rate(0.6),
    partialSuccess: rate(0.2),
    staleDescribe: rate(0.3),
    hidden: rate(0.2),
    callLatencyMillis: dice.chance(0.5) ? 0 : dice.spread(1, 20_000),
    missingAfterRunSeconds: dice.chance(0.5) ? 0 : dice.spread(0.1, 20),
    crashEverySeconds: every(1, 600),
    freezeEverySeconds: every(10, 2000),
    restartEverySeconds: every(5, 1000),
    natsRestartEverySeconds: every(20, 2000),
    credentialsOutage: dice.chance(0.8)
      ? undefined
      : { afterSeconds: dice.spread(1, 300), seconds: dice.spread(10, 8000) },
    platformStop: rate(0.3),
    taskForgotten: rate(0.1),
    heldInProvisioning: rate(0.3),
    deregisterEverySeconds: every(10, 1000),
    trimEverySeconds: every(60, 2000),
    clockSkewMillis: dice.chance(0.7) ? 0 : dice.spread(10, 5000)
  }
}

/** Nothing goes wrong any more: what is left must come to its end. */
export const calm: Weather = {
  requestLost: 0,
  answerLost: 0,
  ackLost: 0,
  busLatencyMillis: 0,
  throttled: 0,
  callLost: 0,
  callAnswerLost: 0,
  serverError: 0,
  noCapacity: 0,
  partialSuccess: 0,
  staleDescribe: 0,
  hidden: 0,
  callLatencyMillis: 0,
  missingAfterRunSeconds: 0,
  crashEverySeconds: Number.POSITIVE_INFINITY,
  freezeEverySeconds: Number.POSITIVE_INFINITY,
  restartEverySeconds: Number.POSITIVE_INFINITY,
  natsRestartEverySeconds: Number.POSITIVE_INFINITY,
  credentialsOutage: undefined,
  platformStop: 0,
  taskForgotten: 0,
  heldInProvisioning: 0,
  deregisterEverySeconds: Number.POSITIVE_INFINITY,
  trimEverySeconds: Number.POSITIVE_INFINITY,
  clockSkewMillis: 0
}
