import { Result, Schema } from "effect"

/** A message's text could not be read; `message` names path and expectation, never the value. */
export class Undecodable extends Schema.TaggedError<Undecodable>()("Undecodable", { message: Schema.String }) {}

/** The `v` of every message; absent means 1. A later version is refused, never half understood. */
export const Version = Schema.Literal(1).annotate({ message: "must be 1, the only version known here" })

/** JSON text ↔ checked value of one message. Unknown fields are dropped: facts may grow. */
export interface Codec<A> {
  readonly encode: (value: A) => string
  readonly decode: (json: string) => Result.Result<A, Undecodable>
}

/** Messages are versioned by an integer `v`; absent means 1. `prepare` makes of the parsed JSON what the schema reads. */
export const codec = <A, E>(
  schema: Schema.Codec<A, E>,
  prepare: (value: unknown) => unknown = (value) => value
): Codec<A> => {
  const decodeUnknown = Schema.decodeUnknownResult(schema)
  const encodeSync = Schema.encodeSync(schema)
  return {
    encode: (value) => JSON.stringify({ v: 1, ...encodeSync(value) }),
    decode: (json) =>
      parseJson(json).pipe(
        Result.flatMap((value) =>
          decodeUnknown(prepare(value)).pipe(Result.mapError((error) => new Undecodable({ message: error.message })))
        )
      )
  }
}

export const parseJson = (json: string): Result.Result<unknown, Undecodable> =>
  Result.try({
    try: () => JSON.parse(json) as unknown,
    catch: (cause) => new Undecodable({ message: `Not valid JSON${placeOf(cause)}` })
  })

/** The engine's own message quotes the text, which may hold secrets: only the position is kept. */
const placeOf = (cause: unknown): string => {
  const text = cause instanceof Error ? cause.message : ""
  if (text.startsWith("Unexpected end")) return ": it ends too early"
  return / at position \d+( \(line \d+ column \d+\))?$/.exec(text)?.[0] ?? ""
}
