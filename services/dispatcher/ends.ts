import { Effect, Option, Result, Schedule, Stream } from "effect"
import type { BusUnavailable } from "#bus/BusError.ts"
import { type BusMessage, text } from "#bus/Message.ts"
import { isRunId } from "#ecs-core/Ids.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { isGoneStatus } from "#ecs-core/RunState.ts"
import { Filters, parseSubject, Streams } from "#ecs-core/Subjects.ts"
import type { DispatcherSettings } from "./config.ts"
import type { Fleet } from "./Fleet.ts"
import { foldInto, type RecordError } from "./records.ts"
import { giveBackIfFree, lookAt, type Slot, type Slots } from "./slots.ts"

/**
 * How the holder of a slot learns that it is free: it follows the two facts of which the later one frees it, that the run
 * is over and that its task is gone. That a task is gone it folds into the record itself, as another dispatcher may not
 * have come to it yet. Records are looked at besides, slowly, for what was told before the slot was ours.
 */

/** Records that are read at a time. */
const READS_AT_ONCE = 16

/** Positions are read before the first slot is taken, so that no end is missed. */
export const followEnds = (
  fleet: Fleet,
  { slotLookSeconds }: DispatcherSettings,
  slots: Slots
): Effect.Effect<Effect.Effect<never, BusUnavailable>, BusUnavailable> =>
  Effect.gen(function* () {
    const gone = follow(fleet, Filters.taskChanged, yield* newest(fleet, Filters.taskChanged), (message) =>
      taskGone(fleet, slots, message)
    )
    const over = follow(fleet, Filters.runFinished, yield* newest(fleet, Filters.runFinished), (message) =>
      runOver(fleet, slots, message)
    )
    return Effect.raceAllFirst([gone, over, lookSlowly(fleet, slots, slotLookSeconds)])
  })

/** Where to follow a subject from. */
const newest = (fleet: Fleet, subject: string): Effect.Effect<number, BusUnavailable> =>
  Effect.map(fleet.messages.last(Streams.fleet, subject), (last) =>
    Option.match(last, { onNone: () => 1, onSome: ({ seq }) => seq })
  )

const follow = (
  fleet: Fleet,
  subject: string,
  fromSeq: number,
  heed: (message: BusMessage) => Effect.Effect<void, RecordError>
): Effect.Effect<never, BusUnavailable> =>
  Effect.andThen(
    Stream.runForEach(fleet.messages.replay({ stream: Streams.fleet, subject, fromSeq, follow: true }), (message) =>
      heed(message).pipe(leaveToLook)
    ),
    Effect.never
  )

const leaveToLook = (step: Effect.Effect<void, RecordError>): Effect.Effect<void> =>
  step.pipe(Effect.catch((error) => Effect.logWarning("a slot is looked at again later", { why: error.message })))

const slotOf = (slots: Slots, { subject }: BusMessage): Slot | undefined => {
  const parsed = parseSubject(subject)
  const runId = parsed !== undefined && "runId" in parsed ? parsed.runId : undefined
  return isRunId(runId) ? slots.get(runId) : undefined
}

const taskGone = (fleet: Fleet, slots: Slots, message: BusMessage): Effect.Effect<void, RecordError> =>
  Effect.gen(function* () {
    const slot = slotOf(slots, message)
    if (slot === undefined) return
    const fact = Result.getOrUndefined(Codecs.taskChanged.decode(text(message)))
    if (fact === undefined || !isGoneStatus(fact.lastStatus)) return
    const run = yield* foldInto(fleet.runs, slot.runId, { kind: "task.changed", message: fact })
    yield* giveBackIfFree(slots, slot, run)
  })

const runOver = (fleet: Fleet, slots: Slots, message: BusMessage): Effect.Effect<void, RecordError> => {
  const slot = slotOf(slots, message)
  return slot === undefined ? Effect.void : lookAt(fleet, slots, slot)
}

const lookSlowly = (fleet: Fleet, slots: Slots, seconds: number): Effect.Effect<never> =>
  Effect.andThen(
    Effect.repeat(
      Effect.suspend(() =>
        Effect.forEach([...slots.values()], (slot) => lookAt(fleet, slots, slot).pipe(leaveToLook), {
          concurrency: READS_AT_ONCE,
          discard: true
        })
      ),
      Schedule.spaced(`${seconds} seconds`)
    ),
    Effect.never
  )
