import { Config, Effect, Schema } from "effect"
import type { ModelNetwork, TimeScale } from "#aws/model/EcsModel.ts"
import type { InstanceGroup } from "#aws/model/instances.ts"
import { defaultOptions } from "#aws/model/World.ts"
import { ConfigInvalid, type ConfigProblem, readConfig } from "#process/ConfigReport.ts"
import { InstanceGroupsFromText } from "./InstanceGroups.ts"
import { defaultDockerHost } from "./runtime/EngineAddress.ts"

export interface Settings {
  /** Where to listen. Anything but loopback lets others on the network run programs on this machine. */
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  /** Each container is a child process, or a container of a Docker engine; `simulated` runs nothing. */
  readonly runtime: "process" | "docker" | "simulated"
  /** The engine of the runtime `docker`: `unix:///PATH` or `tcp://HOST:PORT`. */
  readonly dockerHost: string
  /** Docker network of its containers. */
  readonly dockerNetwork: string
  /** Whose containers they are: leftovers of this owner are removed at the start. Undefined = host name and port. */
  readonly dockerOwner: string | undefined
  /** How long a task stays in each state: at once, about 50 ms, or as long as on Fargate. */
  readonly timeScale: TimeScale
  /** `aws`: throttles as AWS does (token buckets by class of action, per region). */
  readonly quotas: "off" | "aws"
  /** Stopped tasks are forgotten after this long; AWS keeps them at least an hour. */
  readonly stoppedTaskTtlSeconds: number
  /** A new task is MISSING for this long, as AWS's eventual consistency may have it. */
  readonly missingAfterRunSeconds: number
  /** Log lines can be read at the latest so long after they were written. */
  readonly logDelaySeconds: number
  /** Clusters that exist from the start, in every region. */
  readonly clusters: ReadonlyArray<string>
  /** Container instances of clusters, for launch types EC2 and EXTERNAL; a cluster that is not named has none. */
  readonly containerInstances: ReadonlyArray<InstanceGroup>
  /** VPCs of every region. */
  readonly networks: ReadonlyArray<ModelNetwork>
  readonly accountId: string
  /** What chance decides about faults follows from this number and the order of the calls. */
  readonly faultSeed: number
  /** Larger requests are refused with 413. AWS's largest is PutLogEvents: 1 MiB of messages, more as JSON. */
  readonly requestBytesMax: number
  /** The control API remembers this many launched tasks and client tokens; the oldest go first. */
  readonly journalTasksMax: number
  /** Of so many calls and refusals it remembers the times too. */
  readonly journalCallsMax: number
}

export const defaults: Settings = {
  host: "127.0.0.1",
  port: 4577,
  runtime: "process",
  dockerHost: defaultDockerHost,
  dockerNetwork: "bridge",
  dockerOwner: undefined,
  timeScale: "dev",
  quotas: "off",
  stoppedTaskTtlSeconds: 3600,
  missingAfterRunSeconds: 0,
  logDelaySeconds: 0,
  clusters: ["default"],
  containerInstances: defaultOptions.containerInstances,
  networks: defaultOptions.networks,
  accountId: "000000000000",
  faultSeed: defaultOptions.faultSeed,
  requestBytesMax: 4 * 1024 * 1024,
  journalTasksMax: 100_000,
  journalCallsMax: 500_000
}

const seconds = (name: string, fallback: number) =>
  Config.schema(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 604_800 })), name).pipe(
    Config.withDefault(fallback)
  )

