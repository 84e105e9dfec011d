import { randomBytes } from "node:crypto"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { Publisher } from "#bus/Publisher.ts"
import { isRunId } from "#ecs-core/Ids.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { connected } from "./connected.ts"
import { tellDrain } from "./drain.ts"
import { showDryRun } from "./dryRun.ts"
import { ExitCodes } from "./exitCode.ts"
import { failure } from "./Failure.ts"
import { option } from "./flags.ts"
import { openRuns } from "./follow/records.ts"
import { followRun } from "./followRun.ts"
import { Output } from "./Output.ts"
import { json as jsonLine } from "./present.ts"
import { type RequestBody, readRequestFile, requestBody } from "./request.ts"
import { requestFlags } from "./requestFlags.ts"
import { newRunId, RUN_ID_BYTES } from "./runId.ts"
import { withLocalFleet } from "./withLocalFleet.ts"

const wayFlags = {
  file: Flag.String("file").pipe(
    Flag.withMetavar("request.json|yaml"),
    Flag.withDescription("Fields of run.requested; flags win over them; - reads JSON or YAML from standard input"),
    Flag.optional
  ),
  detach: option("detach", "Print the run id and do not follow").pipe(Flag.withAlias("d")),
  json: option("json", "One JSON object a line on standard output: states, lines, end"),
  dryRun: option("dry-run", "Print what would be sent to AWS, and start nothing"),
  local: option("local", "Start NATS, local-aws and all services for this one run, and stop them afterwards")
}

export const run = Command.make(
  "run",
  { ...requestFlags, ...wayFlags },
  Effect.fn(function* ({ detach, json, dryRun, local, file, ...flags }) {
    const fields = Option.isSome(file) ? yield* readRequestFile(file.value) : {}
    const given = yield* Effect.fromResult(requestBody(flags, fields, process.env))
    const runId = runIdOf(given, randomBytes(RUN_ID_BYTES))
    const order: RunOrder = { runId, body: { ...given, runId }, json, detach, letGo: letGoText(local, runId) }
    if (dryRun) return yield* showDryRun(order.body, runId)
    if (!local) return yield* connected(orderRun(order))
    if (detach) return yield* failure("--local stops everything with its run and cannot --detach.", ExitCodes.usage)
    yield* withLocalFleet(orderRun(order))
  })
).pipe(
  Command.withDescription("Run a program on ECS: shows its states and its output, and ends with its exit code"),
  Command.withExamples([
    { command: "fleet run -- echo hello", description: "with the pool's image" },
    { command: "fleet run --image alpine --cpu 512 --memory 1024 -- sh -c 'exit 3'", description: "ends with 3" },
    { command: "fleet run --task-definition report:7 -- report --today", description: "with a definition of yours" },
    { command: "fleet run --dry-run --file request.yaml", description: "shows both AWS calls" },
    { command: "fleet run --local -- echo hello", description: "needs no set-up at all" }
  ])
)

const runIdOf = (body: RequestBody, random: Uint8Array): string => {
  const { runId, name } = body
  return typeof runId === "string" ? runId : newRunId(typeof name === "string" ? name : undefined, random)
}

const letGoText = (local: boolean, runId: string): string =>
  local ? "Stopping everything." : `Let go of it; follow it again with: fleet logs -f ${runId}`

export interface RunOrder {
  readonly runId: string
  readonly body: RequestBody
  readonly json: boolean
  readonly detach: boolean
  /** What is told when the second Ctrl-C lets go of the run. */
  readonly letGo: string
}

/** A publish into nowhere is only given up after half a minute; a bucket that is missing shows at once. */
const assertSetUp = openRuns

/** Permissions hang on the subject; an id that cannot be a part of one is for the dispatcher to refuse. */
const subjectFor = (runId: string): string => Subjects.runRequested(isRunId(runId) ? runId : undefined)

/** Publishes the request and, unless detached, follows the run to its end. */
export const orderRun = Effect.fnUntraced(function* (order: RunOrder) {
  const { out, err, errStyle } = yield* Output
  const { runId, json, detach } = order
  const data = JSON.stringify({ v: 1, ...order.body })
  yield* assertSetUp
  yield* (yield* Publisher).publish({ stream: Streams.inbox, subject: subjectFor(runId), data })
  if (!json) yield* tellDrain
  if (detach) return yield* out(json ? jsonLine({ runId }) : `${runId}\n`)
  yield* json
    ? out(jsonLine({ type: "requested", runId }))
    : err(`${errStyle.cyan("●")} requested ${errStyle.bold(runId)}\n`)
  yield* followRun(order)
})
