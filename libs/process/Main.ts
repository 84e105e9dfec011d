import { constants } from "node:os"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Config, ConfigProvider, Deferred, Effect, Exit, Layer, Ref, Runtime } from "effect"
import { ConfigInvalid, configExitCode, problemsOf, readAll } from "#process/ConfigReport.ts"
import { Health } from "#process/Health.ts"
import { HealthServer, healthSettings } from "#process/HealthServer.ts"
import { Readings } from "#process/Readings.ts"
import { Stopping } from "#process/Stopping.ts"
import * as Telemetry from "#process/Telemetry.ts"
import { version } from "#process/Version.ts"

export interface MainOptions {
  /** Name of the service in logs and traces. */
  readonly name: string
  /** Longest time between SIGTERM and the end. Default 8: container engines kill after 10. */
  readonly shutdownSeconds?: number
}

/** The exit code when the scope did not close within `shutdownSeconds`. */
const deadlineExitCode = 124

/**
 * Entry point of every process. Runs the app until SIGTERM or SIGINT, then ends its workers side by side (`supervised`),
 * closes its scope and exits with 0. Logs go to standard error. Exit codes: 78 for settings that cannot be used (all problems are printed plainly), 124 when closing took
 * longer than `shutdownSeconds`, 128 + signal when a second signal came, 1 for every other failure, printed once.
 * The app may use `Health`; until it is built, and while it closes, `/ready` says so.
 */
export const runMain = <E>(app: Layer.Layer<never, E, Health>, options: MainOptions): void => {
  let signals = 0
  const onSignal = (signal: "SIGTERM" | "SIGINT") => {
    signals += 1
    if (signals > 1) process.exit(128 + constants.signals[signal])
    endAfter(options)
  }
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal)
  NodeRuntime.runMain(main(app, options), {
    disableErrorReporting: true,
    teardown: (exit, done) => {
      const interrupted = Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
      return interrupted ? done(signals > 0 ? 0 : 1) : Runtime.defaultTeardown(exit, done)
    }
  })
}

const endAfter = ({ name, shutdownSeconds = 8 }: MainOptions): void => {
  const end = () => {
    process.stderr.write(`${name}: did not stop within ${shutdownSeconds} s, ending now\n`)
    process.exit(deadlineExitCode)
  }
  setTimeout(end, shutdownSeconds * 1000).unref()
}

const main = <E>(app: Layer.Layer<never, E, Health>, { name }: MainOptions) =>
  Effect.gen(function* () {
    const settings = yield* readAll(
      { ...Telemetry.telemetrySettings, ...healthSettings },
      yield* ConfigProvider.ConfigProvider
    )
    const told = Layer.merge(Health.layer, Readings.layer)
    const health = Layer.provideMerge(HealthServer.layer(settings), told)
    return yield* serve(app).pipe(
      Effect.provide(health),
      Effect.tapCause(logCrash),
      Effect.provide(Telemetry.layer(name, settings))
    )
  }).pipe(
    Effect.catchCause(inOneForm),
    Effect.tapCause((cause) => Effect.sync(() => printConfigProblems(name, cause)))
  )

/** Builds the app, waits for the end, and says which of these is going on. */
const serve = <E>(app: Layer.Layer<never, E, Health>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const phase = yield* Ref.make("starting")
      yield* (yield* Health).register({ name: "process", check: Ref.get(phase) })
      yield* Effect.addFinalizer(() => Effect.logInfo("stopped"))
      yield* Effect.forkScoped(Effect.flatMap(Readings, ({ takeForEver }) => takeForEver))
      const stopping = yield* Deferred.make<void>()
      yield* Layer.build(app).pipe(Effect.provideService(Stopping, stopping))
      yield* Effect.addFinalizer(() => Deferred.succeed(stopping, undefined))
      yield* Effect.addFinalizer(() => Effect.andThen(Ref.set(phase, "stopping"), Effect.logInfo("stopping")))
      yield* Ref.set(phase, "ok")
      yield* Effect.logInfo("started", { version })
      return yield* Effect.never
    })
  )

/** A crash is logged with its stack; a bad setting is the operator's to mend and is printed plainly, without one. */
const logCrash = <E>(cause: Cause.Cause<E>) =>
  Cause.hasInterruptsOnly(cause) || isAboutConfig(cause) ? Effect.void : Effect.logFatal("crashed", cause)

const isAboutConfig = <E>(cause: Cause.Cause<E>): boolean =>
  errorsIn(cause).some((error) => isBadSetting(error) || error instanceof Config.ConfigError)

/** `ConfigInvalid`, or a library's own error about its settings. */
const isBadSetting = (error: unknown): error is Error =>
  error instanceof Error && Reflect.get(error, Runtime.errorExitCode) === configExitCode

const errorsIn = <E>(cause: Cause.Cause<E>): ReadonlyArray<E> =>
  cause.reasons.filter(Cause.isFailReason).map(({ error }) => error)

/** A `Config` that an app read without `readConfig` fails in its own way; it is reported like the others. */
const inOneForm = Effect.fnUntraced(function* <E>(cause: Cause.Cause<E>) {
  const error = errorsIn(cause).find((error) => error instanceof Config.ConfigError)
  if (error === undefined) return yield* Effect.failCause(cause)
  const [first, ...rest] = yield* problemsOf(error, yield* ConfigProvider.ConfigProvider)
  return yield* first === undefined ? Effect.failCause(cause) : new ConfigInvalid({ problems: [first, ...rest] })
})

const printConfigProblems = <E>(name: string, cause: Cause.Cause<E>): void => {
  const error = errorsIn(cause).find((each): each is E & Error => isBadSetting(each))
  if (error !== undefined) process.stderr.write(`${name} cannot start. ${error.message}\n`)
}
