import { chanceFrom } from "./chance.ts"
import type { Fault } from "./Fault.ts"

/** Faults in the book at one time, used up ones included. */
export const maxFaults = 1000

/** A fault, and how it went so far. */
export interface InjectedFault {
  readonly id: number
  readonly fault: Fault
  /** Calls that it met. */
  readonly fired: number
  /** Calls that it will meet; undefined = all. */
  readonly left: number | undefined
}

interface Entry extends InjectedFault {
  /** Epoch milliseconds. */
  readonly endsAt: number
}

/**
 * The faults that wait for their calls, in the order they came; those that are used up stay to be looked at. Times are
 * epoch milliseconds. Chance follows from `seed` and from the order of the calls alone.
 */
export class FaultBook {
  #faults: ReadonlyArray<Entry> = []
  #ids = 0
  /** The next number of the seed's luck, from 0 up to 1. */
  readonly chance: () => number

  constructor(seed: number) {
    this.chance = chanceFrom(seed)
  }

  /** False: the book is full (`maxFaults`), clear it. */
  inject(fault: Fault, now: number): boolean {
    if (this.#faults.length >= maxFaults) return false
    const times = fault.times ?? (fault.probability === undefined && fault.lifetimeSeconds === undefined ? 1 : 0)
    this.#ids += 1
    const endsAt = fault.lifetimeSeconds === undefined ? Number.POSITIVE_INFINITY : now + fault.lifetimeSeconds * 1000
    this.#faults = [...this.#faults, { id: this.#ids, fault, fired: 0, left: times === 0 ? undefined : times, endsAt }]
    return true
  }

  list(now: number): ReadonlyArray<InjectedFault> {
    return this.#faults.map(({ endsAt, ...fault }) => (now < endsAt ? fault : { ...fault, left: 0 }))
  }

  clear(): void {
    this.#faults = []
  }

  /** Some fault asks for states that are over: whoever changes a task keeps what it was. */
  get keepsVersions(): boolean {
    return this.#faults.some(({ fault }) => fault.staleVersions !== undefined)
  }

  /** Uses up one call of the first fault that meets this one; each that could has its own luck. */
  take(now: number, wanted: (fault: Fault) => boolean): Fault | undefined {
    if (this.#faults.length === 0) return undefined
    const found = this.#faults.find(
      ({ fault, left, endsAt }) =>
        left !== 0 && now < endsAt && wanted(fault) && (fault.probability ?? 1) > this.chance()
    )
    if (found === undefined) return undefined
    const used = { ...found, fired: found.fired + 1, left: found.left === undefined ? undefined : found.left - 1 }
    this.#faults = this.#faults.map((each) => (each === found ? used : each))
    return found.fault
  }
}
