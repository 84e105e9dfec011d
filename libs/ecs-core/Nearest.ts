/**
 * The candidate that `word` most likely meant, or `undefined` when none is near: what "did you mean …?" shows.
 *
 * Near = a Damerau-Levenshtein distance (insert, delete, replace, swap of two neighbours) of at most a third of the
 * word's length, at least 1 and at most 3. Case, and `-` against `_`, do not count. Of equally near candidates the first wins.
 */
export const nearest = (word: string, candidates: Iterable<string>): string | undefined => {
  const wanted = normalise(word)
  let best: string | undefined
  let bound = Math.min(3, Math.max(1, Math.floor(wanted.length / 3)))
  for (const candidate of candidates) {
    const found = distance(wanted, normalise(candidate), bound)
    if (found > bound) continue
    best = candidate
    bound = found - 1
    if (bound < 0) break
  }
  return best
}

const normalise = (word: string): string => word.toLowerCase().replaceAll("-", "_")

/** Optimal string alignment distance; stops early, with a number over `bound`, once `bound` cannot be kept. */
const distance = (a: string, b: string, bound: number): number => {
  if (Math.abs(a.length - b.length) > bound) return bound + 1
  let beforeLast: ReadonlyArray<number> = []
  let last: ReadonlyArray<number> = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = nextRow(a, b, row, last, beforeLast)
    if (Math.min(...current) > bound) return bound + 1
    beforeLast = last
    last = current
  }
  return last[b.length] ?? bound + 1
}

const nextRow = (
  a: string,
  b: string,
  row: number,
  last: ReadonlyArray<number>,
  beforeLast: ReadonlyArray<number>
): ReadonlyArray<number> => {
  const current = [row]
  const at = (cells: ReadonlyArray<number>, column: number) => cells[column] ?? Number.POSITIVE_INFINITY
  for (let column = 1; column <= b.length; column++) {
    const same = a[row - 1] === b[column - 1]
    const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
    current[column] = Math.min(
      at(last, column) + 1,
      at(current, column - 1) + 1,
      at(last, column - 1) + (same ? 0 : 1),
      swapped ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY
    )
  }
  return current
}
