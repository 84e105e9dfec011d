/**
 * Placeholders `{{ name }}` in a JSON value, filled as Prefect fills them: a text that is one placeholder becomes its
 * value and keeps the type (peers 3); without a value, and null counts as none, its member or its element of a list is
 * gone (peers 4); inside a longer text a placeholder is replaced as text (peers 5). What was filled in is not looked at
 * again, so that a value may itself hold braces.
 */
import { isJson, type Json } from "./Json.ts"

/** What a variable may be called, in words too. */
export const VARIABLE_NAME_PATTERN = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/u
export const VARIABLE_NAME_RULE =
  "1 to 64 letters, digits, hyphens or underscores, the first one a letter or an underscore"

const anywhere = () => /\{\{\s*([^{}]*?)\s*\}\}/gu
const whole = /^\{\{\s*([^{}]*?)\s*\}\}$/u

type Path = ReadonlyArray<string>

/** A text with placeholders, and where it stands. */
export interface Place {
  readonly path: Path
  /** The names in it, each as often as it occurs. */
  readonly names: ReadonlyArray<string>
  /** The text is the placeholder and nothing else. */
  readonly isWhole: boolean
}

/** The name, if the value is one placeholder and nothing else. */
export const wholePlaceholder = (value: unknown): string | undefined =>
  typeof value === "string" ? whole.exec(value)?.[1] : undefined

/** Every text that has placeholders, in the order of the value. Names of members are none. */
export const placesIn = (value: unknown, path: Path = []): ReadonlyArray<Place> => {
  if (typeof value === "string") {
    const names = [...value.matchAll(anywhere())].map(([, name = ""]) => name)
    return names.length === 0 ? [] : [{ path, names, isWhole: whole.test(value) }]
  }
  if (Array.isArray(value)) return value.flatMap((inner: unknown, at) => placesIn(inner, [...path, String(at)]))
  if (!isJson(value)) return []
  return Object.entries(value).flatMap(([name, inner]) => placesIn(inner, [...path, name]))
}

/** The names in the text that stands at a path, or that the path leads into; none where there is no such text. */
export const namesAt = (value: unknown, [step, ...rest]: Path): ReadonlyArray<string> => {
  if (typeof value === "string" || step === undefined) return placesIn(value).flatMap(({ names }) => names)
  return typeof value === "object" && value !== null ? namesAt(Reflect.get(value, step), rest) : []
}

/** The value with its placeholders filled; undefined = it was one placeholder, and that has no value. */
export const fill = (value: unknown, values: Json): unknown => {
  if (typeof value === "string") return fillText(value, values)
  if (Array.isArray(value)) {
    return value.map((inner: unknown) => fill(inner, values)).filter((inner) => inner !== undefined)
  }
  if (!isJson(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const filled = fill(inner, values)
      return filled === undefined ? [] : [[name, filled]]
    })
  )
}

const fillText = (text: string, values: Json): unknown => {
  const name = wholePlaceholder(text)
  if (name !== undefined) return valueOf(name, values)
  return text.replaceAll(anywhere(), (_, inner: string) => asText(valueOf(inner, values)))
}

const valueOf = (name: string, values: Json): unknown =>
  Object.hasOwn(values, name) ? (values[name] ?? undefined) : undefined

const asText = (value: unknown): string => {
  if (value === undefined) return ""
  return typeof value === "string" ? value : JSON.stringify(value)
}
