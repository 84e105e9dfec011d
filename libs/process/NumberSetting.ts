import { Config, Schema } from "effect"

const above0 = { message: "must be a number above 0" }
const positive = Schema.NumberFromString.check(Schema.isFinite(above0), Schema.isGreaterThan(0, above0))

const from1 = { message: "must be a whole number from 1 on" }
const whole = Schema.NumberFromString.check(Schema.isInt(from1), Schema.isGreaterThanOrEqualTo(1, from1))

/** A variable that holds a number above 0, e.g. of seconds. */
export const numberSetting = (name: string, byDefault: number): Config.Config<number> =>
  Config.schema(positive, name).pipe(Config.withDefault(byDefault))

/** A variable that holds a whole number from 1 on: a count, a size, milliseconds. */
export const wholeSetting = (name: string, byDefault: number): Config.Config<number> =>
  Config.schema(whole, name).pipe(Config.withDefault(byDefault))
