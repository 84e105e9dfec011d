import { Clock, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import type { Bucket } from "#bus/Bucket.ts"
import type { Run } from "#ecs-core/Run.ts"
import { connected } from "./connected.ts"
import { tellDrain } from "./drain.ts"
import { filterFlags, jsonFlag, option } from "./flags.ts"
import { openRuns } from "./follow/records.ts"
import { liveRuns, recordsIn } from "./liveRuns.ts"
import { Output } from "./Output.ts"
import { json } from "./present.ts"
import { fits, isFiltered, type PsOptions, psOptions } from "./psOptions.ts"
import { pausedPools } from "./queue.ts"
import { nothingToList, psJson, psTable } from "./render/ps.ts"

/** Runs shown unless `--limit` says otherwise. */
export const PS_LIMIT = 100

export const ps = Command.make(
  "ps",
  {
    all: option("all", "Also runs that are over").pipe(Flag.withAlias("a")),
    json: jsonFlag,
    limit: Flag.Int("limit").pipe(
      Flag.withDefault(PS_LIMIT),
      Flag.withDescription("At most so many, the newest first")
    ),
    ...filterFlags
  },
  Effect.fn(function* (flags) {
    const options = yield* Effect.fromResult(psOptions(flags, yield* Clock.currentTimeMillis))
    yield* connected(listRuns(options))
  })
).pipe(
  Command.withDescription("List runs"),
  Command.withExamples([
    { command: "fleet ps", description: "what is going on" },
    { command: "fleet ps --state failed --since 1d", description: "what failed today" },
    { command: "fleet ps --all --json", description: "everything, for programs" }
  ])
)

export const listRuns = Effect.fnUntraced(function* (options: PsOptions) {
  const { out, err, outStyle, errStyle } = yield* Output
  const found = options.all ? yield* allRuns : yield* liveRuns
  const runs = newestFirst(found.filter((run) => fits(run, options.filter)))
  const shown = runs.slice(0, Math.max(0, options.limit))
  const paused = yield* pausedPools(shown)
  if (options.json) return yield* Effect.forEach(shown, (run) => out(json(psJson(run, paused))), { discard: true })
  yield* tellDrain
  if (runs.length === 0) return yield* out(nothingToList(options.all, isFiltered(options.filter)))
  yield* out(psTable(outStyle, shown, yield* Clock.currentTimeMillis, paused))
  if (shown.length < runs.length) yield* err(errStyle.dim(`${shown.length} of ${runs.length}; more with --limit\n`))
})

const allRuns = Effect.flatMap(openRuns, (runs: Bucket) => Effect.map(runs.entries(), recordsIn))

const newestFirst = (runs: ReadonlyArray<Run>): ReadonlyArray<Run> =>
  runs.toSorted((a, b) => b.requestedAt.localeCompare(a.requestedAt, "en") || a.runId.localeCompare(b.runId, "en"))
