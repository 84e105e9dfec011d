import { Effect, FiberSet, Queue, type Scope, Semaphore } from "effect"

export interface Workers<A, R> {
  readonly submit: (item: A) => void
  /** Starts what was submitted, `concurrency` at a time, for ever; ends only with a defect of the work. */
  readonly run: Effect.Effect<never, never, R>
  /** Returns when nothing that was started is at work any more. */
  readonly idle: Effect.Effect<void>
}

/** A bounded number of fibers at work on a queue. They outlive `run` and are interrupted by the scope. */
export const makeWorkers = Effect.fnUntraced(function* <A, R>(
  concurrency: number,
  work: (item: A) => Effect.Effect<void, never, R>
): Effect.fn.Return<Workers<A, R>, never, Scope.Scope> {
  const queue = yield* Queue.unbounded<A>()
  const fibers = yield* FiberSet.make<void, never>()
  const free = yield* Semaphore.make(concurrency)
  const start = Effect.gen(function* () {
    const item = yield* Queue.take(queue)
    yield* free.take(1)
    yield* FiberSet.run(fibers, work(item).pipe(Effect.ensuring(free.release(1))))
  })
  return {
    submit: (item) => Queue.offerUnsafe(queue, item),
    run: Effect.raceFirst(Effect.forever(start), Effect.andThen(FiberSet.join(fibers), Effect.never)),
    idle: FiberSet.awaitEmpty(fibers)
  }
})
