import type { Order } from "./Peer.ts"

/** Programs end in every phase of whoever looks for their ends once a second. */
const shortSeconds = [1, 1.2, 1.4, 1.6, 1.8]

export const longSeconds = 3600

export const programSeconds: ReadonlyArray<number> = [...shortSeconds, longSeconds]

/** The definition whose program takes so long; names of families have no dots. */
export const familyOf = (seconds: number): string => `peers-${String(seconds).replace(".", "-")}`

/** About one run a second, handed in during every phase of whoever polls, and always the same ones. */
export const oneByOne = (runs: number): Order =>
  Array.from({ length: runs }, (_, at) => ({
    seconds: shortSeconds[at % shortSeconds.length] ?? 1,
    gapMillis: 500 + ((at * 379) % 1000)
  }))

export const atOnceOf = (runs: number, seconds = 1): Order =>
  Array.from({ length: runs }, () => ({ seconds, gapMillis: 0 }))
