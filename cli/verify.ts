import { ConfigProvider, Effect, Layer, Result } from "effect"
import { Command, Flag } from "effect/cli"
import { AwsConfig } from "#aws/AwsConfig.ts"
import { Clients } from "#aws/Clients.ts"
import { CredentialSets } from "#aws/credentials/CredentialSets.ts"
import { Ec2Network } from "#aws/Ec2Network.ts"
import { Ecs } from "#aws/Ecs.ts"
import { Inventory } from "#aws/Inventory.ts"
import { runTimeoutSecondsMax } from "#ecs-core/FleetTopology.ts"
import { readAll } from "#process/ConfigReport.ts"
import { topologyConfig } from "#process/FleetSetup.ts"
import { dispatcherConfig } from "#services/dispatcher/config.ts"
import { connected } from "./connected.ts"
import { connectionSettings } from "./connection.ts"
import { ExitCodes } from "./exitCode.ts"
import { Ended, Failure, failure } from "./Failure.ts"
import { jsonFlag } from "./flags.ts"
import { Output } from "./Output.ts"
import { allPools } from "./poolBucket.ts"
import { json } from "./present.ts"
import type { KeptPool } from "./render/pool.ts"
import { verifyTable } from "./render/verify.ts"
import { askAccount, askAws } from "./verify/askAws.ts"
import { askBus } from "./verify/askBus.ts"
import { busFindings, busUnreachable } from "./verify/busFindings.ts"
import { type Finding, ng, skipped } from "./verify/Finding.ts"
import { planOf } from "./verify/plan.ts"
import { awsQuotas, paceFinding, poolFinding, type Quotas } from "./verify/poolFindings.ts"

export const verify = Command.make(
  "verify",
  {
    json: jsonFlag,
    vcpus: Flag.Int("vcpus").pipe(
      Flag.withDefault(awsQuotas.vcpus),
      Flag.withDescription("Fargate vCPUs that AWS allows your account in a region; a new one has this many")
    ),
    runTaskPerSecond: Flag.Int("run-tasks-per-second").pipe(
      Flag.withDefault(awsQuotas.runTaskPerSecond),
      Flag.withDescription("RunTask calls a second that AWS allows; newer regions have 5")
    )
  },
  (options) => verifyFleet(options)
).pipe(
  Command.withDescription(
    "Say whether NATS, the pools and AWS are as a fleet needs them, and what to do about each that is not"
  ),
  Command.withExamples([
    { command: "fleet verify", description: "with NATS_URL and the AWS credentials at hand; changes nothing" },
    { command: "fleet verify --vcpus 200", description: "your account has more than AWS gives a new one" }
  ])
)

interface VerifyOptions extends Quotas {
  readonly json: boolean
}

export const verifyFleet = Effect.fnUntraced(function* (options: VerifyOptions) {
  const { runTaskPerSecond, vcpus } = options
  for (const [flag, value] of Object.entries({ vcpus, "run-tasks-per-second": runTaskPerSecond })) {
    if (value < 1) return yield* failure(`--${flag} ${value} is too low: at least 1.`, ExitCodes.usage)
  }
  const bus = yield* lookAtBus
  const aws = yield* lookAtAws(bus.pools, options)
  const findings = [...bus.findings, ...aws]
  const { out, outStyle } = yield* Output
  yield* options.json
    ? Effect.forEach(findings, (finding) => out(json(finding)), { discard: true })
    : out(verifyTable(outStyle, findings))
  if (findings.some(({ verdict }) => verdict === "NG")) return yield* new Ended({ exitCode: ExitCodes.failed })
})

interface BusSeen {
  readonly findings: ReadonlyArray<Finding>
  /** Undefined = nobody can tell. */
  readonly pools: ReadonlyArray<KeptPool> | undefined
}

const lookAtBus = Effect.gen(function* () {
  const settings = yield* readAll(topologyConfig, ConfigProvider.fromEnv())
  const url = (yield* connectionSettings).options.servers.join(", ")
  const look = Effect.gen(function* () {
    const facts = yield* askBus(url, settings)
    const pools = yield* Effect.result(allPools)
    const seen: BusSeen = { findings: busFindings(facts), pools: Result.getOrUndefined(pools) }
    return seen
  })
  return yield* connected(look).pipe(
    Effect.catchIf(
      (error) => error instanceof Failure,
      ({ message }): Effect.Effect<BusSeen> => Effect.succeed({ findings: busUnreachable(message), pools: undefined })
    )
  )
})

const awsLayer = Layer.mergeAll(Ecs.layer, Ec2Network.layer, Inventory.layer).pipe(
  Layer.provide(Clients.layer),
  Layer.provideMerge(CredentialSets.layer),
  Layer.provideMerge(AwsConfig.layer)
)

const lookAtAws = (pools: ReadonlyArray<KeptPool> | undefined, quotas: Quotas) =>
  withAws(pools, quotas).pipe(
    Effect.provide(awsLayer),
    Effect.catchTag("AwsConfigInvalid", ({ message }) =>
      Effect.succeed([
        ng(
          { check: "aws settings" },
          message.replaceAll(/\s*\n\s*/g, " "),
          "Correct what is named: docs/settings.md, docs/credentials.md"
        ),
        skipped({ check: "aws" }, "needs its settings")
      ])
    )
  )

const withAws = Effect.fnUntraced(function* (kept: ReadonlyArray<KeptPool> | undefined, quotas: Quotas) {
  const [sets, { runTaskPerSecond }] = [yield* CredentialSets, yield* AwsConfig]
  const { region, streamAgeSeconds } = yield* readAll(dispatcherConfig, ConfigProvider.fromEnv())
  const context = {
    region,
    regionOfSet: (name: string | undefined) => sets.find(name)?.region,
    runTimeoutSecondsMax: runTimeoutSecondsMax(streamAgeSeconds)
  }
  const planned = (kept ?? []).map((pool) => ({
    pool,
    plan: pool.problems.length > 0 ? undefined : planOf(pool.name, pool.pool ?? {}, context)
  }))
  const known = planned.filter(({ plan }) => plan !== undefined && sets.find(plan.target.credentials) !== undefined)
  const plans = known.flatMap(({ plan }) => plan ?? [])
  const uncounted = planned.filter((each) => !known.includes(each)).map(({ pool }) => pool.name)
  return [
    ...planned.map(({ plan, pool }) => poolFinding(pool, plan, sets.names())),
    ...(planned.length === 0 ? [withoutPools(kept)] : []),
    paceFinding(plans, runTaskPerSecond, quotas),
    ...(yield* plans.length > 0 ? askAws(plans, uncounted, quotas) : askAccount({ region }))
  ]
})

const withoutPools = (kept: ReadonlyArray<KeptPool> | undefined): Finding =>
  skipped(
    { check: "pools" },
    kept === undefined ? "they cannot be read" : "there are none: requests say everything themselves"
  )
