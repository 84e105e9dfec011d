import type { AwsFailure } from "#ecs-core/errors.ts"

/**
 * Whether calls with one set of credentials in one region are made. AWS refuses the credentials: nothing is asked any
 * more but a probe now and then, and what waits is kept. An account may be barred from a single region, which AWS words
 * as it words a wrong key; so each region has a state of its own. Answers come out of order: a refusal of a call that
 * began before the credentials worked again is old news. Times are epoch milliseconds.
 */
export type GateState = Open | Paused

export interface Open {
  readonly _tag: "Open"
  /** Calls that began earlier are not heard. */
  readonly since: number
  /** Of the pause before: what passes a probe and fails again at once is probed as rarely as before. */
  readonly probes: number
}

export interface Paused {
  readonly _tag: "Paused"
  readonly since: number
  /** What AWS said last. */
  readonly why: AwsFailure
  readonly probes: number
  readonly nextProbeAt: number
}

export interface ProbeRule {
  readonly probeSeconds: number
  readonly probeSecondsMax: number
}

export const opened: Open = { _tag: "Open", since: Number.NEGATIVE_INFINITY, probes: 0 }

/** The wait before the probe that follows `probes` vain ones: `probeSeconds`, doubling up to `probeSecondsMax`. */
export const probeWaitMillis = (probes: number, { probeSeconds, probeSecondsMax }: ProbeRule): number =>
  1000 * Math.min(probeSeconds * 2 ** Math.min(probes, 30), probeSecondsMax)

/** A call that began at `askedAt` has failed. */
export const afterFailure = (
  state: GateState,
  why: AwsFailure,
  { askedAt, now }: { readonly askedAt: number; readonly now: number },
  rule: ProbeRule
): GateState => {
  if (state._tag === "Paused" || why.retry !== "credentials" || askedAt < state.since) return state
  const probes = now - state.since < rule.probeSecondsMax * 1000 ? state.probes + 1 : 0
  return { _tag: "Paused", since: now, why, probes, nextProbeAt: now + probeWaitMillis(probes, rule) }
}

/** What a probe brought; undefined = it passed. */
export const afterProbe = (state: Paused, failure: AwsFailure | undefined, now: number, rule: ProbeRule): GateState => {
  if (failure === undefined || isAccepted(failure)) return { _tag: "Open", since: now, probes: state.probes }
  const probes = state.probes + 1
  const why = failure.retry === "credentials" ? failure : state.why
  return { ...state, why, probes, nextProbeAt: now + probeWaitMillis(probes, rule) }
}

/** AWS refuses the call and not who makes it; a throttle, or no answer, tells nothing of that. */
const isAccepted = ({ retry }: AwsFailure): boolean =>
  retry !== "credentials" && retry !== "throttle" && retry !== "transient"
