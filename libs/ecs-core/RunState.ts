import { Schema } from "effect"

/** What became of a run. `docs/run-states.md` draws the whole machine; a test holds both together. */
export const Outcome = Schema.Literals(["succeeded", "failed", "crashed", "cancelled", "timed_out", "rejected"])
export type Outcome = typeof Outcome.Type

/** States before the outcome, in the order in which a run passes them. */
export const LiveState = Schema.Literals([
  "requested",
  "queued",
  "defining",
  "launching",
  "waiting",
  "provisioning",
  "pending",
  "running",
  "stopping"
])
export type LiveState = typeof LiveState.Type

export const RunState = Schema.Union([LiveState, Outcome])
export type RunState = typeof RunState.Type

const outcomes: ReadonlyArray<Outcome> = Outcome.literals

const anyOutcome = (...more: ReadonlyArray<RunState>): ReadonlyArray<RunState> => [...more, ...outcomes]

/**
 * The transition table. `launching ⇄ waiting` is the only way back within an attempt; the way back to `defining` is the
 * next attempt of the same run, and `defining → queued` a record that is made anew from what is stored. ECS may skip states and messages may overtake each other, so every state may jump
 * ahead, also straight to the next attempt's `launching`.
 */
export const transitions: Readonly<Record<LiveState, ReadonlyArray<RunState>>> = {
  requested: anyOutcome("queued", "defining", "launching"),
  queued: anyOutcome("defining", "launching"),
  defining: anyOutcome("queued", "launching"),
  launching: anyOutcome("defining", "waiting", "provisioning", "pending", "running", "stopping"),
  waiting: anyOutcome("defining", "launching", "provisioning", "pending", "running", "stopping"),
  provisioning: anyOutcome("defining", "pending", "running", "stopping", "launching"),
  pending: anyOutcome("defining", "running", "stopping", "launching"),
  running: anyOutcome("defining", "stopping", "launching"),
  stopping: anyOutcome("defining", "launching")
}

export const isOutcome = (state: RunState): state is Outcome => outcomes.some((outcome) => outcome === state)

export const mayBecome = (from: RunState, to: RunState): boolean => !isOutcome(from) && transitions[from].includes(to)

/** Nothing of an ECS task is left that could run: ECS stopped it, or no longer knows it. */
export const isGoneStatus = (lastStatus: string | undefined): boolean =>
  lastStatus === "STOPPED" || lastStatus === "DELETED"

/** The run's state that an ECS task's `lastStatus` stands for; unknown words change nothing. */
export const stateOfLastStatus = (lastStatus: string): LiveState | undefined => stateByLastStatus.get(lastStatus)

const stateByLastStatus: ReadonlyMap<string, LiveState> = new Map([
  ["PROVISIONING", "provisioning"],
  ["PENDING", "pending"],
  ["ACTIVATING", "pending"],
  ["RUNNING", "running"],
  ["DEACTIVATING", "stopping"],
  ["STOPPING", "stopping"],
  ["DEPROVISIONING", "stopping"],
  ["STOPPED", "stopping"],
  ["DELETED", "stopping"]
])
