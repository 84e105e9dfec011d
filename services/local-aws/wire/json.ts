import { Result } from "effect"
import type { AwsException } from "#aws/model/AwsException.ts"

/** AWS JSON 1.1: times are epoch seconds with a fraction, absent members are left out. */
export const encodeJson = (answer: unknown): string => JSON.stringify(withSeconds(answer)) ?? "{}"

// JSON.stringify turns a Date into a string before a replacer sees it, so the times are replaced first.
const withSeconds = (value: unknown): unknown => {
  if (value instanceof Date) return value.getTime() / 1000
  if (Array.isArray(value)) return value.map(withSeconds)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withSeconds(member)]))
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
