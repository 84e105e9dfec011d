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

/** The faults that wait for their calls, in the order they came; those that are used up stay to be looked at. */
export class FaultBook {
  #faults: ReadonlyArray<InjectedFault> = []
  #ids = 0

  /** False: the book is full (`maxFaults`), clear it. */
  inject(fault: Fault): boolean {
    if (this.#faults.length >= maxFaults) return false
    const times = fault.times ?? 1
    this.#ids += 1
    this.#faults = [...this.#faults, { id: this.#ids, fault, fired: 0, left: times === 0 ? undefined : times }]
    return true
  }

  list(): ReadonlyArray<InjectedFault> {
    return this.#faults
  }

  clear(): void {
    this.#faults = []
  }

  /** Uses up one call of the first fault that meets this one. */
  take(wanted: (fault: Fault) => boolean): Fault | undefined {
    if (this.#faults.length === 0) return undefined
    const found = this.#faults.find(({ fault, left }) => left !== 0 && wanted(fault))
    if (found === undefined) return undefined
    const used = { ...found, fired: found.fired + 1, left: found.left === undefined ? undefined : found.left - 1 }
    this.#faults = this.#faults.map((each) => (each === found ? used : each))
    return found.fault
  }
}
