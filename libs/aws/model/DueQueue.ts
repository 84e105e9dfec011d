import { Heap } from "./Heap.ts"

/** A thing to do at a time. */
export interface Due<A> {
  readonly at: number
  readonly value: A
}

/** What is due next, by time; entries of one time come out in the order they went in. */
export class DueQueue<A> {
  readonly #heap = new Heap<Due<A> & Ordered>(isBefore)
  #order = 0

  get size(): number {
    return this.#heap.size
  }

  /** Time of the earliest entry; undefined when empty. */
  get nextAt(): number | undefined {
    return this.#heap.first?.at
  }

  push(at: number, value: A): void {
    this.#heap.push({ at, value, order: this.#order++ })
  }

  /** Takes the earliest entry whose time is not after `now`. */
  pop(now: number): Due<A> | undefined {
    const first = this.#heap.first
    return first === undefined || first.at > now ? undefined : this.#heap.pop()
  }
}

interface Ordered {
  readonly at: number
  readonly order: number
}

const isBefore = (a: Ordered, b: Ordered): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
