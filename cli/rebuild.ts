import { ConfigProvider, Effect, Option, Result, Stream } from "effect"
import { Command } from "effect/cli"
import { Buckets } from "#bus/Bucket.ts"
import { text } from "#bus/Message.ts"
import { isOver, REBUILD_KEY, RebuildCodec, type RebuildState } from "#ecs-core/RebuildState.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { readAll } from "#process/ConfigReport.ts"
import { setUpFleet, topologyConfig } from "#process/FleetSetup.ts"
import { askForRebuild } from "#process/RebuildRequest.ts"
import { connected } from "./connected.ts"
import { failure } from "./Failure.ts"
import { option } from "./flags.ts"
import { Output } from "./Output.ts"
import { json } from "./present.ts"
import { askedLine, NOBODY_YET, progressLine, rebuiltText } from "./render/rebuild.ts"

/** So long a dispatcher has time to take a rebuild before it is said that none has. */
export const NOBODY_SECONDS = 10

export const rebuild = Command.make(
  "rebuild",
  {
    detach: option("detach", "Ask for it, and do not wait"),
    json: option("json", "Print what was done as one JSON object")
  },
  (options) => connected(rebuildRecords(options))
).pipe(
  Command.withDescription("Make records of runs that are missing again, from the messages that are stored"),
  Command.withExamples([
    { command: "fleet rebuild", description: "after the bucket fleet-runs, or keys of it, were lost" }
  ])
)

export const rebuildRecords = Effect.fnUntraced(function* (options: {
  readonly detach: boolean
  readonly json: boolean
}) {
  const { err, errStyle, out, outStyle } = yield* Output
  const { created } = yield* setUpFleet(yield* readAll(topologyConfig, ConfigProvider.fromEnv()))
  yield* Effect.forEach(created, (name) => err(`created  ${name}\n`), { discard: true })
  const meta = yield* Buckets.use((buckets) => buckets.open(BucketNames.meta))
  yield* askForRebuild(meta, "fleet rebuild")
  if (options.detach) return yield* err("Asked to rebuild records.\n")
  yield* err(askedLine(errStyle))
  const last = yield* Effect.scoped(followed)
  if (last === undefined) return yield* failure("The end of the rebuild was not seen.")
  if (options.json) yield* out(json(last))
  if (last.state === "failed") return yield* failure(`Records were not rebuilt: ${last.error ?? "no reason given"}`)
  if (!options.json) yield* out(rebuiltText(outStyle, last))
})

/** Shows how far it is until it is over. */
const followed = Effect.gen(function* () {
  const { err, errStyle } = yield* Output
  const meta = yield* Buckets.use((buckets) => buckets.open(BucketNames.meta))
  let shown: RebuildState | undefined
  const remind = Effect.suspend(() => (shown === undefined ? err(NOBODY_YET) : Effect.void))
  yield* Effect.forkScoped(Effect.andThen(Effect.sleep(`${NOBODY_SECONDS} seconds`), remind))
  const states = meta.watch(REBUILD_KEY).pipe(
    Stream.map(({ value }) => Result.getOrUndefined(RebuildCodec.decode(text({ data: value })))),
    Stream.filter((state) => state !== undefined),
    Stream.tap((state) => {
      const line = progressLine(errStyle, state, shown)
      if (line !== undefined) shown = state
      return line === undefined ? Effect.void : err(line)
    }),
    Stream.filter(isOver)
  )
  return Option.getOrUndefined(yield* Stream.runHead(states))
})
