/** A fiber that sleeps; without `wake` it does not wait any more. */
export interface Sleeper {
  readonly at: number
  readonly order: number
  wake: (() => void) | undefined
}

const before = (a: Sleeper, b: Sleeper): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/** Puts a sleeper into the binary heap, earliest first. */
export const push = (heap: Array<Sleeper>, sleeper: Sleeper): void => {
  let at = heap.push(sleeper) - 1
  while (at > 0) {
    const up = (at - 1) >> 1
    const parent = heap[up]
    if (parent === undefined || before(parent, sleeper)) break
    heap[at] = parent
    at = up
  }
  heap[at] = sleeper
}

/** Takes the earliest one out. */
export const pop = (heap: Array<Sleeper>): Sleeper | undefined => {
  const first = heap[0]
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return first
  let at = 0
  while (true) {
    const left = 2 * at + 1
    if (left >= heap.length) break
    const right = left + 1
    const [l, r] = [heap[left], heap[right]]
    if (l === undefined) break
    const child = r !== undefined && before(r, l) ? right : left
    const smaller = heap[child]
    if (smaller === undefined || before(last, smaller)) break
    heap[at] = smaller
    at = child
  }
  heap[at] = last
  return first
}
