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
import { nothingToList, psJson, psTable } from "./render/ps.ts"

/** Runs shown unless `--limit` says otherwise. */
export const PS_LIMIT = 100

/** Records read at a time. */
const READS_AT_A_TIME = 32

export interface PsOptions {
  readonly all: boolean
  readonly json: boolean
  readonly limit: number
}

export const ps = Command.make(
  "ps",
  {
    all: option("all", "Also runs that are over").pipe(Flag.withAlias("a")),
    json: jsonFlag,
    limit: Flag.Int("limit").pipe(Flag.withDefault(PS_LIMIT), Flag.withDescription("At most so many, the newest first"))
  },
  (options) => connected(listRuns(options))
).pipe(
  Command.withDescription("List runs"),
  Command.withExamples([
    { command: "fleet ps", description: "what is going on" },
    { command: "fleet ps --all --json", description: "everything, for programs" }
  ])
)

export const listRuns = Effect.fnUntraced(function* (options: PsOptions) {
  const { out, err, outStyle, errStyle } = yield* Output
  const runs = newestFirst(options.all ? yield* allRuns : yield* liveRuns)
  const shown = runs.slice(0, Math.max(0, options.limit))
  if (options.json) return yield* Effect.forEach(shown, (run) => out(json(psJson(run))), { discard: true })
  if (runs.length === 0) return yield* out(nothingToList(options.all))
  yield* out(psTable(outStyle, shown, yield* Clock.currentTimeMillis))
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
