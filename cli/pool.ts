import { Clock, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { isPoolName } from "#ecs-core/Ids.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { isFinal } from "#ecs-core/Run.ts"
import { connected } from "./connected.ts"
import { ExitCodes } from "./exitCode.ts"
import { failure } from "./Failure.ts"
import { jsonFlag, option } from "./flags.ts"
import { liveRuns } from "./liveRuns.ts"
import { Output } from "./Output.ts"
import { allPools, assertPool, deletePool, pausePool, poolNamed, resumePool, writePool } from "./poolBucket.ts"
import { badName, importCommand } from "./poolImport.ts"
import { readOnePool, validNames } from "./poolInput.ts"
import { json } from "./present.ts"
import { maskedPool, NO_POOLS, pauseText, poolJson, poolTable, poolYaml } from "./render/pool.ts"
import { count, printable } from "./render/text.ts"

const name = Argument.String("pool").pipe(Argument.withDescription("Name of the pool"))

const list = Command.make("ls", { json: jsonFlag }, (options) => connected(listPools(options))).pipe(
  Command.withDescription("List pools: whether they are paused, their limits, where they come from")
)

const get = Command.make(
  "get",
  { name, raw: option("raw", "As it is kept: environment values and defaults of variables too"), json: jsonFlag },
  (options) => connected(showPool(options))
).pipe(Command.withDescription("Print a pool as YAML; what may be secret is masked"))

const set = Command.make(
  "set",
  {
    name,
    file: Flag.String("file").pipe(
      Flag.withAlias("f"),
      Flag.withMetavar("pool.yaml|json"),
      Flag.withDefault("-"),
      Flag.withDescription("The pool's fields, or several pools by name; - is standard input, which is the default")
    )
  },
  (options) => connected(setPool(options))
).pipe(
  Command.withDescription("Create or replace a pool, once it has been found valid"),
  Command.withExamples([
    { command: "fleet pool set nightly -f nightly.yaml", description: "from a file" },
    { command: "fleet pool get nightly --raw | sed s/:1/:2/ | fleet pool set nightly", description: "change one" }
  ])
)

const remove = Command.make("rm", { name }, (options) => connected(removePool(options))).pipe(
  Command.withDescription("Delete a pool; runs that need it again are rejected")
)

const validate = Command.make(
  "validate",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("A pool, a file of pools, a folder of them, or s3://bucket/key; - is standard input")
    )
  },
  ({ file }) => validatePools(file)
).pipe(Command.withDescription("Say everything that is wrong with pools, and change nothing; needs no fleet"))

const pause = Command.make(
  "pause",
  {
    name,
    reason: Flag.String("reason").pipe(Flag.optional, Flag.withDescription("Why, for whoever wonders"))
  },
  (options) => connected(pauseOne(options))
).pipe(Command.withDescription("Launch nothing of a pool until it is resumed; what runs runs on"))

const resume = Command.make("resume", { name }, (options) => connected(resumeOne(options))).pipe(
  Command.withDescription("Launch again what waits in a paused pool")
)

export const pool = Command.make("pool").pipe(
  Command.withDescription("Pools: named defaults and limits of runs"),
  Command.withSubcommands([list, get, set, remove, validate, pause, resume, importCommand])
)

export const listPools = Effect.fnUntraced(function* (options: { readonly json: boolean }) {
  const { out } = yield* Output
  const pools = yield* allPools
  if (options.json) return yield* Effect.forEach(pools, (kept) => out(json(poolJson(kept, false))), { discard: true })
  yield* out(pools.length === 0 ? NO_POOLS : poolTable(pools, yield* Clock.currentTimeMillis))
})

export const showPool = Effect.fnUntraced(function* (options: {
  readonly name: string
  readonly raw: boolean
  readonly json: boolean
}) {
  const { out, err, errStyle } = yield* Output
  const kept = yield* poolNamed(options.name)
  if (options.json) return yield* out(json(poolJson(kept, options.raw)))
  const { isFromFile, pause, pool, problems } = kept
  if (pool !== undefined) yield* out(poolYaml(options.raw ? pool : maskedPool(pool)))
  const notes = [
    ...(isFromFile ? ["comes from the dispatchers' file (FLEET_POOLS)"] : []),
    ...(pause === undefined ? [] : [pauseText(pause, yield* Clock.currentTimeMillis)]),
    ...problems.map((problem) => `not valid: ${printable(problem)}`)
  ]
  for (const note of notes) yield* err(`${errStyle.dim(`· ${note}`)}\n`)
})

export const setPool = Effect.fnUntraced(function* (options: { readonly name: string; readonly file: string }) {
  const { out } = yield* Output
  if (!isPoolName(options.name)) {
    return yield* failure(badName(options.name), ExitCodes.usage)
  }
  const fields = yield* readOnePool(options.name, options.file)
  yield* out(`pool ${options.name} ${yield* writePool(options.name, fields)}\n`)
})

export const removePool = Effect.fnUntraced(function* (options: { readonly name: string }) {
  const { out, err, errStyle } = yield* Output
  const kept = (yield* allPools).find((each) => each.name === options.name)
  yield* deletePool(options.name)
  yield* out(`pool ${options.name} deleted\n`)
  const using = (yield* liveRuns).filter((run) => run.pool === options.name && !isFinal(run)).length
  if (using > 0) {
    const text = `${count(using, "run")} of it not over: what is not launched yet, or is to be tried again, needs it. List them: fleet ps --pool ${options.name}`
    yield* err(`${errStyle.yellow(`! ${text}`)}\n`)
  }
  if (kept?.pause !== undefined) {
    yield* err(`${errStyle.yellow(`! its pause stays: fleet pool resume ${options.name}`)}\n`)
  }
})

export const validatePools = Effect.fnUntraced(function* (from: string) {
  const { out, outStyle } = yield* Output
  const names = yield* validNames(from)
  const what = names.length === 0 ? "is valid" : `${count(names.length, "pool")}, valid: ${names.join(", ")}`
  yield* out(`${outStyle.green("✓")} ${from} ${what}\n`)
})

export const pauseOne = Effect.fnUntraced(function* (options: {
  readonly name: string
  readonly reason: Option.Option<string>
}) {
  const { out } = yield* Output
  yield* assertPool(options.name)
  const now = yield* Clock.currentTimeMillis
  const reason = Option.getOrUndefined(options.reason)
  if ((reason?.length ?? 0) > REASON_CHARACTERS_MAX) {
    return yield* failure(`--reason has more than ${REASON_CHARACTERS_MAX} characters.`, ExitCodes.usage)
  }
  const { isNew, pause } = yield* pausePool(options.name, {
    at: instantOf(now),
    ...(reason === undefined ? {} : { reason })
  })
  const resume = `Launch again with: fleet pool resume ${options.name}`
  yield* out(`pool ${options.name} ${isNew ? "is paused" : `is already ${pauseText(pause, now)}`}. ${resume}\n`)
})

/** `PoolPause`'s limit. */
const REASON_CHARACTERS_MAX = 200

export const resumeOne = Effect.fnUntraced(function* (options: { readonly name: string }) {
  const { out } = yield* Output
  const pause = yield* resumePool(options.name)
  if (pause === undefined) yield* assertPool(options.name)
  const was =
    pause === undefined ? "is not paused" : `resumed; it was ${pauseText(pause, yield* Clock.currentTimeMillis)}`
  yield* out(`pool ${options.name} ${was}\n`)
})
