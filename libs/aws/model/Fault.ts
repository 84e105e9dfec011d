import { Result, Schema, SchemaIssue } from "effect"
import { nearest } from "#ecs-core/Nearest.ts"

/** AWS's reasons why a task stopped (ECS API reference, `Task.stopCode`). */
const stopCodes = [
  "TaskFailedToStart",
  "EssentialContainerExited",
  "UserInitiated",
  "ServiceSchedulerInitiated",
  "SpotInterruption",
  "TerminationNotice",
  "InfrastructureHealth"
] as const

const text = Schema.NonEmptyString

const seconds = (minimum: number) =>
  Schema.Finite.check(Schema.isBetween({ minimum, maximum: 86_400 }, { message: `must be ${minimum} to 86400` }))

const ErrorFault = Schema.Struct({
  /** Name of the exception, e.g. `AccessDeniedException`. */
  name: text,
  message: Schema.String,
  /** HTTP status; else the one that AWS has for the name. */
  status: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 400, maximum: 599 }))),
  /** `ConflictException`: ARNs of tasks. */
  resourceIds: Schema.optionalKey(Schema.Array(text))
})

const FailureFault = Schema.Struct({
  /** E.g. `RESOURCE:CPU`. */
  reason: text,
  detail: Schema.optionalKey(text),
  arn: Schema.optionalKey(text)
})

const StopFault = Schema.Struct({
  stopCode: Schema.Literals(stopCodes),
  stoppedReason: Schema.String,
  /** `reason` of the task's containers, e.g. `OutOfMemoryError: Container killed due to memory usage`. */
  containerReason: Schema.optionalKey(text),
  /** Of the task's containers; else their own. */
  exitCode: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))),
  /** Stopped instead of being started; else as soon as it is RUNNING. */
  beforeRunning: Schema.optionalKey(Schema.Boolean)
})
export type StopFault = typeof StopFault.Type

const atLeastOne = <A extends object>(what: string) =>
  Schema.makeFilter<A>((value) => Object.keys(value).length > 0 || `must say ${what}`)

const BatchFault = Schema.Struct({
  /** What the batch brings can be read only so long after its first line was written. */
  delaySeconds: Schema.optionalKey(seconds(0)),
  /** The delay is by chance between `delaySeconds`, else 0, and this. */
  delaySecondsMax: Schema.optionalKey(seconds(0)),
  /** The batch is ingested twice, a tenth of a second apart: the same lines and times, other event ids. */
  twice: Schema.optionalKey(Schema.Boolean),
  /** The stream's next batch overtakes it: it can be read only so long after that one, or after the container's end. */
  lateSeconds: Schema.optionalKey(seconds(0))
}).check(atLeastOne("delaySeconds, delaySecondsMax, twice or lateSeconds"))
export type BatchFault = typeof BatchFault.Type

const PageFault = Schema.Struct({
  /** Events in the answer at most. 0 = none, and a token to go on all the same. */
  events: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000 }))),
  /** The next page begins with so many last events of this one again, with the same event ids; at most all but one. */
  repeat: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }))),
  /** Events of one time come in another order, each time anew. */
  shuffle: Schema.optionalKey(Schema.Boolean),
  /** The answer is as at the end: no events, and no token (GetLogEvents: the same token), whatever there is. */
  end: Schema.optionalKey(Schema.Boolean)
}).check(atLeastOne("events, repeat, shuffle or end"))
export type PageFault = typeof PageFault.Type

/** Of every action, where a fault names no single one. */
export const everyAction = "*"

/** A task's older states are kept no further back than this. */
export const maxStaleVersions = 8

const chance = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }, { message: "must be 0 to 1" }))

