import { Config, Context, Effect, Layer, Schema } from "effect"
import { missingStreamSeconds } from "./StreamMemory.ts"

const between = (minimum: number, maximum: number) =>
  Schema.NumberFromString.check(
    Schema.isBetween({ minimum, maximum }, { message: `must be a number from ${minimum} to ${maximum}` })
  )

const number = (name: string, byDefault: number, minimum: number, maximum: number): Config.Config<number> =>
  Config.schema(between(minimum, maximum), name).pipe(Config.withDefault(byDefault))

const optional = (name: string, minimum: number, maximum: number): Config.Config<number | undefined> =>
  Config.schema(between(minimum, maximum), name).pipe(
    Config.map((value): number | undefined => value),
    Config.withDefault(undefined)
  )

/** The settings of `libs/aws`, as environment variables. Credentials are found by the SDK's own chain. */
export const awsSettings = {
  /** Region of calls that name none. Absent: the SDK's own (the profile's). */
  region: Config.String("AWS_REGION").pipe(
    Config.orElse(() => Config.String("AWS_DEFAULT_REGION")),
    Config.map((region): string | undefined => region),
    Config.withDefault(undefined)
  ),
  /** A call without an answer is given up after this long. */
  requestTimeoutSeconds: number("FLEET_AWS_REQUEST_TIMEOUT_SECONDS", 15, 1, 300),
  /** A connection that does not open is given up after this long. */
  connectionTimeoutSeconds: number("FLEET_AWS_CONNECTION_TIMEOUT_SECONDS", 3, 0.1, 60),
  /** Connections of one client, and so its calls at one time. */
  maxSockets: number("FLEET_AWS_MAX_SOCKETS", 50, 1, 1000),
  /** Attempts that the SDK makes by itself, the first included. More than one makes a refusal say nothing of the call before it; pacing and repeating is the caller's. */
  maxAttempts: number("FLEET_AWS_MAX_ATTEMPTS", 1, 1, 10),
  /** Clients kept: one per service, region and set of credentials. */
  maxClients: number("FLEET_AWS_MAX_CLIENTS", 100, 1, 1000),
  /** A log stream that did not exist is not asked for again for this long. */
  missingStreamSeconds: number("FLEET_AWS_MISSING_STREAM_SECONDS", missingStreamSeconds, 0.05, 60),
  /** What EC2 said of a VPC is believed this long. */
  networkCacheSeconds: number("FLEET_AWS_NETWORK_CACHE_SECONDS", 300, 0, 86_400),
  /** RunTask calls per second and region. AWS's quota for Fargate is 20; raised, the quota shared with StopTask follows. */
  runTaskPerSecond: number("FLEET_AWS_RUN_TASK_PER_SECOND", 19, 0.1, 10_000),
  /** RunTask calls at once after a quiet time. AWS's quota for Fargate is 20; a throttle costs more than a pause. */
  runTaskBurst: number("FLEET_AWS_RUN_TASK_BURST", 10, 1, 10_000),
  /** FilterLogEvents calls per second in every region. Absent: a little below AWS's quota of the region. */
  filterLogEventsPerSecond: optional("FLEET_AWS_FILTER_LOG_EVENTS_PER_SECOND", 0.1, 10_000)
}

export interface AwsSettings {
  readonly region: string | undefined
  readonly requestTimeoutSeconds: number
  readonly connectionTimeoutSeconds: number
  readonly maxSockets: number
  readonly maxAttempts: number
  readonly maxClients: number
  readonly missingStreamSeconds: number
  readonly networkCacheSeconds: number
  readonly runTaskPerSecond: number
  readonly runTaskBurst: number
  readonly filterLogEventsPerSecond: number | undefined
}

/** Every variable that is wrong, in one message. */
export class AwsConfigInvalid extends Schema.TaggedError<AwsConfigInvalid>()("AwsConfigInvalid", {
  message: Schema.String
}) {}

export class AwsConfig extends Context.Service<AwsConfig, AwsSettings>()("aws/AwsConfig") {
  /** From the environment (the `ConfigProvider`). */
  static readonly layer = Layer.effect(
    AwsConfig,
    Effect.suspend(() => readSettings)
  )
}

const readSettings: Effect.Effect<AwsSettings, AwsConfigInvalid> = Effect.gen(function* () {
  const settings: ReadonlyArray<Config.Config<string | number | undefined>> = Object.values(awsSettings)
  const [, problems] = yield* Effect.partition(settings, (setting) =>
    Effect.mapError(setting, ({ message }) => message)
  )
  if (problems.length > 0) {
    return yield* new AwsConfigInvalid({ message: `The AWS settings are wrong: ${problems.join("; ")}` })
  }
  return yield* Effect.orDie(Config.all(awsSettings))
})
