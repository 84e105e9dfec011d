import { Result } from "effect"
import type { AwsException } from "#aws/model/AwsException.ts"

/** AWS JSON 1.1: times are epoch seconds with a fraction, absent members are left out. */
export const encodeJson = (answer: unknown): string => JSON.stringify(answer, withSeconds) ?? "{}"

// A Date is a string already when the replacer gets it as a value; its holder still has the Date.
function withSeconds(this: unknown, name: string, value: unknown): unknown {
  const held: unknown = typeof value === "string" ? Reflect.get(Object(this), name) : value
  return held instanceof Date ? held.getTime() / 1000 : value
}

/** The request's members. AWS takes an empty body as `{}`, ignores `null` members, and refuses what is no object. */
export const decodeJson = (body: string): Result.Result<object, AwsException> => {
  if (body.trim() === "") return Result.succeed({})
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return Result.succeed(withoutNulls(value))
  } catch {
    // Falls through to the same answer.
  }
  return Result.fail({ __type: "SerializationException", message: "The request body is not a JSON object." })
}

const withoutNulls = (value: object): object =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null))
