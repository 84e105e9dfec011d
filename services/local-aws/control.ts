import { Effect } from "effect"
import { type CurrentAccount } from "./Account.ts"
import type { Settings } from "./config.ts"
import { controlReply, type WireReply } from "./decide.ts"

/**
 * What tests and people ask local-aws about itself, under `/_fleet/`; none of it exists in AWS. An entry per method and
 * path. Faults belong here too, as `POST /_fleet/faults` over `EcsModel.faults`.
 */
const operations = {
  "GET health": ({ settings: { quotas, runtime, timeScale } }) =>
    Effect.succeed({ status: "ready", runtime, timeScale, quotas }),

  "GET calls": ({ current }) => Effect.map(current.get, ({ journal }) => journal.counts()),

  "GET tasks": ({ current }) =>
    Effect.flatMap(current.get, ({ journal, refresh }) => Effect.map(refresh, () => ({ tasks: journal.tasks() }))),

  "POST reset": ({ current }) => Effect.as(current.reset, { status: "reset" })
} satisfies Readonly<Record<string, ControlOperation>>

interface ControlContext {
  readonly current: CurrentAccount["Service"]
  readonly settings: Settings
}

type ControlOperation = (context: ControlContext) => Effect.Effect<object>

const known: ReadonlyMap<string, ControlOperation> = new Map(Object.entries(operations))

/** `operation` is the method and what follows `/_fleet/`, e.g. `GET tasks`. */
export const control = (operation: string, context: ControlContext): Effect.Effect<WireReply> => {
  const run = known.get(operation)
  if (run !== undefined) return Effect.map(run(context), (body) => controlReply(200, body))
  const message = `local-aws has no ${operation} under /_fleet/; it has ${[...known.keys()].join(", ")}.`
  return Effect.succeed(controlReply(404, { message }))
}
