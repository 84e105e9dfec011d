import { parseArgs } from "node:util"
import { Result } from "effect"

export interface CommandOptions {
  /** None = all. */
  readonly names: ReadonlyArray<string>
  readonly isFull: boolean
  /** A missed goal is a failure. */
  readonly isCheck: boolean
}

const usage = "Usage: npm run bench -- [name …] [--full] [--check]"

/** The failure is for a person, and names what may be said. */
export const readOptions = (
  args: ReadonlyArray<string>,
  known: ReadonlyArray<string>
): Result.Result<CommandOptions, string> =>
  Result.try({
    try: () => {
      const flags = { full: { type: "boolean", default: false }, check: { type: "boolean", default: false } } as const
      const { positionals, values } = parseArgs({ args: [...args], options: flags, allowPositionals: true })
      const unknown = positionals.filter((name) => !known.includes(name))
      if (unknown.length > 0) throw new Error(`no benchmark is called ${unknown.join(", ")}: ${known.join(", ")}`)
      return { names: positionals.length === 0 ? known : positionals, isFull: values.full, isCheck: values.check }
    },
    catch: (error) => `${error instanceof Error ? error.message : String(error)}\n${usage}`
  })
