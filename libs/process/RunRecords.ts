import { Effect, Option, Result, Schema } from "effect"
import type { Bucket } from "#bus/Bucket.ts"
import type { BusUnavailable } from "#bus/BusError.ts"
import { text } from "#bus/Message.ts"
import { type Run, RunCodec } from "#ecs-core/Run.ts"

/** The record under a run's key does not match its schema; only an operator can help. */
export class RecordUnreadable extends Schema.TaggedError<RecordUnreadable>()("RecordUnreadable", {
  runId: Schema.String,
  message: Schema.String
}) {}

export interface KeptRun {
  readonly run: Run | undefined
  /** Revision to update by; 0 = there is no record. */
  readonly revision: number
}

/** The record as it is now, by a leader read, with its revision. */
export const readRun = (runs: Bucket, runId: string): Effect.Effect<KeptRun, BusUnavailable | RecordUnreadable> =>
  Effect.gen(function* () {
    const entry = yield* runs.get(runId)
    if (Option.isNone(entry)) return { run: undefined, revision: 0 }
    const decoded = RunCodec.decode(text({ data: entry.value.value }))
    if (Result.isFailure(decoded)) return yield* new RecordUnreadable({ runId, message: decoded.failure.message })
    return { run: decoded.success, revision: entry.value.revision }
  })
