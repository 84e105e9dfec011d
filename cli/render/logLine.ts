import { Cause, type Logger } from "effect"

/** A log entry of this process in one line: `warn NATS disconnected, reconnecting`. */
export const logLine = ({ logLevel, message, cause }: Logger.Options<unknown>): string => {
  const parts = (Array.isArray(message) ? message : [message]).map(partText)
  const why = cause.reasons.length === 0 ? [] : [Cause.pretty(cause)]
  return `${[logLevel.toLowerCase(), ...parts, ...why].join(" ")}\n`
}

const partText = (part: unknown): string => {
  if (typeof part === "string") return part
  if (typeof part !== "object" || part === null) return String(part)
  return Object.entries(part)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ")
}
