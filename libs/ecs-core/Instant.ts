import { Schema } from "effect"

/** A moment on the wire: ISO 8601 in UTC with milliseconds, e.g. `2026-03-01T09:30:00.000Z`. */
export const Instant = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/u, {
    message: "must be an ISO 8601 time in UTC, e.g. 2026-03-01T09:30:00.000Z"
  })
)
export type Instant = typeof Instant.Type

export const instantOf = (epochMillis: number): Instant => new Date(epochMillis).toISOString()

export const millisOf = (instant: Instant): number => Date.parse(instant)
