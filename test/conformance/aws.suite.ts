import type { RunTaskCommandInput } from "@aws-sdk/client-ecs"
import { assert, layer } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { ContainerLogs } from "#aws/ContainerLogs.ts"
import type { Ec2Network } from "#aws/Ec2Network.ts"
import { Ecs } from "#aws/Ecs.ts"
import { eachItsOwn, essentialEndsAll, neverRan, noSuchOrder, stoppedInTurn } from "./aws.containers.ts"
import {
  badFargateSize,
  deregistersTwice,
  foundCluster,
  missingCluster,
  neverRegistered,
  noLongerLaunched,
  revisionsCountUp,
  unknownDefinition
} from "./aws.definitions.ts"
import { noPublicAddress, noRoom, readBackIsEqual, runsOnAnInstance } from "./aws.instances.ts"
import {
  delayed,
  doubled,
  type FaultControl,
  hidden,
  overtaken,
  shuffledAndEnded,
  smallPages,
  throttled
} from "./aws.logFaults.ts"
import { defaultNetwork, unknownVpc } from "./aws.network.ts"
import {
  cluster,
  describe,
  failureOf,
  group,
  isRunning,
  isStopped,
  launch,
  launchInput,
  register,
  streamOf,
  target,
  taskWhen
} from "./aws.steps.ts"

export type AwsPorts = Ecs | Ec2Network | ContainerLogs | FaultControl

/** Commands for containers, as the runtime behind the ports understands them. */
export interface Programs {
  readonly exitsWith: (exitCode: number) => ReadonlyArray<string>
  /** Prints at least this many lines, then exits with 0. */
  readonly prints: (lines: number) => ReadonlyArray<string>
  /** Runs until it is stopped. */
  readonly runsOn: ReadonlyArray<string>
  /** Where nothing really runs: puts what a program would have printed. */
  readonly write?: (logStream: string, lines: number) => Effect.Effect<void>
}

/** For `Runtime.layerSimulated`. */
export const simulatedPrograms: Programs = {
  exitsWith: (exitCode) => ["simulate", "--exit-code", String(exitCode)],
  prints: (lines) => ["simulate", "--seconds", "0.05", "--lines-per-second", String(lines * 20)],
  runsOn: ["simulate", "--seconds", "86400"]
}

/**
 * What the fleet relies on, for any implementation of the ports: the memory layers, and the SDK over local-aws. The other
 * side must have the cluster `default` with one EC2 instance and a default VPC, and must not take Fargate's twenty seconds to start a task.
 */
export const awsSuite = <E>(
  name: string,
  ports: Layer.Layer<AwsPorts, E>,
  programs: Programs = simulatedPrograms
): void => {
  const suite = layer(ports, { excludeTestServices: true })
  suite(`${name}: task definitions`, (it) => {
    it.effect("revisions count up, and AWS's defaults are read back", () => revisionsCountUp)
    it.effect("what is read back is equal to what was sent, in whatever order", () => readBackIsEqual)
    it.effect("an unknown definition is TaskDefinitionNotFound", () => unknownDefinition)
    it.effect("twice: a revision is deregistered, and can still be described", () => deregistersTwice)
    it.effect("never: deregistering what was never registered is TaskDefinitionNotFound", () => neverRegistered)
    it.effect("late: a deregistered revision launches no more", () => noLongerLaunched)
    it.effect("a pair that Fargate does not have is TaskDefinitionInvalid", () => badFargateSize)
  })
  suite(`${name}: clusters`, (it) => {
    it.effect("a cluster is found by name and by ARN", () => foundCluster)
    it.effect("never: a cluster that was never made is ClusterNotFound", () => missingCluster)
  })
  suite(`${name}: launches`, (it) => {
    it.effect("a task goes through its states and ends with its exit code", () => endsWithExitCode(programs))
    it.effect("twice: the same token gives the same task", () => sameToken(programs))
    it.effect("twice: the same token with other parameters names the task of the first", () => conflict(programs))
    it.effect("an unknown cluster is ClusterNotFound, with the name", () => unknownCluster(programs))
    it.effect("an awsvpc task without a network is NetworkInvalid", () => noNetwork(programs))
    it.effect("overrides above 8192 characters are InvalidParameter", () => longOverrides(programs))
  })
  suite(`${name}: container instances`, (it) => {
    it.effect("a task on bridge runs on one, without a network interface", () =>
      runsOnAnInstance(programs.exitsWith(5))
    )
    it.effect("never: too large for each of them is a failure for each", () => noRoom)
    it.effect("a public address on EC2 is NetworkInvalid", () => noPublicAddress)
  })
  suite(`${name}: tasks`, (it) => {
    it.effect("a task is found by startedBy until it is stopped", () => foundByStartedBy(programs))
    it.effect("twice: stopping a stopped task is no error", () => stopsTwice(programs))
    it.effect("a task that never was: MISSING in DescribeTasks, TaskNotFound in StopTask", () => neverWas)
  })
  suite(`${name}: several containers`, (it) => {
    it.effect("each has its own command, log and exit code, and waits for those that it depends on", () =>
      eachItsOwn(programs)
    )
    it.effect("the end of an essential one ends all", () => essentialEndsAll(programs))
    it.effect("never: one that depends on the success of another that failed does not run", () => neverRan(programs))
    it.effect("one waits for another's health, and stops before it", () => stoppedInTurn(programs))
    it.effect("an order that cannot be is TaskDefinitionInvalid", () => noSuchOrder)
  })
  suite(`${name}: network`, (it) => {
    it.effect("the default VPC has subnets, and is found by its id too", () => defaultNetwork)
    it.effect("an unknown VPC is NetworkNotFound, with the id", () => unknownVpc)
  })
  suite(`${name}: logs`, (it) => {
    it.effect("lines come in order, each with an id of its own, also in pages", () => linesInOrder(programs))
    it.effect("late: streams that do not exist yet do not hide those that do", () => missingStreams(programs))
    it.effect("never: no stream exists is LogStreamNotFound", () => noStreams)
  })
  suite(`${name}: logs that misbehave`, (it) => {
    it.effect("late: lines are readable so long after they were written", () => delayed(programs))
    it.effect("twice: every line again, with another id", () => doubled(programs))
    it.effect("late: the first batch is overtaken, and takes its place", () => overtaken(programs))
    it.effect("twice: small and empty pages, and events on two of them", () => smallPages(programs))
    it.effect("lines of one time in another order; a page that says it is the last", () => shuffledAndEnded(programs))
    it.effect("throttled so many times", () => throttled(programs))
    it.effect("late: a stream that is there is not found", () => hidden(programs))
  })
}