const variables = {
  host: Config.String("LOCAL_AWS_HOST").pipe(Config.withDefault(defaults.host)),
  port: Config.schema(
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }, { message: "must be a port, 0 to 65535" })),
    "LOCAL_AWS_PORT"
  ).pipe(Config.withDefault(defaults.port)),
  runtime: Config.Literals(["process", "docker", "simulated"], "LOCAL_AWS_RUNTIME").pipe(
    Config.withDefault(defaults.runtime)
  ),
  dockerHost: Config.String("DOCKER_HOST").pipe(Config.withDefault(defaults.dockerHost)),
  dockerNetwork: Config.String("LOCAL_AWS_DOCKER_NETWORK").pipe(Config.withDefault(defaults.dockerNetwork)),
  dockerOwner: Config.String("LOCAL_AWS_DOCKER_OWNER").pipe(
    Config.map((owner): string | undefined => owner),
    Config.withDefault(defaults.dockerOwner)
  ),
  timeScale: Config.Literals(["instant", "dev", "fargate"], "LOCAL_AWS_TIME_SCALE").pipe(
    Config.withDefault(defaults.timeScale)
  ),
  quotas: Config.Literals(["off", "aws"], "LOCAL_AWS_QUOTAS").pipe(Config.withDefault(defaults.quotas)),
  stoppedTaskTtlSeconds: seconds("LOCAL_AWS_STOPPED_TASK_TTL_SECONDS", defaults.stoppedTaskTtlSeconds),
  missingAfterRunSeconds: seconds("LOCAL_AWS_MISSING_AFTER_RUN_SECONDS", defaults.missingAfterRunSeconds),
  logDelaySeconds: seconds("LOCAL_AWS_LOG_DELAY_SECONDS", defaults.logDelaySeconds),
  clusters: Config.Array(Schema.String, "LOCAL_AWS_CLUSTERS").pipe(Config.withDefault(defaults.clusters)),
  containerInstances: Config.schema(InstanceGroupsFromText, "LOCAL_AWS_CONTAINER_INSTANCES").pipe(
    Config.withDefault(defaults.containerInstances)
  ),
  faultSeed: Config.schema(
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 32 - 1 })),
    "LOCAL_AWS_FAULT_SEED"
  ).pipe(Config.withDefault(defaults.faultSeed))
}

/** `--time-scale fargate` is the same as `LOCAL_AWS_TIME_SCALE=fargate`. */
const flagName = (flag: string): string => `LOCAL_AWS_${flag.slice(2).replaceAll("-", "_").toUpperCase()}`

const flagNames = [
  "--host",
  "--port",
  "--runtime",
  "--docker-network",
  "--docker-owner",
  "--time-scale",
  "--quotas",
  "--stopped-task-ttl-seconds",
  "--missing-after-run-seconds",
  "--log-delay-seconds",
  "--clusters",
  "--container-instances",
  "--fault-seed"
]

interface Flags {
  readonly env: Readonly<Record<string, string>>
  readonly problems: ReadonlyArray<ConfigProblem>
}

const noFlags: Flags = { env: {}, problems: [] }

/** Flags as environment variables, and what is wrong with them. */
export const readFlags = (args: ReadonlyArray<string>, read: Flags = noFlags): Flags => {
  const [first, ...rest] = args
  if (first === undefined) return read
  const [flag = "", inline] = first.split("=", 2)
  const withProblem = (problem: string, advice: string): Flags => ({
    ...read,
    problems: [...read.problems, { name: flag, problem, advice }]
  })
  if (!flagNames.includes(flag)) return readFlags(rest, withProblem("is no flag", `There are ${flagNames.join(", ")}`))
  const value = inline ?? rest[0]
  if (value === undefined) return withProblem("has no value", `Write ${flag} VALUE`)
  const next: Flags = { ...read, env: { ...read.env, [flagName(flag)]: value } }
  return readFlags(inline === undefined ? rest.slice(1) : rest, next)
}

/** Settings from the environment, flags first; fails with every problem at once. */
export const readSettings = (
  env: Readonly<Record<string, string | undefined>>,
  args: ReadonlyArray<string>
): Effect.Effect<Settings, ConfigInvalid> => {
  const flags = readFlags(args)
  const [problem, ...problems] = flags.problems
  const read = readConfig(variables, { env: { ...env, ...flags.env } })
  if (problem === undefined) return Effect.map(read, (values) => ({ ...defaults, ...values }))
  const others = Effect.match(read, { onSuccess: () => [], onFailure: (invalid) => invalid.problems })
  return Effect.flatMap(others, (more) => new ConfigInvalid({ problems: [problem, ...problems, ...more] }))
}
