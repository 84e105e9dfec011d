import { Effect, Option } from "effect"
import { type Bulk, storeAll } from "#bench/bulk.ts"
import { Buckets } from "#bus/Bucket.ts"
import { bucketSubject } from "#bus/buckets.ts"
import { type BusMessage, bytes, text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { lastWithTask, type Run, RunCodec } from "#ecs-core/Run.ts"
import { BucketNames, Streams } from "#ecs-core/Subjects.ts"
import { stored } from "#test/support/runs.ts"

/**
 * Finished runs by the thousand: everything that the fleet has left of real ones, under other ids. What is copied are the
 * messages of all streams, in their order, and the record; there is nothing else.
 */
export interface Left {
  readonly run: Run
  readonly taskId: string
  readonly inbox: ReadonlyArray<BusMessage>
  readonly facts: ReadonlyArray<BusMessage>
  readonly lines: ReadonlyArray<BusMessage>
}

/** What is left of each of these runs, all of which have finished and had a task. */
export const leftOf = (runIds: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const records = yield* (yield* Buckets).open(BucketNames.runs)
    const [inbox, facts, lines] = [
      yield* stored(Streams.inbox, ">"),
      yield* stored(Streams.fleet, ">"),
      yield* stored(Streams.logs, ">")
    ]
    return yield* Effect.forEach(runIds, (runId) =>
      Effect.gen(function* () {
        const kept = yield* Effect.fromOption(yield* records.get(runId))
        const run = yield* Effect.fromResult(RunCodec.decode(text({ data: kept.value })))
        const taskId = lastWithTask(run)?.taskArn?.split("/").at(-1) ?? ""
        const ofRun = (messages: ReadonlyArray<BusMessage>) =>
          messages.filter(({ subject }) => subject.split(".").includes(runId))
        return { run, taskId, inbox: ofRun(inbox), facts: ofRun(facts), lines: ofRun(lines) } satisfies Left
      })
    )
  })

/** Runs that are copied before the next stream has its turn: in a real store their messages lie among each other. */
const AT_ONCE = 200

/** Leaves runs `from` to `to` (excluded) behind. Nobody else may request runs meanwhile. */
export const copyRuns = (originals: ReadonlyArray<Left>, from: number, to: number) =>
  Effect.gen(function* () {
    const messages = yield* Messages
    const last = yield* messages.last(Streams.inbox, ">")
    let sequence = Option.match(last, { onNone: () => 0, onSome: ({ seq }) => seq })
    for (let at = from; at < to; at += AT_ONCE) {
      const copies = Array.from({ length: Math.min(AT_ONCE, to - at) }, (_, index) => copyOf(originals, at + index))
      yield* storeAll(copies.flatMap(({ inbox }) => inbox))
      yield* storeAll(copies.flatMap(({ facts }) => facts))
      yield* storeAll(copies.flatMap(({ record }) => record(++sequence)))
      yield* storeAll(copies.flatMap(({ lines }) => lines))
    }
  })

interface Copy {
  readonly inbox: ReadonlyArray<Bulk>
  readonly facts: ReadonlyArray<Bulk>
  readonly lines: ReadonlyArray<Bulk>
  readonly record: (requestSequence: number) => Bulk
}

export const copiedId = (at: number): string => `copy-${at}`

const copyOf = (originals: ReadonlyArray<Left>, at: number): Copy => {
  const original = originals[at % originals.length]
  if (original === undefined) throw new Error("there is nothing to copy")
  const { run, taskId } = original
  const runId = copiedId(at)
  const newTaskId = at.toString(16).padStart(taskId.length, "0")
  const renamed = (value: string) => value.replaceAll(run.runId, runId).replaceAll(taskId, newTaskId)
  const copied = (messages: ReadonlyArray<BusMessage>): ReadonlyArray<Bulk> =>
    messages.map((message) => ({
      subject: renamed(message.subject),
      data: bytes(renamed(text(message))),
      headers: message.headers
    }))
  return {
    inbox: copied(original.inbox),
    facts: copied(original.facts),
    lines: copied(original.lines),
    record: (requestSequence) => ({
      subject: bucketSubject(BucketNames.runs, runId),
      data: bytes(renamed(RunCodec.encode({ ...run, requestSequence }))),
      headers: {}
    })
  }
}
