import { Cause, Effect, Exit } from "effect"
import type { Delivery } from "#bus/Message.ts"
import { withMessageSpan } from "#bus/Trace.ts"

export type Handled<A> =
  | { readonly _tag: "Done"; readonly value: A }
  | { readonly _tag: "Died"; readonly reason: string }

/**
 * Runs a handler inside the message's span. One that dies with a defect is run again, up to `tries` times at once: a
 * defect is a bug, waiting does not mend it.
 */
export const attempts = Effect.fnUntraced(function* <A, R>(
  name: string,
  tries: number,
  d: Delivery,
  handler: Effect.Effect<A, never, R>
): Effect.fn.Return<Handled<A>, never, R> {
  for (let attempt = 1; ; attempt++) {
    const exit = yield* Effect.exit(handler.pipe(withMessageSpan(name, d)))
    if (Exit.isSuccess(exit)) return { _tag: "Done", value: exit.value }
    const message = `${name} died handling ${d.subject} (${d.stream}:${d.seq}), try ${attempt} of ${tries}`
    yield* Effect.logError(message, exit.cause)
    if (attempt >= tries) return { _tag: "Died", reason: `defect: ${Cause.pretty(exit.cause)}` }
  }
})
