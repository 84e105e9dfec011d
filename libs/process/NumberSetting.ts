import { Config, Schema } from "effect"

const above0 = { message: "must be a number above 0" }
const positive = Schema.NumberFromString.check(Schema.isFinite(above0), Schema.isGreaterThan(0, above0))

const wholeFrom = (minimum: number) => {
  const from = { message: `must be a whole number from ${minimum} on` }
  return Schema.NumberFromString.check(Schema.isInt(from), Schema.isGreaterThanOrEqualTo(minimum, from))
}

/** A variable that holds a number above 0, e.g. of seconds. */
export const numberSetting = (name: string, byDefault: number): Config.Config<number> =>
  Config.schema(positive, name).pipe(Config.withDefault(byDefault))

/** A variable that holds a whole number from `minimum` on: a count, a size, milliseconds. */
export const wholeSetting = (name: string, byDefault: number, minimum = 1): Config.Config<number> =>
  Config.schema(wholeFrom(minimum), name).pipe(Config.withDefault(byDefault))
