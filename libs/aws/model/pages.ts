import { Result } from "effect"
import { type Answer, refuse } from "./AwsException.ts"

export interface Page<A> {
  readonly items: Array<A>
  readonly nextToken: string | undefined
}

/** One page of a list that only grows at its end; the token is the position to go on from. */
export const page = <A>(
  all: ReadonlyArray<A>,
  nextToken: string | undefined,
  wanted: number | undefined,
  maximum: number
): Answer<Page<A>> => {
  const start = nextToken === undefined || nextToken === "" ? 0 : Number(nextToken)
  if (!Number.isInteger(start) || start < 0) return refuse("InvalidParameterException", "Invalid token.")
  const size = Math.max(1, Math.min(wanted ?? maximum, maximum))
  const end = start + size
  return Result.succeed({ items: all.slice(start, end), nextToken: end < all.length ? String(end) : undefined })
}