const endsWithExitCode = (programs: Programs) =>
  Effect.gen(function* () {
    yield* register("exit-code", programs.exitsWith(3))
    const arn = yield* launch(yield* launchInput("exit-code"))
    const task = yield* taskWhen(arn, isStopped)
    assert.strictEqual(task.containers?.[0]?.exitCode, 3)
    assert.strictEqual(task.stopCode, "EssentialContainerExited")
    assert.strictEqual(task.desiredStatus, "STOPPED")
    const times = [task.createdAt, task.startedAt, task.executionStoppedAt, task.stoppedAt].map(
      (at) => at?.getTime() ?? 0
    )
    assert.deepStrictEqual(
      times,
      times.toSorted((a, b) => a - b)
    )
    assert.isAbove(times[0] ?? 0, 0)
  })

const sameToken = (programs: Programs) =>
  Effect.gen(function* () {
    yield* register("same-token", programs.exitsWith(0))
    const input = yield* launchInput("same-token", { clientToken: "same-token-1" })
    const first = yield* launch(input)
    assert.strictEqual(yield* launch(input), first)
    yield* taskWhen(first, isStopped)
    assert.strictEqual(yield* launch(input), first)
    assert.notStrictEqual(yield* launch({ ...input, clientToken: "same-token-2" }), first)
  })

const conflict = (programs: Programs) =>
  Effect.gen(function* () {
    yield* register("conflict", programs.exitsWith(0))
    const input = yield* launchInput("conflict", { clientToken: "conflict-1" })
    const arn = yield* launch(input)
    const failure = yield* failureOf(Ecs.use((ecs) => ecs.runTask(target, { ...input, startedBy: "another" })))
    assert.deepStrictEqual([failure.code, failure.retry], ["LaunchConflict", "conflict"])
    assert.deepStrictEqual(failure.resourceIds, [arn])
  })

const unknownCluster = (programs: Programs) =>
  Effect.gen(function* () {
    yield* register("no-cluster", programs.exitsWith(0))
    const input = yield* launchInput("no-cluster", { cluster: "not-there" })
    const failure = yield* failureOf(Ecs.use((ecs) => ecs.runTask(target, input)))
    assert.deepStrictEqual([failure.code, failure.retry], ["ClusterNotFound", "never"])
    assert.match(failure.message, /cluster 'not-there' not found\.$/)
    assert.include(failure.advice, "aws ecs create-cluster --cluster-name not-there")
  })

const noNetwork = (programs: Programs) =>
  Effect.gen(function* () {
    yield* register("no-network", programs.exitsWith(0))
    const input: RunTaskCommandInput = { cluster, taskDefinition: "no-network", launchType: "FARGATE" }
    const failure = yield* failureOf(Ecs.use((ecs) => ecs.runTask(target, input)))
    assert.deepStrictEqual([failure.code, failure.retry], ["NetworkInvalid", "never"])
  })

const longOverrides = (programs: Programs) =>
  Effect.gen(function* () {
    yield* register("long-overrides", programs.exitsWith(0))
    const environment = [{ name: "LONG", value: "x".repeat(8192) }]
    const overrides = { containerOverrides: [{ name: "main", environment }] }
    const input = yield* launchInput("long-overrides", { overrides })
    const failure = yield* failureOf(Ecs.use((ecs) => ecs.runTask(target, input)))
    assert.deepStrictEqual([failure.code, failure.retry], ["InvalidParameter", "never"])
    assert.notInclude(failure.message, "xxxx")
  })

