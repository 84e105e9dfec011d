import { Effect, Result } from "effect"
import { readFault } from "#aws/model/Fault.ts"
import { type InjectedFault, maxFaults } from "#aws/model/FaultBook.ts"
import { actionOf, type CurrentAccount } from "./Account.ts"
import type { Settings } from "./config.ts"
import { controlReply, readWindow, type WireReply } from "./decide.ts"
import { readLongRunning } from "./longRunning.ts"
import { peaksOf } from "./peaks.ts"

/**
 * What tests and people ask local-aws about itself, and let go wrong in it, under `/_fleet/`; none of it exists in AWS.
 * An entry per method and path.
 */
const operations = {
  "GET health": ({ settings: { quotas, runtime, timeScale } }) =>
    ok(Effect.succeed({ status: "ready", runtime, timeScale, quotas })),

  "GET calls": (context) => callCounts(context),

  "GET tasks": ({ current }) =>
    ok(Effect.flatMap(current.get, ({ journal, refresh }) => Effect.map(refresh, () => ({ tasks: journal.tasks() })))),

  "POST tasks": (context) => launch(context),

  "GET peaks": ({ current }) => ok(Effect.map(current.get, ({ journal }) => ({ families: peaksOf(journal.tasks()) }))),

  "POST faults": (context) => injectFault(context),

  "GET faults": ({ current }) => ok(Effect.flatMap(current.get, ({ faults }) => Effect.map(faults.list, listed))),

  "DELETE faults": ({ current }) =>
    ok(Effect.flatMap(current.get, ({ faults }) => Effect.as(faults.clear, { status: "cleared" }))),

  "POST reset": ({ current }) => ok(Effect.as(current.reset, { status: "reset" }))
} satisfies Readonly<Record<string, ControlOperation>>

interface ControlContext {
  readonly current: CurrentAccount["Service"]
  readonly settings: Settings
  readonly query: string
  readonly body: string
}

type ControlOperation = (context: ControlContext) => Effect.Effect<WireReply>

const ok = (answer: Effect.Effect<object>): Effect.Effect<WireReply> =>
  Effect.map(answer, (body) => controlReply(200, body))

/** All calls, or with `?from=` or `?to=` those of that time. */
const callCounts = Effect.fnUntraced(function* ({ current, query }: ControlContext) {
  const { journal } = yield* current.get
  const window = readWindow(query)
  if (Result.isFailure(window)) return controlReply(400, { problems: window.failure })
  return controlReply(200, window.success === undefined ? journal.counts() : journal.callsWithin(window.success))
})

const injectFault = Effect.fnUntraced(function* ({ body, current }: ControlContext) {
  const { faults, operations } = yield* current.get
  const read = Result.flatMap(parse(body), (value) => readFault(value, [...operations.keys()].map(actionOf)))
  if (Result.isFailure(read)) return controlReply(400, { problems: read.failure })
  const isIn = yield* faults.inject(read.success)
  const full = `There are ${maxFaults} faults already: clear them with DELETE /_fleet/faults.`
  return isIn ? controlReply(200, { status: "injected" }) : controlReply(409, { problems: [full] })
})

/** Tasks that run already, for who needs many of them at once. */
const launch = Effect.fnUntraced(function* ({ body, current }: ControlContext) {
  const { launchLongRunning } = yield* current.get
  const read = Result.flatMap(parse(body), readLongRunning)
  if (Result.isFailure(read)) return controlReply(400, { problems: read.failure })
  const { region, runTask, ...wanted } = read.success
  return yield* Effect.match(launchLongRunning(region, runTask, wanted), {
    onSuccess: (taskArns) => controlReply(200, { taskArns }),
    onFailure: ({ __type, message }) => controlReply(400, { problems: [`${__type}: ${message}`] })
  })
})

const parse = (body: string): Result.Result<unknown, ReadonlyArray<string>> => {
  try {
    return Result.succeed(JSON.parse(body))
  } catch {
    return Result.fail(["The body is not JSON."])
  }
}

const listed = (faults: ReadonlyArray<InjectedFault>) => ({
  faults: faults.map(({ id, fault, fired, left }) => ({ id, ...fault, fired, left: left ?? "all" }))
})

const known: ReadonlyMap<string, ControlOperation> = new Map(Object.entries(operations))

/** `operation` is the method and what follows `/_fleet/`, e.g. `GET tasks`. */
export const control = (operation: string, context: ControlContext): Effect.Effect<WireReply> => {
  const run = known.get(operation)
  if (run !== undefined) return run(context)
  const message = `local-aws has no ${operation} under /_fleet/; it has ${[...known.keys()].join(", ")}.`
  return Effect.succeed(controlReply(404, { message }))
}
