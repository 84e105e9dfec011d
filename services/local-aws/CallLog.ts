/** Calls by action, refused ones included, and refusals by action and error name. */
export interface Counts {
  readonly calls: Readonly<Record<string, number>>
  readonly refused: Readonly<Record<string, number>>
}

export interface RegionalCounts extends Counts {
  readonly regions: Readonly<Record<string, Counts>>
}

/** A call, or with an error the refusal of one. */
export interface CallEntry {
  readonly region: string
  readonly action: string
  readonly error?: string
}

/** From then on, and before then; epoch milliseconds. */
export interface Window {
  readonly from: number
  readonly to: number
}

/**
 * When which call came: all of them counted, the newest ones with their times. An entry costs 16 bytes, since there are
 * few different ones; `max` of them are kept, and a window that begins before `knownSince` misses some.
 */
export class CallLog {
  readonly #max: number
  readonly #kinds = new Map<string, CallEntry>()
  readonly #totals = new Tally()
  readonly #times: Array<number> = []
  readonly #entries: Array<CallEntry> = []
  #next = 0
  #knownSince = 0

  constructor(max: number) {
    this.#max = max
  }

  add(entry: CallEntry, at: number): void {
    this.#totals.add(entry)
    const overwritten = this.#times[this.#next]
    if (overwritten !== undefined) this.#knownSince = overwritten + 1
    this.#times[this.#next] = at
    this.#entries[this.#next] = this.#kindOf(entry)
    this.#next = (this.#next + 1) % this.#max
  }

  totals(): RegionalCounts {
    return this.#totals.counts()
  }

  within({ from, to }: Window): RegionalCounts & { readonly knownSince: number } {
    const tally = new Tally()
    for (const [index, entry] of this.#entries.entries()) {
      const at = this.#times[index] ?? 0
      if (at >= from && at < to) tally.add(entry)
    }
    return { ...tally.counts(), knownSince: this.#knownSince }
  }

  #kindOf(entry: CallEntry): CallEntry {
    const key = `${entry.region} ${entry.action} ${entry.error ?? ""}`
    const known = this.#kinds.get(key)
    if (known === undefined) this.#kinds.set(key, entry)
    return known ?? entry
  }
}

class Tally {
  readonly #all = { calls: new Map<string, number>(), refused: new Map<string, number>() }
  readonly #regions = new Map<string, { readonly calls: Map<string, number>; readonly refused: Map<string, number> }>()

  add({ region, action, error }: CallEntry): void {
    const regional = this.#regions.get(region) ?? { calls: new Map(), refused: new Map() }
    this.#regions.set(region, regional)
    for (const counts of [this.#all, regional]) {
      const [names, name] = error === undefined ? [counts.calls, action] : [counts.refused, `${action} ${error}`]
      names.set(name, (names.get(name) ?? 0) + 1)
    }
  }

  counts(): RegionalCounts {
    const plain = ({ calls, refused }: { calls: Map<string, number>; refused: Map<string, number> }): Counts => ({
      calls: Object.fromEntries(calls),
      refused: Object.fromEntries(refused)
    })
    return {
      ...plain(this.#all),
      regions: Object.fromEntries([...this.#regions].map(([region, counts]) => [region, plain(counts)]))
    }
  }
}
