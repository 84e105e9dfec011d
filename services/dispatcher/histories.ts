import { Result } from "effect"
import type { RequestSeen, RunMessage } from "#ecs-core/Evolve.ts"
import type { RunId } from "#ecs-core/Ids.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { parseSubject } from "#ecs-core/Subjects.ts"
import { readFact, readRequest, type Stored } from "./decide.ts"

/** What a stored message tells about a run. */
export type Told =
  | { readonly runId: RunId; readonly seen: RequestSeen }
  | { readonly runId: RunId; readonly event: RunMessage }

/** Reads any stored message of a run; undefined = it changes no record, or cannot be read and is dead. */
export const readTold = (stored: Stored): Told | undefined => {
  const parsed = parseSubject(stored.subject)
  if (parsed?.kind === "run.requested") {
    const { seen } = readRequest(stored)
    return { runId: seen.runId, seen }
  }
  if (parsed?.kind === "taskdef.ready") {
    const order = Result.getOrUndefined(Codecs.taskdefReady.decode(stored.text))
    if (order === undefined) return undefined
    // Environment values are not held: a record needs none of them.
    const { cluster, taskDefinition } = order.runTask
    const runTask = { cluster, taskDefinition, overrides: { containerOverrides: [] } }
    return { runId: order.runId, event: { kind: "taskdef.ready", message: { ...order, runTask } } }
  }
  if (parsed?.kind === "run.finished") {
    const message = Result.getOrUndefined(Codecs.runFinished.decode(stored.text))
    return message === undefined ? undefined : { runId: message.runId, event: { kind: "run.finished", message } }
  }
  if (parsed?.kind === "run.queued") {
    const message = Result.getOrUndefined(Codecs.runQueued.decode(stored.text))
    return message === undefined ? undefined : { runId: message.runId, event: { kind: "run.queued", message } }
  }
  const fact = Result.getOrUndefined(readFact(stored))
  return fact?.event === undefined ? undefined : { runId: fact.runId, event: fact.event }
}

/** What was read so far of one run that has no record. */
export interface Open {
  readonly runId: RunId
  /** The first request's sequence in the inbox. */
  sequence: number | undefined
  readonly messages: Array<RunMessage>
  isOver: boolean
  bytes: number
}

/** Adds a message to what is known of its run; a later request with the same id is not the run's. */
export const add = (open: Open, told: Told, sequence: number, bytes: number): void => {
  open.bytes += bytes
  if ("seen" in told) open.sequence ??= sequence
  else {
    open.messages.push(told.event)
    open.isOver ||= told.event.kind === "run.finished"
  }
}

export const opened = (runId: RunId): Open => ({
  runId,
  sequence: undefined,
  messages: [],
  isOver: false,
  bytes: 0
})

/**
 * A run of which only the request is stored was not read yet, if its request is not acknowledged: it is left to the
 * dispatcher that will get it. An acknowledged one had further messages, which are gone.
 */
export const isUnread = ({ sequence, messages }: Open, acknowledged: number): boolean =>
  sequence !== undefined && sequence > acknowledged && messages.length === 0
