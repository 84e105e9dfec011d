/** A value's type with every `readonly` removed: the SDK's input types ask for mutable lists. */
export type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T

/** A copy that the SDK's types accept. */
export const mutable = <T extends object>(value: T): Mutable<T> => structuredClone(value) as Mutable<T>
