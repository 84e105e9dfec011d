/**
 * The order in which requests came, per pool. A replica reads for many requests at once, and any of them may be the
 * first to know that it has to queue; it takes its place in the queue only once all that came before it have taken
 * theirs, or need none.
 */
import { Effect, Latch } from "effect"

interface Request {
  hasLeft: boolean
  readonly isFirst: Latch.Latch
}

/** Of each pool the requests that are being read, and those behind them. */
export type Arrivals = Map<string, Array<Request>>

export interface Arrival {
  /** Waits until all that came before have left. */
  readonly first: Effect.Effect<void>
  readonly leave: Effect.Effect<void>
}

/** To be called in the order in which the requests came, without a pause between. */
export const arrive = (arrivals: Arrivals, pool: string): Arrival => {
  const line = arrivals.get(pool) ?? []
  const request: Request = { hasLeft: false, isFirst: Latch.makeUnsafe(line.length === 0) }
  line.push(request)
  arrivals.set(pool, line)
  const leave = Effect.sync(() => {
    request.hasLeft = true
    while (line[0]?.hasLeft === true) line.shift()
    line[0]?.isFirst.openUnsafe()
    if (line.length === 0 && arrivals.get(pool) === line) arrivals.delete(pool)
  })
  return { first: request.isFirst.await, leave }
}
