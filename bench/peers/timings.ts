import type { LaunchedTask } from "#services/local-aws/Journal.ts"
import type { Timing } from "./Peer.ts"

/** What a peer's process tells: `bench/peers/channel.py`. */
export interface PeerEvent {
  readonly kind: "ready" | "handIn" | "submitted" | "launched" | "noticed" | "failed"
  /** The peer's own name of the run, or empty where only the task is known. */
  readonly run: string
  /** Epoch milliseconds. */
  readonly at: number
  /** ARN. */
  readonly task?: string
}

/** Lines that are not whole yet are left out. */
export const parseEvents = (text: string): ReadonlyArray<PeerEvent> =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as PeerEvent)

const firstOf = (events: ReadonlyArray<PeerEvent>, kind: PeerEvent["kind"], key: (event: PeerEvent) => string) => {
  const first = new Map<string, PeerEvent>()
  for (const event of events) if (event.kind === kind && !first.has(key(event))) first.set(key(event), event)
  return first
}

const optional = <Key extends keyof Timing>(key: Key, at: number | undefined) => (at === undefined ? {} : { [key]: at })

/** Each run that was handed in, in order; what happened to it more than once counts the first time. */
export const timingsOf = (
  events: ReadonlyArray<PeerEvent>,
  tasks: ReadonlyArray<LaunchedTask>
): ReadonlyArray<Timing> => {
  const byArn = new Map(tasks.map((task) => [task.taskArn, task]))
  const ofRun = (kind: PeerEvent["kind"]) => firstOf(events, kind, ({ run }) => run)
  const [submitted, launched, noticed, failed] = [
    ofRun("submitted"),
    ofRun("launched"),
    ofRun("noticed"),
    ofRun("failed")
  ]
  const noticedTasks = firstOf(events, "noticed", ({ task = "" }) => task)
  return [...ofRun("handIn").values()].map(({ at, run }) => {
    const arn = launched.get(run)?.task ?? ""
    const task = byArn.get(arn)
    return {
      handedInAt: at,
      ...optional("submittedAt", submitted.get(run)?.at),
      ...optional("arrivedAt", task?.createdAt),
      ...optional("endedAt", task?.endedAt),
      ...optional("noticedAt", noticed.get(run)?.at ?? noticedTasks.get(arn)?.at),
      isFailed: failed.has(run)
    }
  })
}
