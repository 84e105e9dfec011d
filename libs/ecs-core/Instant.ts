import { Schema } from "effect"

/** A moment on the wire: ISO 8601 in UTC with milliseconds, e.g. `2026-03-01T09:30:00.000Z`. */
export const Instant = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/u, {
    message: "must be an ISO 8601 time in UTC, e.g. 2026-03-01T09:30:00.000Z"
  })
)
export type Instant = typeof Instant.Type

/** Thousands of lines have a time of the same second: its text is made once. */
let last = { second: Number.NaN, text: "" }

export const instantOf = (epochMillis: number): Instant => {
  const second = Math.floor(epochMillis / 1000)
  if (second !== last.second) last = { second, text: new Date(second * 1000).toISOString().slice(0, -"000Z".length) }
  return `${last.text}${String(Math.trunc(epochMillis - second * 1000)).padStart(3, "0")}Z`
}

export const millisOf = (instant: Instant): number => Date.parse(instant)
