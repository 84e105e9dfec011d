#!/usr/bin/env node
import "./nodeVersion.js"
import { enableCompileCache } from "node:module"

/** Runs `fleet` with the arguments of this process and ends it. */
export const run = async (): Promise<never> => {
  enableCompileCache()
  const [{ Effect }, { fleet }] = await Promise.all([import("effect"), import("./fleet.ts")])
  process.exit(await Effect.runPromise(fleet(process.argv.slice(2))))
}

if (import.meta.main) await run()
