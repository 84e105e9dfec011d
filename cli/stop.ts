import { Effect, Option, Result } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { connected } from "./connected.ts"
import { ExitCodes } from "./exitCode.ts"
import { type Failure, failure } from "./Failure.ts"
import { filterFlags, option, runArgument } from "./flags.ts"
import { stopAll, stopFilter } from "./stopAll.ts"
import { stopRun } from "./stopRun.ts"
import { stopTask } from "./stopTask.ts"

interface WayFlags {
  readonly run: Option.Option<string>
  readonly infrastructure: Option.Option<string>
  readonly all: boolean
  readonly state: ReadonlyArray<string>
  readonly pool: Option.Option<string>
  readonly label: ReadonlyArray<string>
  readonly since: Option.Option<string>
  readonly yes: boolean
  readonly wait: boolean
  readonly detach: boolean
}

/** A run, a task, or all: one of the three, and only flags that belong to it. */
export const wayOf = (flags: WayFlags): Result.Result<void, Failure> => {
  const usage = (text: string) => Result.fail(failure(text, ExitCodes.usage))
  const given = [Option.isSome(flags.run), Option.isSome(flags.infrastructure), flags.all].filter(Boolean).length
  if (given !== 1) {
    return usage("Name one run, or its task with --infrastructure, or --all of them. What runs: fleet ps")
  }
  if (flags.all)
    return flags.detach ? usage("--all waits for nothing unless --wait is said; leave --detach out.") : Result.void
  const ofAll = [
    ...(flags.state.length > 0 ? ["--state"] : []),
    ...(Option.isSome(flags.pool) ? ["--pool"] : []),
    ...(flags.label.length > 0 ? ["--label"] : []),
    ...(Option.isSome(flags.since) ? ["--since"] : []),
    ...(flags.yes ? ["--yes"] : []),
    ...(flags.wait ? ["--wait"] : [])
  ]
  return ofAll.length > 0 ? usage(`${ofAll.join(", ")}: only together with --all.`) : Result.void
}

export const stop = Command.make(
  "stop",
  {
    run: runArgument.pipe(Argument.optional),
    infrastructure: Flag.String("infrastructure").pipe(
      Flag.optional,
      Flag.withMetavar("cluster::taskArn"),
      Flag.withDescription("Instead of the run: the ECS task that it has")
    ),
    all: option("all", "Instead of the run: all that are not over and fit --state, --pool, --label and --since"),
    ...filterFlags,
    reason: Flag.String("reason").pipe(Flag.optional, Flag.withDescription("Why; shown with the run")),
    detach: option("detach", "Do not wait until the run is over").pipe(Flag.withAlias("d")),
    yes: option("yes", "With --all: do not ask").pipe(Flag.withAlias("y")),
    wait: option("wait", "With --all: wait until all of them are over"),
    json: option("json", "Print run.finished as JSON; with --all, counts")
  },
  Effect.fn(function* (flags) {
    yield* Effect.fromResult(wayOf(flags))
    const { detach, json, reason, wait, yes } = flags
    if (flags.all) {
      const filter = yield* stopFilter(flags)
      const why = Option.getOrElse(reason, () => "fleet stop --all")
      return yield* connected(stopAll({ filter, reason: why, yes, wait, json }))
    }
    const options = { reason, detach, json }
    yield* Option.match(flags.infrastructure, {
      onSome: (infrastructure) => connected(stopTask({ ...options, infrastructure })),
      onNone: () => connected(stopRun({ ...options, run: Option.getOrElse(flags.run, () => "") }))
    })
  })
).pipe(
  Command.withDescription("Cancel runs: a program gets SIGTERM, and SIGKILL when its stop timeout is over"),
  Command.withExamples([
    { command: 'fleet stop r-4j8x0m2kqz --reason "wrong input"', description: "stop one and wait" },
    { command: "fleet stop --infrastructure prod::arn:aws:ecs:…:task/prod/0f1e…", description: "the run of a task" },
    { command: "fleet stop --all --pool batch --wait", description: "stop what a pool has, and wait" }
  ])
)
