import { Clock, Effect, Option, Result } from "effect"
import { Command, Flag } from "effect/cli"
import { type Bucket, type BucketEntry, Buckets } from "#bus/Bucket.ts"
import { text } from "#bus/Message.ts"
import { isTombstone, type Run, RunCodec } from "#ecs-core/Run.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { connected } from "./connected.ts"
import { jsonFlag, option } from "./flags.ts"
import { openRuns } from "./follow/records.ts"
import { Output } from "./Output.ts"
import { json } from "./present.ts"
import { fits, isFiltered, type PsOptions, psOptions } from "./psOptions.ts"
import { pausedPools } from "./queue.ts"
import { nothingToList, psJson, psTable } from "./render/ps.ts"

/** Runs shown unless `--limit` says otherwise. */
export const PS_LIMIT = 100

/** Records read at a time. */
const READS_AT_A_TIME = 32

export const ps = Command.make(
  "ps",
  {
    all: option("all", "Also runs that are over").pipe(Flag.withAlias("a")),
    json: jsonFlag,
    limit: Flag.Int("limit").pipe(
      Flag.withDefault(PS_LIMIT),
      Flag.withDescription("At most so many, the newest first")
    ),
    state: Flag.String("state").pipe(
      Flag.atLeast(0),
      Flag.withDescription("Only runs in this state, such as running or failed; may be repeated")
    ),
    pool: Flag.String("pool").pipe(Flag.optional, Flag.withDescription("Only runs of this pool")),
    label: Flag.String("label").pipe(
      Flag.atLeast(0),
      Flag.withMetavar("name=value"),
      Flag.withDescription("Only runs with this label; may be repeated")
    ),
    since: Flag.String("since").pipe(
      Flag.optional,
      Flag.withMetavar("time"),
      Flag.withDescription("Only runs requested since: 90s, 10m, 2h, 1d, or 2026-03-01T09:30:00Z")
    )
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
  if (runs.length === 0) return yield* out(nothingToList(options.all, isFiltered(options.filter)))
  yield* out(psTable(outStyle, shown, yield* Clock.currentTimeMillis, paused))
  if (shown.length < runs.length) yield* err(errStyle.dim(`${shown.length} of ${runs.length}; more with --limit\n`))
})

/** Runs that are not over: the keys of `fleet-live`. */
const liveRuns = Effect.gen(function* () {
  const live = yield* Buckets.use((buckets) => buckets.open(BucketNames.live))
  const runs = yield* openRuns
  const entries = yield* Effect.forEach(yield* live.keys(), (key) => runs.get(key), { concurrency: READS_AT_A_TIME })
  return entries.flatMap((entry) => (Option.isSome(entry) ? recordsIn([entry.value]) : []))
})

const allRuns = Effect.flatMap(openRuns, (runs: Bucket) => Effect.map(runs.entries(), recordsIn))

/** Readable records of real runs: a cancel that came before its request is none. */
const recordsIn = (entries: ReadonlyArray<BucketEntry>): ReadonlyArray<Run> =>
  entries.flatMap(({ value }) => {
    const run = RunCodec.decode(text({ data: value }))
    return Result.isSuccess(run) && !isTombstone(run.success) ? [run.success] : []
  })

const newestFirst = (runs: ReadonlyArray<Run>): ReadonlyArray<Run> =>
  runs.toSorted((a, b) => b.requestedAt.localeCompare(a.requestedAt, "en") || a.runId.localeCompare(b.runId, "en"))
