/** An object of JSON whose members are not known. */
export type Json = Readonly<Record<string, unknown>>

export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The list, or an empty one for anything else. */
export const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** The objects of a list; anything else in it is left out. */
export const objectsOf = (value: unknown): ReadonlyArray<Json> => listOf(value).filter(isJson)

/** The text, or undefined for anything else and for an empty one. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined
