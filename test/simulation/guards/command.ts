import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { copyWithout, findingOf } from "./broken.ts"
import { type Guard, guards } from "./guards.ts"

/**
 * `npm run guards -- --seeds N [--only NAME]`: takes one guard after the other out of a copy of the code, and looks for
 * the first seed from 1 to N by which the simulation finds it out; ends with 1 if one is not missed.
 */
const { values } = parseArgs({
  options: { seeds: { type: "string", default: "10000" }, only: { type: "string" } }
})

const VIOLATION_SHOWN_MAX = 160

const isMissed = (guard: Guard): boolean => {
  const copy = mkdtempSync(join(tmpdir(), "ecs-fleet-guards-"))
  try {
    copyWithout(guard, resolve("."), copy)
    const args = ["test/simulation/command.ts", "--seeds", values.seeds, "--until-failure"]
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8" })
    const finding = findingOf(stdout)
    const told = finding === undefined ? `not missed in ${values.seeds} seeds` : `missed at seed ${finding.seed}`
    process.stdout.write(`without ${guard.name}: ${told}\n`)
    process.stdout.write(
      `  ${(finding?.violation ?? `${stdout}${stderr}`.slice(-500)).slice(0, VIOLATION_SHOWN_MAX)}\n`
    )
    return finding !== undefined
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

const chosen = guards.filter(({ name }) => values.only === undefined || name === values.only)
if (chosen.length === 0) {
  process.stderr.write(`--only "${values.only}" is no guard; there are: ${guards.map(({ name }) => name).join(", ")}\n`)
  process.exit(2)
}
const missed = chosen.filter(isMissed)
process.stdout.write(`${missed.length} of ${chosen.length} guards are missed when they are gone\n`)
process.exitCode = missed.length === chosen.length ? 0 : 1
