import { randomBytes } from "node:crypto"
import { Effect, Option, Stream } from "effect"
import { deadLetterIn } from "#bus/DeadLetter.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import type { Problem } from "#ecs-core/errors.ts"
import { clusterProblem, parseInfrastructureId } from "#ecs-core/InfrastructureId.ts"
import { Codecs, type TaskStarted } from "#ecs-core/Messages.ts"
import { currentAttempt } from "#ecs-core/Run.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { readRun } from "#process/RunRecords.ts"
import { launchOf } from "#process/TaskLaunch.ts"
import { ExitCodes } from "./exitCode.ts"
import { failure } from "./Failure.ts"
import { openRuns } from "./follow/records.ts"
import { Output } from "./Output.ts"
import { newRunId, RUN_ID_BYTES } from "./runId.ts"
import { type StopOptions, stopRun } from "./stopRun.ts"

/** A dispatcher that is there answers in far less. */
export const ANSWER_SECONDS = 30

export interface StopTaskOptions extends Omit<StopOptions, "run"> {
  /** `<cluster>::<task ARN>`. */
  readonly infrastructure: string
}

/**
 * Stops the run of a task. A task that the fleet launched is found in its facts, and from then on this is `fleet stop` of
 * its run. Of any other it takes ECS to tell which error it is: the dispatcher is asked, who may ask ECS.
 */
export const stopTask = Effect.fnUntraced(function* ({ infrastructure, ...options }: StopTaskOptions) {
  const id = yield* Effect.mapError(Effect.fromResult(parseInfrastructureId(infrastructure)), problemFailure)
  const messages = yield* Messages
  const started = yield* launchOf(messages, id.taskArn)
  const problem = clusterProblem(id, started?.clusterArn)
  if (problem !== undefined) return yield* problemFailure(problem)
  if (started !== undefined) return yield* stopRunOf(started, options)
  return yield* failure(yield* refusalOf(infrastructure))
})

/** As the dispatcher has it: a run that goes on with another task is not stopped for one that has stopped. */
const stopRunOf = Effect.fnUntraced(function* (started: TaskStarted, options: Omit<StopOptions, "run">) {
  const { run } = yield* readRun(yield* openRuns, started.runId)
  const attempt = run === undefined ? 0 : (currentAttempt(run)?.attempt ?? 0)
  if (attempt <= started.attempt) return yield* stopRun({ ...options, run: started.runId })
  yield* (yield* Output).err(
    `The task has stopped. Its run goes on with attempt ${attempt}; stop it with: fleet stop ${started.runId}\n`
  )
})

const problemFailure = ({ advice, code, message }: Problem) =>
  failure(
    `${code}: ${message} ${advice}\n→ fleet explain ${code}`,
    code === "InfrastructureInvalid" ? ExitCodes.usage : ExitCodes.failed
  )

/** The dispatcher's answer: the dead letter under a reference that nobody else uses. */
const refusalOf = Effect.fnUntraced(function* (infrastructure: string) {
  const reference = newRunId("stop", randomBytes(RUN_ID_BYTES))
  const data = Codecs.runCancel.encode({ infrastructure })
  yield* (yield* Publisher).publish({ stream: Streams.fleet, subject: Subjects.taskCancel(reference), data })
  const subject = Subjects.dead("dispatcher", `@${reference}`)
  const letter = (yield* Messages).replay({ stream: Streams.dead, subject, follow: true }).pipe(Stream.runHead)
  const answer = Option.flatten(yield* Effect.timeoutOption(letter, `${ANSWER_SECONDS} seconds`))
  const reason = Option.flatMap(answer, (message) => Option.fromUndefinedOr(deadLetterIn(message)?.reason))
  return Option.match(reason, {
    onNone: () =>
      `No run of this fleet had the task, and no dispatcher said within ${ANSWER_SECONDS} s what ECS knows of it. Does one run?`,
    onSome: (why) => `${why}\n→ fleet explain ${why.split(":")[0]}`
  })
})
