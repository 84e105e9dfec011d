import type { Effect, Scope } from "effect"
import type { Surroundings } from "#bench/fleet.ts"
import type { LocalAws } from "#test/support/LocalAws.ts"

/** As it comes, or with every setting that makes it faster. */
export type Mode = "defaults" | "fastest"

export interface Requested {
  /** How long its program takes. */
  readonly seconds: number
  /** How long nobody asks for another run. */
  readonly gapMillis: number
}

/** Runs to ask for, one after another; where there are no gaps, as fast as the product takes them. */
export type Order = ReadonlyArray<Requested>

/** What became of a run; epoch milliseconds. */
export interface Timing {
  readonly handedInAt: number
  /** When the code that calls AWS was called. */
  readonly submittedAt?: number
  /** When its RunTask was answered. */
  readonly arrivedAt?: number
  /** When its task had stopped. */
  readonly endedAt?: number
  /** When that was noticed. */
  readonly noticedAt?: number
  readonly isFailed: boolean
}

export interface Memory {
  /** Megabytes of the processes that launch and watch. */
  readonly worker: number
  /** With all that they need beside them: servers and stores. */
  readonly all: number
}

/** A product that runs containers on ECS, started and ready for orders. */
export interface RunningPeer {
  readonly order: (order: Order) => Effect.Effect<void>
  readonly timings: Effect.Effect<ReadonlyArray<Timing>, unknown, LocalAws>
  readonly memory: Effect.Effect<Memory>
}

export interface Peer {
  readonly name: string
  /** It ends with the scope. */
  readonly start: (mode: Mode) => Effect.Effect<RunningPeer, unknown, Scope.Scope | Surroundings>
}
