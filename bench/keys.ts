/** The same values under keys that begin with a prefix and a dot. */
export const keyed = <A>(prefix: string, values: Readonly<Record<string, A>>): Readonly<Record<string, A>> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`${prefix}.${key}`, value]))
