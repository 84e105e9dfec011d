/** A thing to do at a time. */
export interface Due<A> {
  readonly at: number
  readonly value: A
}

/** What is due next: a binary heap by time; entries of one time come out in the order they went in. */
export class DueQueue<A> {
  readonly #heap: Array<Due<A> & { readonly order: number }> = []
  #order = 0

  get size(): number {
    return this.#heap.length
  }

  /** Time of the earliest entry; undefined when empty. */
  get nextAt(): number | undefined {
    return this.#heap[0]?.at
  }

  push(at: number, value: A): void {
    const entry = { at, value, order: this.#order++ }
    let index = this.#heap.length
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#heap[parentIndex]
      if (parent === undefined || !isBefore(entry, parent)) break
      this.#heap[index] = parent
      index = parentIndex
    }
    this.#heap[index] = entry
  }

  /** Takes the earliest entry whose time is not after `now`. */
  pop(now: number): Due<A> | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.at > now) return undefined
    const last = this.#heap.pop()
    if (last !== undefined && last !== first) this.#sink(last)
    return first
  }

  #sink(entry: Due<A> & { readonly order: number }): void {
    let index = 0
    while (true) {
      const [left, right] = [this.#heap[2 * index + 1], this.#heap[2 * index + 2]]
      const goRight = left !== undefined && right !== undefined && isBefore(right, left)
      const child = goRight ? right : left
      if (child === undefined || !isBefore(child, entry)) break
      this.#heap[index] = child
      index = 2 * index + (goRight ? 2 : 1)
    }
    this.#heap[index] = entry
  }
}

interface Ordered {
  readonly at: number
  readonly order: number
}

const isBefore = (a: Ordered, b: Ordered): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