const members = {
  /** A call that is served, e.g. `RunTask`, `DescribeTasks`, `FilterLogEvents`; `*` = every call. */
  action: text,
  /** How many calls it meets; 0 = all until it is cleared. Default 1, or 0 with `probability` or `lifetimeSeconds`. */
  times: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))),
  /** Each call that it could meet is met with this chance, 0 to 1; absent = 1. */
  probability: Schema.optionalKey(chance),
  /** It is over so long after it came, however few calls it met. */
  lifetimeSeconds: Schema.optionalKey(seconds(0.001)),
  /** Only calls that are signed with this access key id. */
  accessKeyId: Schema.optionalKey(text),
  /** Only calls for this cluster, by name or ARN. */
  cluster: Schema.optionalKey(text),
  /**
   * Only calls about tasks whose `startedBy` begins with this, or has it as one of its parts between slashes (a run id);
   * also calls about the log streams of such tasks.
   */
  startedBy: Schema.optionalKey(text),
  /** Only calls about this log group. */
  logGroup: Schema.optionalKey(text),
  /** The call fails with this and does nothing. */
  error: Schema.optionalKey(ErrorFault),
  /** RunTask answers these and launches nothing, or only the first `launched` of its tasks. */
  failures: Schema.optionalKey(Schema.NonEmptyArray(FailureFault)),
  /** With `failures`: so many tasks are launched all the same, a partial success. Default 0. */
  launched: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10 }))),
  /** The connection is reset before the call took effect, or after it: then the answer is lost. */
  reset: Schema.optionalKey(Schema.Literals(["before", "after"])),
  /** The call takes effect at once, and is answered so much later: longer than its caller waits, it hangs. */
  delaySeconds: Schema.optionalKey(seconds(0.001)),
  /** DescribeTasks shows tasks as they were so many changes earlier, as far as they changed since the fault came. */
  staleVersions: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxStaleVersions }))),
  /** The platform stops what RunTask launches. */
  stop: Schema.optionalKey(StopFault),
  /** What RunTask launches stays in this state until it is stopped. */
  hold: Schema.optionalKey(Schema.Literals(["PROVISIONING"])),
  /**
   * What RunTask launches is MISSING in DescribeTasks and absent in ListTasks for so long. With `CreateLogStream`: whoever
   * reads the stream is told for so long that there is none.
   */
  missingSeconds: Schema.optionalKey(seconds(0.001)),
  /** What RunTask launches is forgotten so long after it is RUNNING, and its programs end. */
  vanishAfterSeconds: Schema.optionalKey(seconds(0)),
  /** What happens to a batch of lines on its way into a log stream. */
  batch: Schema.optionalKey(BatchFault),
  /** What is wrong with a page of events. */
  page: Schema.optionalKey(PageFault)
}

/** What goes wrong with calls of an action: exactly one of `effects`. */
export const Fault = Schema.Struct(members)
export type Fault = typeof Fault.Type

/** What can go wrong; those of a launch first need one. */
const launchEffects = ["failures", "stop", "hold", "missingSeconds", "vanishAfterSeconds"] as const
const effects = ["error", "reset", "delaySeconds", "staleVersions", ...launchEffects, "batch", "page"] as const

/** Effects that only some actions can have. */
const actionsOfEffect: Readonly<Record<string, ReadonlyArray<string>>> = {
  ...Object.fromEntries(launchEffects.map((effect) => [effect, ["RunTask"]])),
  staleVersions: ["DescribeTasks"],
  missingSeconds: ["RunTask", "CreateLogStream"],
  batch: ["PutLogEvents"],
  page: ["FilterLogEvents", "GetLogEvents"]
}

/** Happens to what RunTask launches, not to the call itself. */
export const isOfLaunch = (fault: Fault): boolean =>
  fault.action === "RunTask" && launchEffects.some((effect) => fault[effect] !== undefined)

/** Happens to a log stream or to what is written into it, whether a client calls or a task's own log driver. */
export const isOfLogs = (fault: Fault): boolean =>
  fault.batch !== undefined || (fault.action === "CreateLogStream" && fault.missingSeconds !== undefined)

/** Members by path, for "did you mean". */
const knownMembers: Readonly<Record<string, ReadonlyArray<string>>> = {
  "": Object.keys(members),
  error: Object.keys(ErrorFault.fields),
  failures: Object.keys(FailureFault.fields),
  stop: Object.keys(StopFault.fields),
  batch: Object.keys(BatchFault.fields),
  page: Object.keys(PageFault.fields)
}

