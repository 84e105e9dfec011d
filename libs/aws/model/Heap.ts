/** A binary heap: `first` is an entry before which, by `isBefore`, there is no other. */
export class Heap<A> {
  readonly #entries: Array<A> = []
  readonly #isBefore: (a: A, b: A) => boolean

  constructor(isBefore: (a: A, b: A) => boolean) {
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#entries.length
  }

  get first(): A | undefined {
    return this.#entries[0]
  }

  push(entry: A): void {
    let index = this.#entries.length
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#entries[parentIndex]
      if (parent === undefined || !this.#isBefore(entry, parent)) break
      this.#entries[index] = parent
      index = parentIndex
    }
    this.#entries[index] = entry
  }

  /** Takes the first entry out. */
  pop(): A | undefined {
    const first = this.#entries[0]
    const last = this.#entries.pop()
    if (last !== undefined && last !== first) this.replaceFirst(last)
    return first
  }

  /** Takes the first entry out, and puts another one in: cheaper than one after the other. */
  replaceFirst(entry: A): void {
    let index = 0
    while (true) {
      const [left, right] = [this.#entries[2 * index + 1], this.#entries[2 * index + 2]]
      const goRight = left !== undefined && right !== undefined && this.#isBefore(right, left)
      const child = goRight ? right : left
      if (child === undefined || !this.#isBefore(child, entry)) break
      this.#entries[index] = child
      index = 2 * index + (goRight ? 2 : 1)
    }
    this.#entries[index] = entry
  }
}
