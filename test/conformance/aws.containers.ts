import type { ContainerDefinition } from "@aws-sdk/client-ecs"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { Ecs } from "#aws/Ecs.ts"
import {
  containerOf,
  definitionOf,
  failureOf,
  isRunning,
  isStopped,
  launch,
  launchInput,
  readAll,
  streamOf,
  target,
  taskWhen
} from "./aws.steps.ts"
import type { Programs } from "./aws.suite.ts"

/** Steps of the conformance suite about tasks of several containers. */

const registered = (family: string, ...containerDefinitions: Array<ContainerDefinition>) =>
  Ecs.use((ecs) => ecs.registerTaskDefinition(target, { ...definitionOf(family), containerDefinitions }))

const launched = (family: string, ...containers: Array<ContainerDefinition>) =>
  Effect.gen(function* () {
    yield* registered(family, ...containers)
    return yield* launch(yield* launchInput(family))
  })

const exitCodes = (task: {
  readonly containers?: ReadonlyArray<{ readonly exitCode?: number | undefined }> | undefined
}) => task.containers?.map(({ exitCode }) => exitCode)

const linesOf = (stream: string) =>
  Effect.map(readAll(stream), (pages) => pages.flatMap(({ events }) => events.map(({ message }) => message)))

const sidecar = { essential: false } as const
const whenOver = (containerName: string) => ({ dependsOn: [{ containerName, condition: "COMPLETE" as const }] })
const whenDone = (containerName: string) => ({ dependsOn: [{ containerName, condition: "SUCCESS" as const }] })

export const eachItsOwn = (programs: Programs) =>
  Effect.gen(function* () {
    const arn = yield* launched(
      "own",
      containerOf("own", "main", programs.prints(5), whenOver("other")),
      containerOf("own", "side", programs.prints(2), sidecar),
      containerOf("own", "other", programs.exitsWith(4), { ...sidecar, ...whenOver("side") })
    )
    assert.deepStrictEqual(exitCodes(yield* taskWhen(arn, isStopped)), [0, 0, 4])
    assert.isAtLeast((yield* linesOf(streamOf("own", "main", arn))).length, 5)
    assert.isAtLeast((yield* linesOf(streamOf("own", "side", arn))).length, 2)
    assert.deepStrictEqual(yield* linesOf(streamOf("own", "other", arn)), [])
  })

export const essentialEndsAll = (programs: Programs) =>
  Effect.gen(function* () {
    const arn = yield* launched(
      "guarded",
      containerOf("guarded", "main", programs.runsOn),
      containerOf("guarded", "side", programs.runsOn, sidecar),
      containerOf("guarded", "guard", programs.exitsWith(9))
    )
    const task = yield* taskWhen(arn, isStopped)
    assert.deepStrictEqual([task.stopCode, exitCodes(task)], ["EssentialContainerExited", [143, 143, 9]])
    assert.isDefined(task.startedAt)
  })

export const neverRan = (programs: Programs) =>
  Effect.gen(function* () {
    const arn = yield* launched(
      "never-ran",
      containerOf("never-ran", "main", programs.prints(5), whenDone("init")),
      containerOf("never-ran", "init", programs.exitsWith(3), sidecar)
    )
    const task = yield* taskWhen(arn, isStopped)
    assert.deepStrictEqual([task.stopCode, exitCodes(task), task.startedAt], ["TaskFailedToStart", [143, 3], undefined])
    const failure = yield* failureOf(linesOf(streamOf("never-ran", "main", arn)))
    assert.strictEqual(failure.code, "LogStreamNotFound")
  })

export const stoppedInTurn = (programs: Programs) =>
  Effect.gen(function* () {
    const arn = yield* launched(
      "in-turn",
      containerOf("in-turn", "main", programs.runsOn, {
        dependsOn: [{ containerName: "proxy", condition: "HEALTHY" }]
      }),
      containerOf("in-turn", "proxy", programs.runsOn, {
        healthCheck: { command: ["CMD", ...programs.exitsWith(0)], interval: 5 }
      })
    )
    assert.strictEqual((yield* taskWhen(arn, isRunning)).healthStatus, "HEALTHY")
    yield* Ecs.use((ecs) => ecs.stopTask(target, "default", arn, "enough"))
    const task = yield* taskWhen(arn, isStopped)
    assert.deepStrictEqual([task.stopCode, exitCodes(task)], ["UserInitiated", [143, 143]])
  })

export const noSuchOrder = Effect.gen(function* () {
  const failure = yield* failureOf(
    registered("circle", containerOf("circle", "a", [], whenOver("b")), containerOf("circle", "b", [], sidecar), {
      ...containerOf("circle", "c", [], whenOver("a")),
      ...sidecar
    })
  )
  assert.deepStrictEqual([failure.code, failure.retry], ["TaskDefinitionInvalid", "never"])
})
