import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { DateTime, Effect, Result } from "effect"
import { obtainNatsServer } from "#bus/server/NatsBinary.ts"
import { table } from "#cli/render/table.ts"
import { version } from "#process/Version.ts"
import { type Benchmark, Skipped } from "./Benchmark.ts"
import type { CommandOptions } from "./options.ts"
import { writePage } from "./page/page.ts"
import { missed, resultHeader, resultRows, setupLines } from "./report.ts"
import { keep, setupOf } from "./results.ts"

const main = join(import.meta.dirname, "main.ts")

const say = (line: string) => Effect.sync(() => void process.stderr.write(`${line}\n`))
const print = (text: string) => Effect.sync(() => void process.stdout.write(text))

/** Measures, prints what it found, and keeps it in `bench/results` and in docs/performance.md. True: it was measured, or cannot be here, and where goals count, none is missed. */
export const runOne = ({ measure, name, title }: Benchmark, { isCheck, isFull }: CommandOptions) =>
  Effect.gen(function* () {
    const server = yield* obtainNatsServer()
    yield* say(`${name}: ${title}`)
    const measured = yield* Effect.result(Effect.scoped(measure({ isFull, say })))
    if (Result.isFailure(measured)) {
      if (!(measured.failure instanceof Skipped)) return yield* Effect.fail(measured.failure)
      yield* say(`${name} skipped: ${measured.failure.reason}`)
      return true
    }
    const at = DateTime.formatIso(yield* DateTime.now)
    const result = keep(name, at, setupOf(version, server.version, isFull), measured.success)
    writePage()
    yield* print(`${setupLines(result.setup).join("\n")}\n${table(resultHeader, resultRows(result))}`)
    const short = missed(result)
    if (short.length > 0) yield* say(`${name}: ${short.length} goals missed: ${short.join(", ")}`)
    return !isCheck || short.length === 0
  })

/** Each in a process of its own: what one leaves in memory is not the next one's. */
export const runEach = ({ isCheck, isFull, names }: CommandOptions) =>
  Effect.sync(() => {
    const flags = [...(isFull ? ["--full"] : []), ...(isCheck ? ["--check"] : [])]
    const codes = names.map((name) => spawnSync(process.execPath, [main, name, ...flags], { stdio: "inherit" }).status)
    return codes.every((code) => code === 0)
  })
