import { Clock, Effect, Option, Queue } from "effect"
import { Command, Flag } from "effect/cli"
import { Buckets } from "#bus/Bucket.ts"
import { begun, type Drain, ended, isDraining } from "#ecs-core/Drain.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { changeDrain, readDrain } from "#process/Drain.ts"
import { connected } from "./connected.ts"
import { drainProgress, isDrained } from "./drainProgress.ts"
import { ExitCodes } from "./exitCode.ts"
import { Ended, failure } from "./Failure.ts"
import { jsonFlag, option } from "./flags.ts"
import { Interrupts } from "./Interrupts.ts"
import { Output } from "./Output.ts"
import { json } from "./present.ts"
import { type DrainProgress, drainedLine, drainLine, END_DRAIN, notDrainedText, progressLine } from "./render/drain.ts"

/** Between two looks at what still runs. */
export const LOOK_SECONDS = 2

/** As for a cancel. */
const REASON_MAX = 200

export interface DrainOptions {
  readonly end: boolean
  readonly noWait: boolean
  readonly reason: Option.Option<string>
  readonly timeoutSeconds: Option.Option<number>
  readonly json: boolean
}

export const drain = Command.make(
  "drain",
  {
    end: option("end", "End the drain: what waits is launched"),
    noWait: option("no-wait", "Do not wait until nothing runs"),
    reason: Flag.String("reason").pipe(Flag.optional, Flag.withDescription("Why; shown by fleet ps and fleet run")),
    timeoutSeconds: Flag.Int("timeout-seconds").pipe(
      Flag.optional,
      Flag.withDescription(`Wait at most so long, then end with ${ExitCodes.timedOut}; the drain stays in force`)
    ),
    json: jsonFlag
  },
  (options) => connected(drainFleet(options))
).pipe(
  Command.withDescription("Launch nothing from now on, and wait until no task runs; requests are accepted and wait"),
  Command.withExamples([
    { command: 'fleet drain --reason "new subnets"', description: "begin, and wait until nothing runs" },
    { command: END_DRAIN, description: "launch again, and what has waited first" },
    { command: "fleet drain --no-wait && fleet stop --all --yes && fleet drain", description: "stop everything" }
  ])
)

export const drainFleet = Effect.fnUntraced(function* (options: DrainOptions) {
  const { end, noWait, reason, timeoutSeconds } = options
  if (end && (noWait || Option.isSome(reason) || Option.isSome(timeoutSeconds))) {
    return yield* failure("--end ends the drain: it takes no other flag but --json.", ExitCodes.usage)
  }
  if (Option.isSome(timeoutSeconds) && timeoutSeconds.value < 1) {
    return yield* failure(`--timeout-seconds ${timeoutSeconds.value} is too short: at least 1.`, ExitCodes.usage)
  }
  if (end) return yield* endDrain(options)
  yield* beginDrain(options)
  if (noWait) return
  yield* Effect.raceFirst(untilDrained(options), letGo)
})

const meta = Buckets.use((buckets) => buckets.open(BucketNames.meta))

/** The drain in force; undefined = the fleet does not drain. What cannot be read is for the launchers to complain of. */
const currentDrain = Effect.gen(function* () {
  const drain = yield* readDrain(yield* meta).pipe(Effect.catchTag("DrainUnreadable", () => Effect.undefined))
  return isDraining(drain) ? drain : undefined
})

/** Says that the fleet drains, where it does; what cannot be read stops no command that is about something else. */
export const tellDrain = Effect.gen(function* () {
  const drain = yield* currentDrain.pipe(Effect.catch(() => Effect.undefined))
  if (drain === undefined) return
  const { err, errStyle } = yield* Output
  yield* err(drainLine(errStyle, drain, yield* Clock.currentTimeMillis))
})

const beginDrain = Effect.fnUntraced(function* (options: DrainOptions) {
  const { err, errStyle, out } = yield* Output
  const now = yield* Clock.currentTimeMillis
  const reason = Option.getOrUndefined(options.reason)?.slice(0, REASON_MAX)
  const drain = yield* changeDrain(yield* meta, (known) => begun(known, instantOf(now), reason))
  if (drain === undefined) return
  yield* options.json ? out(drainJson("draining", drain)) : err(drainLine(errStyle, drain, now))
})

const endDrain = Effect.fnUntraced(function* (options: DrainOptions) {
  const { out, outStyle } = yield* Output
  const at = instantOf(yield* Clock.currentTimeMillis)
  const wasDraining = (yield* currentDrain) !== undefined
  const drain = yield* changeDrain(yield* meta, (known) => ended(known, at))
  if (options.json) return yield* out(drain === undefined ? json({ type: "ended" }) : drainJson("ended", drain))
  yield* out(
    wasDraining
      ? `${outStyle.green("✓")} the drain has ended: what waits is launched within 30 s\n`
      : "The fleet does not drain.\n"
  )
})

const drainJson = (type: string, { at, endedAt, reason }: Drain): string => json({ type, at, reason, endedAt })

const untilDrained = Effect.fnUntraced(function* (options: DrainOptions) {
  const { err, errStyle, out, outStyle } = yield* Output
  const beganMillis = yield* Clock.currentTimeMillis
  const limitSeconds = Option.getOrUndefined(options.timeoutSeconds)
  let shown = ""
  while (true) {
    const sinceMillis = (yield* Clock.currentTimeMillis) - beganMillis
    if ((yield* currentDrain) === undefined) return yield* failure("Somebody has ended the drain meanwhile.")
    const progress = yield* drainProgress(sinceMillis)
    if (isDrained(progress, sinceMillis)) {
      return yield* out(options.json ? progressJson("drained", progress) : drainedLine(outStyle, progress))
    }
    const line = options.json ? progressJson("progress", progress) : progressLine(errStyle, progress)
    if (line !== shown) yield* options.json ? out(line) : err(line)
    shown = line
    if (limitSeconds !== undefined && sinceMillis >= limitSeconds * 1000) {
      return yield* failure(notDrainedText(limitSeconds, progress), ExitCodes.timedOut)
    }
    yield* Effect.sleep(`${LOOK_SECONDS} seconds`)
  }
})

const progressJson = (type: string, progress: DrainProgress): string => json({ type, ...progress })

/** Ctrl-C lets go of the waiting alone. */
const letGo = Effect.scoped(
  Effect.gen(function* () {
    const interrupts = yield* Interrupts
    yield* Queue.take(yield* interrupts.claim)
    yield* interrupts.ending
    yield* (yield* Output).err(`\nThe drain stays in force. End it with: ${END_DRAIN}\n`)
    return yield* new Ended({ exitCode: ExitCodes.interrupted })
  })
)
