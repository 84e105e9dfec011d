import { Clock, Context, Effect, Layer, Ref, ScopedRef } from "effect"
import { EcsModel, type ModelFaults } from "#aws/model/EcsModel.ts"
import type { EcsOperations, Operation } from "#aws/model/Operations.ts"
import type { Runtime } from "#aws/model/Runtime.ts"
import type { Settings } from "./config.ts"
import { iamOperations } from "./iam.ts"
import { type Journal, makeJournal } from "./Journal.ts"
import { chargesOf, type Levels, take } from "./quotas.ts"
import { stsOperations } from "./sts.ts"

/** Everything that happened since the start or the last reset: the model's state, the journal, the quotas. */
export interface Account {
  /** By service and action, e.g. `ecs:RunTask`. Inputs come from the wire; the model checks them as AWS does. */
  readonly operations: ReadonlyMap<string, Operation<never, object>>
  readonly journal: Journal
  /** What the control API can let go wrong. */
  readonly faults: ModelFaults
  /** Tasks that run already, and for which nothing runs; their ARNs. */
  readonly launchLongRunning: EcsModel["Service"]["launchLongRunning"]
  /** True if the region's quotas let this call pass. */
  readonly pay: (region: string, action: string, input: object) => Effect.Effect<boolean>
  /** Brings the journal up to date with tasks that have moved on since anybody asked. */
  readonly refresh: Effect.Effect<void>
}

/** The one account behind the port. `reset` ends every container and begins with a new one. */
export class CurrentAccount extends Context.Service<
  CurrentAccount,
  { readonly get: Effect.Effect<Account>; readonly reset: Effect.Effect<void> }
>()("local-aws/CurrentAccount") {
  static readonly layer = (settings: Settings): Layer.Layer<CurrentAccount, never, Runtime> =>
    Layer.effect(CurrentAccount, make(settings))
}

const modelLayer = (settings: Settings, journal: Journal) =>
  EcsModel.layer({
    timeScale: settings.timeScale,
    accountId: settings.accountId,
    stoppedTaskSeconds: settings.stoppedTaskTtlSeconds,
    missingAfterRunSeconds: settings.missingAfterRunSeconds,
    logDelaySeconds: settings.logDelaySeconds,
    clusters: settings.clusters,
    containerInstances: settings.containerInstances,
    networks: settings.networks,
    faultSeed: settings.faultSeed,
    onLaunch: (region, input, answer) => journal.launched(region, input, answer),
    onEnd: (taskArn, now) => journal.ended(taskArn, now)
  })

const make = Effect.fnUntraced(function* (settings: Settings) {
  const runtime = yield* Effect.context<Runtime>()
  const open = Effect.provideContext(openAccount(settings), runtime)
  const current = yield* ScopedRef.fromAcquire(open)
  return CurrentAccount.of({ get: ScopedRef.get(current), reset: ScopedRef.set(current, open) })
})

const openAccount = Effect.fnUntraced(function* (settings: Settings) {
  const journal = makeJournal(settings.journalTasksMax, settings.journalCallsMax)
  const model = Context.get(yield* Layer.build(Layer.fresh(modelLayer(settings, journal))), EcsModel)
  const ecs = observed(model.unspoilt.ecs, journal)
  const operations = new Map(
    [
      ...named("ecs", ecs),
      ...named("ec2", model.unspoilt.ec2),
      ...named("logs", model.unspoilt.logs),
      ...named("sts", stsOperations(settings.accountId)),
      ...named("iam", iamOperations(settings.accountId))
    ].map(([name, operation]) => [name, model.faults.spoilt(actionOf(name), operation)] as const)
  )
  const levels = yield* Ref.make<Readonly<Record<string, Levels>>>({})
  const pay = settings.quotas === "off" ? () => Effect.succeed(true) : payFrom(levels)
  const { faults, launchLongRunning } = model
  return { operations, journal, faults, launchLongRunning, pay, refresh: refreshFrom(ecs, journal) } satisfies Account
})

const named = (service: string, operations: object): ReadonlyArray<[string, Operation<never, object>]> =>
  Object.entries(operations).map(([action, operation]) => [`${service}:${action}`, operation])

/** The action in `ecs:RunTask`. */
export const actionOf = (name: string): string => name.slice(name.indexOf(":") + 1)

/** The same operations, entered in the journal; launches enter themselves, also those whose answer is lost. */
const observed = (ecs: EcsOperations, journal: Journal): EcsOperations => ({
  ...ecs,
  RunTask: (region, input) =>
    Effect.suspend(() => {
      journal.launching(input)
      return ecs.RunTask(region, input)
    }),
  DescribeTasks: (region, input) =>
    Effect.tap(ecs.DescribeTasks(region, input), ({ tasks }) => Effect.sync(() => journal.seen(tasks ?? [])))
})

const payFrom =
  (levels: Ref.Ref<Readonly<Record<string, Levels>>>) => (region: string, action: string, input: object) =>
    Effect.flatMap(Clock.currentTimeMillis, (nowMillis) =>
      Ref.modify(levels, (all) => {
        const paid = take(all[region] ?? {}, chargesOf(action, input), region, nowMillis)
        return [paid.allowed, { ...all, [region]: paid.levels }]
      })
    )

/** DescribeTasks takes this many tasks. */
const describeTasksMax = 100

const refreshFrom = (ecs: EcsOperations, journal: Journal): Effect.Effect<void> =>
  Effect.suspend(() => {
    const open = journal.tasks().filter(({ lastStatus }) => lastStatus !== "STOPPED")
    const groups = Object.values(Object.groupBy(open, ({ clusterArn }) => clusterArn))
    const calls = groups.flatMap((tasks = []) =>
      Array.from({ length: Math.ceil(tasks.length / describeTasksMax) }, (_, i) =>
        tasks.slice(i * describeTasksMax, (i + 1) * describeTasksMax)
      )
    )
    // A cluster that was deleted since is no reason to tell nothing about the others.
    return Effect.forEach(calls, (tasks) => Effect.ignore(describe(ecs, tasks)), { discard: true })
  })

const describe = (
  ecs: EcsOperations,
  tasks: ReadonlyArray<{ region: string; clusterArn: string; taskArn: string }>
) => {
  const [first] = tasks
  if (first === undefined) return Effect.void
  const arns = tasks.map(({ taskArn }) => taskArn)
  return Effect.asVoid(ecs.DescribeTasks(first.region, { cluster: first.clusterArn, tasks: arns }))
}
