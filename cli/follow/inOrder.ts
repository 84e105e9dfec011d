import { Cause, Effect, Pull, Stream } from "effect"

/** What was read of one stream and has not been given on. */
interface Head<A, E, R> {
  /** The next items; none at the end. */
  readonly pull: Effect.Effect<ReadonlyArray<A>, E, R>
  items: ReadonlyArray<A>
  /** The next one of them. */
  at: number
  /** Its time. */
  millis: number
}

/**
 * Several streams as one, in the order of time: always the item of the stream whose next one is the oldest. The order
 * within each stream stays as it is. Holds one array of each stream. `millisOf`: epoch milliseconds of an item.
 */
export const inOrder = <A, E, R>(
  streams: ReadonlyArray<Stream.Stream<A, E, R>>,
  millisOf: (item: A) => number
): Stream.Stream<A, E, R> =>
  Stream.unwrap(
    Effect.gen(function* () {
      let heads = yield* Effect.forEach(streams, headOf)
      const next = Effect.gen(function* () {
        yield* Effect.forEach(heads, (head) => refill(head, millisOf), { concurrency: "unbounded", discard: true })
        heads = heads.filter(({ items }) => items.length > 0)
        const [first, ...rest] = taken(heads, millisOf)
        return first === undefined ? yield* Cause.done() : ([first, ...rest] as const)
      })
      return Stream.fromPull(Effect.succeed(next))
    })
  )

const headOf = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.map(Stream.toPull(stream), (pull): Head<A, E, R> => {
    const orNone = Pull.catchDone(pull, () => Effect.succeed<ReadonlyArray<A>>([]))
    return { pull: orNone, items: [], at: 0, millis: 0 }
  })

const refill = <A, E, R>(head: Head<A, E, R>, millisOf: (item: A) => number): Effect.Effect<void, E, R> =>
  head.at < head.items.length
    ? Effect.void
    : Effect.map(head.pull, (items) => {
        head.items = items
        goTo(head, 0, millisOf)
      })

const goTo = <A, E, R>(head: Head<A, E, R>, at: number, millisOf: (item: A) => number): void => {
  head.at = at
  const item = head.items[at]
  if (item !== undefined) head.millis = millisOf(item)
}

/** The oldest items, until one of the streams has to be read further. */
const taken = <A, E, R>(heads: ReadonlyArray<Head<A, E, R>>, millisOf: (item: A) => number): ReadonlyArray<A> => {
  const all: Array<A> = []
  const [first, ...others] = heads
  if (first === undefined) return all
  while (true) {
    const oldest = others.reduce((best, head) => (head.millis < best.millis ? head : best), first)
    const item = oldest.items[oldest.at]
    if (item === undefined) return all
    all.push(item)
    goTo(oldest, oldest.at + 1, millisOf)
    if (oldest.at >= oldest.items.length) return all
  }
}
