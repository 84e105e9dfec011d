/** Where a run stands in the queue of its pool. */
export interface QueuePlace {
  readonly pool: string
  /** 1 = its turn is next; absent while its place is not published yet. */
  readonly position?: number
  /** How many runs wait. */
  readonly of?: number
  /** The pool admits nobody. */
  readonly paused?: { readonly reason?: string }
}