const foundByStartedBy = (programs: Programs) =>
  Effect.gen(function* () {
    yield* register("started-by", programs.runsOn)
    const list = Ecs.use((ecs) => ecs.listTasks(target, cluster, "fleet/run-1/1"))
    assert.deepStrictEqual(yield* list, [])
    const arn = yield* launch(yield* launchInput("started-by", { startedBy: "fleet/run-1/1" }))
    yield* launch(yield* launchInput("started-by", { startedBy: "fleet/run-1/12" }))
    assert.deepStrictEqual(yield* list, [arn])
    const running = Effect.map(
      Ecs.use((ecs) => ecs.listRunning(target, cluster)),
      ({ arns }) => arns.includes(arn)
    )
    assert.isTrue(yield* running)
    yield* Ecs.use((ecs) => ecs.stopTask(target, cluster, arn, "fleet:cancelled"))
    assert.deepStrictEqual(yield* list, [])
    assert.isFalse(yield* running)
  })

const stopsTwice = (programs: Programs) =>
  Effect.gen(function* () {
    yield* register("stops", programs.runsOn)
    const arn = yield* launch(yield* launchInput("stops"))
    yield* taskWhen(arn, isRunning)
    yield* Ecs.use((ecs) => ecs.stopTask(target, cluster, arn, "fleet:cancelled"))
    const task = yield* taskWhen(arn, isStopped)
    assert.deepStrictEqual([task.stopCode, task.stoppedReason], ["UserInitiated", "fleet:cancelled"])
    assert.strictEqual(task.containers?.[0]?.exitCode, 143)
    yield* Ecs.use((ecs) => ecs.stopTask(target, cluster, arn, "again"))
    assert.strictEqual((yield* describe(arn)).stoppedReason, "fleet:cancelled")
  })

const neverWas = Effect.gen(function* () {
  const arn = "arn:aws:ecs:us-east-1:000000000000:task/default/00000000000000000000000000000000"
  const { tasks, failures } = yield* Ecs.use((ecs) => ecs.describeTasks(target, cluster, [arn]))
  assert.deepStrictEqual([tasks, failures[0]?.reason], [[], "MISSING"])
  const failure = yield* failureOf(Ecs.use((ecs) => ecs.stopTask(target, cluster, arn, "why")))
  assert.deepStrictEqual([failure.code, failure.retry], ["TaskNotFound", "never"])
})

const printed = (programs: Programs, family: string) =>
  Effect.gen(function* () {
    yield* register(family, programs.prints(5))
    const arn = yield* launch(yield* launchInput(family))
    yield* taskWhen(arn, isStopped)
    const stream = streamOf(family, "main", arn)
    yield* programs.write?.(stream, 5) ?? Effect.void
    return stream
  })

const linesInOrder = (programs: Programs) =>
  Effect.gen(function* () {
    const stream = yield* printed(programs, "lines")
    const read = (nextToken?: string) =>
      ContainerLogs.use((logs) =>
        logs.read(target, {
          logGroup: group,
          logStreams: [stream],
          limit: 2,
          ...(nextToken === undefined ? {} : { nextToken })
        })
      )
    const pages = [yield* read()]
    while (pages.at(-1)?.nextToken !== undefined) pages.push(yield* read(pages.at(-1)?.nextToken))
    const events = pages.flatMap((page) => page.events)
    const whole = yield* ContainerLogs.use((logs) => logs.read(target, { logGroup: group, logStreams: [stream] }))
    assert.deepStrictEqual(events, whole.events)
    assert.isAtLeast(events.length, 5)
    assert.isTrue(pages.every((page) => page.events.length <= 2))
    assert.strictEqual(new Set(events.map(({ eventId }) => eventId)).size, events.length)
  })

const missingStreams = (programs: Programs) =>
  Effect.gen(function* () {
    const stream = yield* printed(programs, "late")
    const missing = Array.from({ length: 3 }, (_, index) => `late/main/${index}`)
    const logStreams = [...missing.slice(0, 2), stream, ...missing.slice(2)]
    const page = yield* ContainerLogs.use((logs) => logs.read(target, { logGroup: group, logStreams }))
    assert.isAtLeast(page.events.length, 5)
    assert.deepStrictEqual(page.missing.toSorted(), missing)
  })

const noStreams = Effect.gen(function* () {
  for (const logGroup of [group, "/never"]) {
    const input = { logGroup, logStreams: ["never/main/1", "never/main/2"] }
    const failure = yield* failureOf(ContainerLogs.use((logs) => logs.read(target, input)))
    assert.deepStrictEqual([failure.code, failure.retry], ["LogStreamNotFound", "never"])
  }
})
