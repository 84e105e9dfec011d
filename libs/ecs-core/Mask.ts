/** What stands in the place of a value that may be secret. */
export const MASK = "***"

const MASKED_MAPS: ReadonlySet<string> = new Set(["env", "environment"])

/**
 * A request or definition as it may be shown and stored: environment values masked, names kept. Applies at every
 * depth, to maps (`env: {NAME: value}`) and to ECS's lists (`environment: [{name, value}]`).
 */
export const mask = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(mask)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, MASKED_MAPS.has(key) ? maskEnvironment(inner) : mask(inner)])
  )
}

const maskEnvironment = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(maskEntry)
  if (typeof value !== "object" || value === null) return MASK
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, inner === null ? null : MASK]))
}

/** `{name, value}` keeps its name; anything else, such as `"NAME=value"`, shows nothing. */
const maskEntry = (entry: unknown): unknown =>
  typeof entry === "object" && entry !== null && "name" in entry && typeof entry.name === "string"
    ? { name: entry.name, value: MASK }
    : MASK