const decode = Schema.decodeUnknownResult(Fault)

/** Reads a fault; else every problem at once. `actions`: those that are served. */
export const readFault = (
  body: unknown,
  actions: ReadonlyArray<string>
): Result.Result<Fault, ReadonlyArray<string>> => {
  const read = decode(body, { errors: "all", onExcessProperty: "error" })
  const problems = [
    ...(Result.isFailure(read) ? schemaProblems(read.failure.issue, body) : []),
    ...(typeof body === "object" && body !== null ? [...actionProblems(body, actions), ...effectProblems(body)] : [])
  ]
  if (problems.length > 0) return Result.fail(problems)
  return Result.mapError(read, () => problems)
}

const schemaProblems = (issue: SchemaIssue.Issue, body: unknown): ReadonlyArray<string> =>
  SchemaIssue.makeFormatterStandardSchemaV1()(issue).issues.map(({ message, path = [] }) => {
    const keys = path.map(String)
    if (keys.length === 0) return `A fault is a JSON object with an action, not ${JSON.stringify(body) ?? "nothing"}.`
    const field = keys.join(".")
    return message === "Expected no excess property" ? unknownMember(keys) : `${field}: ${message}.`
  })

const unknownMember = (keys: ReadonlyArray<string>): string => {
  const parents = keys.slice(0, -1)
  const known = knownMembers[parents.filter((key) => !/^\d+$/.test(key)).join(".")] ?? []
  const near = nearest(keys.at(-1) ?? "", known)
  const advice = near === undefined ? `Known are ${known.join(", ")}.` : `Did you mean ${[...parents, near].join(".")}?`
  return `${keys.join(".")}: there is no such member. ${advice}`
}

const actionProblems = (body: object, actions: ReadonlyArray<string>): ReadonlyArray<string> => {
  const action: unknown = Reflect.get(body, "action")
  if (typeof action !== "string" || ["", everyAction, ...actions].includes(action)) return []
  const near = nearest(action, actions)
  const advice = near === undefined ? `Served are ${actions.toSorted().join(", ")}.` : `Did you mean ${near}?`
  return [`action: ${action} is not served. ${advice}`]
}

const effectProblems = (body: object): ReadonlyArray<string> => {
  const given = effects.filter((effect) => Object.hasOwn(body, effect))
  const action: unknown = Reflect.get(body, "action")
  return [
    ...(given.length === 1
      ? []
      : [`Give exactly one of ${effects.join(", ")}, not ${given.length === 0 ? "none" : given.join(" and ")}.`]),
    ...given.flatMap((effect) => {
      const actions = actionsOfEffect[effect]
      const isAllowed = actions === undefined || actions.some((each) => each === action)
      return isAllowed ? [] : [`${effect}: only ${actions.join(" and ")} can have it.`]
    }),
    ...(Object.hasOwn(body, "launched") && !Object.hasOwn(body, "failures")
      ? ["launched: it goes with failures, which say what becomes of the other tasks."]
      : []),
    ...logProblems(body)
  ]
}

/** Members of `batch` and `page` that do not go together. */
const logProblems = (body: object): ReadonlyArray<string> => {
  const { delaySeconds, delaySecondsMax } = membersOf(body, "batch")
  const { end, ...others } = membersOf(body, "page")
  return [
    ...(Number(delaySecondsMax) < Number(delaySeconds)
      ? [`batch.delaySecondsMax: ${delaySecondsMax} is less than batch.delaySeconds, ${delaySeconds}.`]
      : []),
    ...(end === true && Object.keys(others).length > 0
      ? [`page.end: it goes alone, not with ${Object.keys(others).join(" and ")}: such a page is empty.`]
      : [])
  ]
}

const membersOf = (body: object, name: string): Readonly<Record<string, unknown>> => {
  const value: unknown = Reflect.get(body, name)
  return typeof value === "object" && value !== null ? { ...value } : {}
}
