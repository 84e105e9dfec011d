import { isJson, type Json } from "./Json.ts"

/** Members whose empty text means something: a variable's value, and values of maps with free names. */
const EMPTY_TEXT_MEANS: ReadonlySet<string> = new Set(["value"])
const MAPS_OF_TEXT: ReadonlySet<string> = new Set(["dockerLabels", "driverOpts", "labels", "options"])

/**
 * An object without what says nothing (peers 35): null, "", [] and {} at every depth. `false` and 0 stay, as they can
 * mean something (`stopTimeout: 0`), and so does "" where it is an argument in a list or a variable's value.
 */
export const compact = (value: Json, keepsEmptyText = false): Json =>
  Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      if (inner === "" && (keepsEmptyText || EMPTY_TEXT_MEANS.has(key))) return [[key, inner]]
      const kept = compactValue(inner, MAPS_OF_TEXT.has(key))
      return isEmpty(kept) ? [] : [[key, kept]]
    })
  )

const compactValue = (value: unknown, keepsEmptyText: boolean): unknown => {
  if (Array.isArray(value)) return value.map((item) => compactValue(item, false)).filter(isArgument)
  return isJson(value) ? compact(value, keepsEmptyText) : value
}

const isArgument = (item: unknown): boolean => item === "" || !isEmpty(item)

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  (Array.isArray(value) && value.length === 0) ||
  (isJson(value) && Object.keys(value).length === 0)
