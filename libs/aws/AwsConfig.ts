import { X509Certificate } from "node:crypto"
import { readFile } from "node:fs/promises"
import { Config, Context, Effect, Layer, Result, Runtime, Schema } from "effect"
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

/** The first of these variables that is set; an empty one says nothing. */
const text = (name: string, ...others: ReadonlyArray<string>): Config.Config<string | undefined> =>
  others
    .reduce((found, other) => Config.orElse(found, () => Config.String(other)), Config.String(name))
    .pipe(
      Config.map((value) => (value === "" ? undefined : value)),
      Config.withDefault(undefined)
    )

/** The settings of `libs/aws`, as environment variables. */
export const awsSettings = {
  /** Region of what names none. Unset: the profile's. */
  region: text("AWS_REGION", "AWS_DEFAULT_REGION"),
  /** The file with the [sets of credentials](docs/credentials.md) that pools name. */
  credentialsFile: text("FLEET_AWS_CREDENTIALS_FILE"),
  /** How often that file is looked at again. */
  credentialsCheckSeconds: number("FLEET_AWS_CREDENTIALS_CHECK_SECONDS", 5, 0.1, 3600),
  /** Credentials that AWS does not accept are tried again after so long, then after twice as long … */
  probeSeconds: number("FLEET_AWS_CREDENTIALS_PROBE_SECONDS", 1, 0.1, 3600),
  /** … at most. */
  probeSecondsMax: number("FLEET_AWS_CREDENTIALS_PROBE_SECONDS_MAX", 30, 0.1, 3600),
  /** A PEM file with authorities that are trusted beside Node's own; those of `NODE_EXTRA_CA_CERTS` are too. */
  caBundle: text("FLEET_AWS_CA_BUNDLE", "AWS_CA_BUNDLE"),
  /** Address of a proxy, such as `http://10.0.0.1:3128`, for calls by https; needs Node 24.5. */
  proxy: text("FLEET_AWS_PROXY", "HTTPS_PROXY", "https_proxy"),
  /** Hosts that are called without it, with commas between. */
  noProxy: text("NO_PROXY", "no_proxy"),
  /** A call without an answer is given up after this long. */
  requestTimeoutSeconds: number("FLEET_AWS_REQUEST_TIMEOUT_SECONDS", 15, 1, 300),
  /** A connection that does not open is given up after this long. */
  connectionTimeoutSeconds: number("FLEET_AWS_CONNECTION_TIMEOUT_SECONDS", 3, 0.1, 60),
  /** Calls of one client at one time. */
  maxSockets: number("FLEET_AWS_MAX_SOCKETS", 50, 1, 1000),
  /**
   * Attempts that the SDK makes by itself, the first included. More than one makes a refusal say nothing of the call
   * before it; pacing and repeating is the services' own.
   */
  maxAttempts: number("FLEET_AWS_MAX_ATTEMPTS", 1, 1, 10),
  /** Clients kept: one per service, region and set of credentials. */
  maxClients: number("FLEET_AWS_MAX_CLIENTS", 100, 1, 1000),
  /** A log stream that did not exist is not asked for again for this long. */
  missingStreamSeconds: number("FLEET_AWS_MISSING_STREAM_SECONDS", missingStreamSeconds, 0.05, 60),
  /** What EC2 said of a VPC is believed this long. */
  networkCacheSeconds: number("FLEET_AWS_NETWORK_CACHE_SECONDS", 300, 0, 86_400),
  /**
   * RunTask calls per second and region of one launcher; AWS's quota for Fargate is 20, and that shared with StopTask
   * follows. With several launchers divide
   * it by their number: they slow down together when AWS throttles, and waste calls until then.
   */
  runTaskPerSecond: number("FLEET_AWS_RUN_TASK_PER_SECOND", 19, 0.1, 10_000),
  /** RunTask calls at once after a quiet time; AWS takes 20, and a throttle costs more than a pause. */
  runTaskBurst: number("FLEET_AWS_RUN_TASK_BURST", 10, 1, 10_000),
  /**
   * FilterLogEvents calls per second of one log-streamer, in every region. Unset: a little below AWS's quota: 22.5 in
   * us-east-1, 4.5 in ap-northeast-3, ap-southeast-3, ca-west-1, eu-central-1 and il-central-1, else 9. With several
   * log-streamers divide it by their number.
   */
  filterLogEventsPerSecond: optional("FLEET_AWS_FILTER_LOG_EVENTS_PER_SECOND", 0.1, 10_000)
}

export interface AwsSettings {
  readonly region: string | undefined
  readonly credentialsFile: string | undefined
  readonly credentialsCheckSeconds: number
  readonly probeSeconds: number
  readonly probeSecondsMax: number
  /** Certificates in PEM, not their path. */
  readonly caBundle: string | undefined
  readonly proxy: string | undefined
  readonly noProxy: string | undefined
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

/** Every variable that is wrong, in one message; the process ends with BSD's `EX_CONFIG`. */
export class AwsConfigInvalid extends Schema.TaggedError<AwsConfigInvalid>()("AwsConfigInvalid", {
  message: Schema.String
}) {
  override readonly [Runtime.errorExitCode] = 78
}

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
  if (problems.length > 0) return yield* wrong(problems)
  const values = yield* Effect.orDie(Config.all(awsSettings))
  const bundle = yield* Effect.result(certificatesIn(values.caBundle))
  const more = [
    ...proxyProblems(values.proxy),
    ...Result.match(bundle, { onSuccess: () => [], onFailure: (why) => [why] })
  ]
  if (more.length > 0) return yield* wrong(more)
  return { ...values, caBundle: Result.getOrUndefined(bundle) }
})

const wrong = (problems: ReadonlyArray<string>) =>
  new AwsConfigInvalid({ message: `The AWS settings are wrong: ${problems.join("; ")}` })

/** A proxy's address may hold a password: it is never shown. An older Node would go past the proxy without a word. */
const proxyProblems = (proxy: string | undefined): ReadonlyArray<string> =>
  proxy === undefined
    ? []
    : [
        ...(/^https?:$/.test(URL.parse(proxy)?.protocol ?? "")
          ? []
          : ["FLEET_AWS_PROXY or HTTPS_PROXY must be an address such as http://10.0.0.1:3128"]),
        ...(knowsProxies(process.versions.node)
          ? []
          : [`FLEET_AWS_PROXY or HTTPS_PROXY needs Node 24.5 or newer, not ${process.versions.node}`])
      ]

export const knowsProxies = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major > 24 || (major === 24 && minor >= 5)
}

const certificatesIn = (path: string | undefined): Effect.Effect<string | undefined, string> =>
  path === undefined
    ? Effect.undefined
    : Effect.tryPromise({
        try: async () => {
          const pem = await readFile(path, "utf8")
          void new X509Certificate(pem)
          return pem
        },
        catch: () => `FLEET_AWS_CA_BUNDLE or AWS_CA_BUNDLE must be a readable file of certificates in PEM, not ${path}`
      })
