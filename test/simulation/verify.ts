import type { Task } from "@aws-sdk/client-ecs"
import { Effect } from "effect"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Buckets } from "#bus/Bucket.ts"
import { NOTICE_CONTAINER } from "#ecs-core/LogLine.ts"
import { isDefinitionGone, type Run } from "#ecs-core/Run.ts"
import { isOutcome } from "#ecs-core/RunState.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { linesOf, type RunStory } from "./Story.ts"
import type { Witness } from "./Witness.ts"

/** What must be true when everything is over. */
export const verify = Effect.fnUntraced(function* (witness: Witness, stories: ReadonlyArray<RunStory>) {
  for (const story of stories) {
    verifyEnd(witness, story)
    verifyLog(witness, story)
  }
  for (const [startedBy, arns] of witness.tasks) {
    const alive = (yield* described(arns)).filter(({ lastStatus }) => lastStatus !== "STOPPED")
    for (const task of alive) witness.violated(`${startedBy} is still ${task.lastStatus} after its run`)
  }
  const live = yield* Effect.orDie((yield* (yield* Buckets).open(BucketNames.live)).keys())
  if (live.length > 0) witness.violated(`${BucketNames.live} still has ${live.join(", ")}`)
}, Effect.orDie)

const described = (arns: ReadonlySet<string>) =>
  Effect.map(EcsModel, ({ unspoilt }) => unspoilt).pipe(
    Effect.flatMap(({ ecs }) => ecs.DescribeTasks("us-east-1", { tasks: [...arns] })),
    Effect.map(({ tasks = [] }): ReadonlyArray<Task> => tasks)
  )

const verifyEnd = (witness: Witness, story: RunStory): void => {
  const { runId } = story
  const record = witness.records.get(runId)
  const ends = witness.finished.get(runId) ?? 0
  if (ends !== 1) return witness.violated(`${runId} has ${ends} run.finished; its record is ${record?.state}`)
  if (record === undefined || !isOutcome(record.state)) {
    return witness.violated(`${runId} is finished, its record is ${record?.state}`)
  }
  const lie = lieOf(witness, story, record)
  if (lie !== undefined)
    witness.violated(`${runId} ended as ${record.state} (${record.exitCode ?? "no exit code"}): ${lie}`)
}

/** Why a run cannot have ended so, given what its program does and what befell it. */
const lieOf = (witness: Witness, { program, cancelledAt, request }: RunStory, run: Run): string | undefined => {
  const isOwn = run.exitCode === program.exitCode
  const tasks = run.attempts.flatMap(({ taskArn }) => taskArn ?? [])
  switch (run.state) {
    case "succeeded":
    case "failed":
      return isOwn ? undefined : `its program ends with ${program.exitCode}`
    case "cancelled":
      return cancelledAt.length > 0 ? undefined : "nobody cancelled it"
    case "rejected":
      return isGone(run) ? undefined : "its request is sound"
    case "timed_out":
      return run.phase === "run" && request["runTimeoutSeconds"] === undefined ? "it has no deadline" : undefined
    default:
      return isUnknown(run) || tasks.some((arn) => witness.broken.has(arn)) ? undefined : "nothing broke it"
  }
}

/** Somebody deregistered its definition again and again. */
const isGone = ({ problems }: Run): boolean => problems.some(isDefinitionGone)

const isUnknown = ({ problems }: Run): boolean => problems.some(({ code }) => code === "OutcomeUnknown")

const verifyLog = (witness: Witness, story: RunStory): void => {
  const log = witness.logs.get(story.runId)
  if (log?.ends !== 1) return witness.violated(`logs.${story.runId} has ${log?.ends ?? 0} ends`)
  if (!story.logs) return
  const own = log.lines.filter(({ container }) => container !== NOTICE_CONTAINER)
  const attempts = Map.groupBy(own, ({ attempt }) => attempt)
  for (const [attempt, lines] of attempts) {
    const expected = linesOf(story).slice(0, lines.length)
    const got = lines.map(({ text }) => text)
    if (got.join("\n") !== expected.join("\n")) {
      witness.violated(`logs.${story.runId}, attempt ${attempt}: ${got.slice(0, 30).join(", ")}`)
    }
  }
  const run = witness.records.get(story.runId)
  const isWhole = run?.state === "succeeded" || run?.state === "failed"
  const lastTask = run?.attempts.findLast(({ taskArn, straggler }) => taskArn !== undefined && straggler !== true)
  const last = attempts.get(lastTask?.attempt ?? 0)?.length ?? 0
  if (isWhole && log.complete && !witness.trimmed && last !== linesOf(story).length) {
    witness.violated(`logs.${story.runId} is called complete with ${last} of ${linesOf(story).length} lines`)
  }
}
