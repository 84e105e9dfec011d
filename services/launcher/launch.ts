import type { RunTaskCommandInput, Task } from "@aws-sdk/client-ecs"
import { Clock, Effect, Random, Result } from "effect"
import { classifyFailures } from "#aws/AwsError.ts"
import { mutable } from "#aws/Mutable.ts"
import type { PublishError, WrongLastSequence } from "#bus/BusError.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { instantOf } from "#ecs-core/Instant.ts"
import { Codecs, type TaskdefReady, type TaskLaunching } from "#ecs-core/Messages.ts"
import { clientToken, startedBy } from "#ecs-core/RunTaskInput.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import type { Evidence, Marker } from "./evidence.ts"
import type { Fleet } from "./Fleet.ts"
import { type LaunchNetwork, otherNetwork } from "./network.ts"
import { type Launch, type LaunchedTask, type Settled, settleFailure } from "./settle.ts"

/** A launch that was decided on. */
export interface Plan {
  readonly order: TaskdefReady
  readonly deliveries: number
  readonly evidence: Evidence
  readonly try: number
  readonly replays: Marker | undefined
  readonly network: LaunchNetwork
  /** When the record was read, epoch milliseconds. */
  readonly checkedMillis: number
}

/** A process that was frozen since it read the record looks again: the run may be over, and others at work on it. */
export const RECORD_TRUST_MILLIS = 10_000

interface Called {
  readonly marker: Marker
  readonly answer: Result.Result<LaunchedTask, AwsFailure> | "frozen"
}

/** RunTask with this try's token, and what its answer means. */
export const launch = (fleet: Fleet, plan: Plan): Effect.Effect<Settled, PublishError> =>
  Effect.gen(function* () {
    const first = yield* call(fleet, plan, plan.network, plan.evidence.marker)
    const { marker, answer } = yield* withOtherNetwork(fleet, plan, first)
    if (answer === "frozen") return { _tag: "Later", delayMillis: 0, why: "the record was read too long ago" } as const
    if (Result.isSuccess(answer)) return { _tag: "Started", task: answer.success } as const
    return yield* failed(fleet, plan, answer.failure, marker)
  }).pipe(
    Effect.catchTag("WrongLastSequence", () =>
      Effect.succeed<Settled>({ _tag: "Later", delayMillis: 1000, why: "another launcher has the order" })
    )
  )

/** What a failure means that ended a launch before or after RunTask. */
export const failed = (
  fleet: Fleet,
  { order, ...known }: Pick<Plan, "order" | "deliveries" | "evidence"> & Pick<Launch, "blindSince">,
  failure: AwsFailure,
  called: Marker | undefined
): Effect.Effect<Settled> =>
  Effect.gen(function* () {
    if (failure.retry === "throttle" && failure.action === "RunTask") {
      yield* fleet.pace.throttled("runTask", order.target)
    }
    const jitter = yield* Random.next
    return settleFailure(order, failure, { ...known, called, jitter }, yield* Clock.currentTimeMillis)
  })

/** Once more, where RunTask refused a network that EC2 has something new to say about. */
const withOtherNetwork = (
  fleet: Fleet,
  plan: Plan,
  first: Called
): Effect.Effect<Called, PublishError | WrongLastSequence> =>
  Effect.gen(function* () {
    if (first.answer === "frozen" || Result.isSuccess(first.answer) || first.answer.failure.repeated) return first
    const asked = yield* Effect.result(otherNetwork(fleet.network, plan.order, plan.network, first.answer.failure))
    if (Result.isFailure(asked)) return { ...first, answer: Result.fail(asked.failure) }
    if (asked.success === undefined) return first
    yield* fleet.pace.take("runTask", plan.order.target)
    const again = { ...plan, replays: plan.replays ?? first.marker }
    return yield* call(fleet, again, asked.success, first.marker)
  })

/** Stores that RunTask is about to be called, right behind the last such message that was known, then calls it. */
const call = (
  fleet: Fleet,
  plan: Plan,
  network: LaunchNetwork,
  last: Marker | undefined
): Effect.Effect<Called, PublishError | WrongLastSequence> =>
  Effect.gen(function* () {
    const marker = yield* mark(fleet, plan, last)
    const waitedMillis = (yield* Clock.currentTimeMillis) - plan.checkedMillis
    if (waitedMillis > RECORD_TRUST_MILLIS) return { marker, answer: "frozen" }
    return { marker, answer: yield* Effect.result(runTask(fleet, plan.order, inputOf(fleet, plan, network))) }
  })

const mark = (fleet: Fleet, { order, try: tryNumber, replays }: Plan, last: Marker | undefined) =>
  Effect.gen(function* () {
    const { runId, attempt } = order
    const at = instantOf(yield* Clock.currentTimeMillis)
    const message: TaskLaunching = { runId, attempt, at, try: tryNumber, since: replays?.message.since ?? at }
    const subject = Subjects.taskLaunching(runId, attempt)
    const outgoing = { stream: Streams.fleet, subject, data: Codecs.taskLaunching.encode(message) }
    const marker: Marker = { seq: yield* fleet.publisher.append(outgoing, last?.seq ?? 0), message }
    return marker
  })

const inputOf = (fleet: Fleet, { order, try: tryNumber }: Plan, network: LaunchNetwork): RunTaskCommandInput => ({
  ...mutable(order.runTask),
  ...network.input,
  count: 1,
  clientToken: clientToken(fleet.fleetId, order.runId, order.attempt, tryNumber),
  startedBy: startedBy(fleet.fleetId, order.runId, order.attempt)
})

/** One task counts, also where the answer has failures beside it. */
const runTask = (
  fleet: Fleet,
  order: TaskdefReady,
  input: RunTaskCommandInput
): Effect.Effect<LaunchedTask, AwsFailure> =>
  Effect.flatMap(fleet.ecs.runTask(order.target, input), ({ tasks, failures }) => {
    const task = tasks.map(launchedOf).find((each) => each !== undefined)
    return task === undefined ? Effect.fail(classifyFailures(failures)) : Effect.succeed(task)
  })

export const launchedOf = (task: Task): LaunchedTask | undefined =>
  task.taskArn === undefined || task.clusterArn === undefined
    ? undefined
    : {
        taskArn: task.taskArn,
        clusterArn: task.clusterArn,
        lastStatus: task.lastStatus ?? "PROVISIONING",
        createdAt: task.createdAt === undefined ? undefined : instantOf(task.createdAt.getTime())
      }
