import { Effect, type Result } from "effect"
import { Ec2Network } from "#aws/Ec2Network.ts"
import { Ecs } from "#aws/Ecs.ts"
import { Inventory } from "#aws/Inventory.ts"
import type { AwsTarget } from "#aws/Target.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import { SUBNETS_MAX } from "#ecs-core/RunRequest.ts"
import {
  accountFinding,
  clusterFinding,
  type LogsAsked,
  logGroupFinding,
  type NetworkAsked,
  type NetworkSeen,
  networkFinding,
  noRoleFinding,
  placeText,
  roleFinding,
  unknownNeeds
} from "./awsFindings.ts"
import type { Finding } from "./Finding.ts"
import { different, type PoolPlan } from "./plan.ts"
import { type Quotas, vcpuFinding } from "./poolFindings.ts"

/** Questions to AWS at a time. */
const QUESTIONS_AT_ONCE = 8

/** Where no pool tells what runs need: whether AWS answers at all. Nothing else is judged, since it would be a guess. */
export const askAccount = Effect.fnUntraced(function* (target: AwsTarget) {
  const { describeCluster } = yield* Ecs
  return [accountFinding(target, yield* Effect.result(describeCluster(target, ANY_CLUSTER))), ...unknownNeeds]
})

/** Also the answer that there is no such cluster is an answer. */
const ANY_CLUSTER = "default"

/** Asks AWS about everything that these pools need, each thing once. `uncounted` pools may need more. */
export const askAws = Effect.fnUntraced(function* (
  plans: ReadonlyArray<PoolPlan>,
  uncounted: ReadonlyArray<string>,
  quotas: Quotas
) {
  const asked = [
    ...clusters(plans),
    ...plans.flatMap((plan) => noRoleFinding(plan) ?? []).map((finding) => Effect.succeed([finding])),
    ...roles(plans),
    ...networks(plans),
    ...logGroups(plans),
    ...different(plans, ({ target }) => target).map(({ pools, what }) =>
      Effect.succeed([vcpuFinding(placeText(what), { plans: pools, uncounted }, quotas)])
    )
  ]
  return (yield* Effect.all(asked, { concurrency: QUESTIONS_AT_ONCE })).flat()
})

type Question = Effect.Effect<ReadonlyArray<Finding>, never, Ecs | Ec2Network | Inventory>

/** The first answer from an account says whether it can be asked at all. */
const clusters = (plans: ReadonlyArray<PoolPlan>): ReadonlyArray<Question> =>
  different(plans, ({ target }) => target).map(({ pools, what: target }) =>
    Effect.gen(function* () {
      const { describeCluster } = yield* Ecs
      const names = different(pools, ({ cluster }) => cluster).map(({ what }) => what)
      const answers = yield* Effect.forEach(names, (name) =>
        Effect.map(Effect.result(describeCluster(target, name)), (answer) => ({ name, answer }))
      )
      return [
        ...answers.slice(0, 1).map(({ answer }) => accountFinding(target, answer)),
        ...answers.map(({ answer, name }) => clusterFinding(target, name, answer))
      ]
    })
  )

const roles = (plans: ReadonlyArray<PoolPlan>): ReadonlyArray<Question> =>
  different(plans, ({ executionRoleArn: arn, target: { credentials } }) =>
    arn === undefined ? undefined : { arn, credentials }
  ).map(({ pools, what: { arn } }) =>
    Effect.gen(function* () {
      const { role } = yield* Inventory
      const [{ target } = { target: {} }] = pools
      return [roleFinding(arn, yield* Effect.result(role(target, arn)))]
    })
  )

const networks = (plans: ReadonlyArray<PoolPlan>): ReadonlyArray<Question> =>
  different(plans, ({ network, target }): NetworkAsked | undefined =>
    network === undefined ? undefined : { network, target }
  ).map((asked) => Effect.map(networkSeen(asked.what), (answer) => [networkFinding(asked, answer)]))

const networkSeen = ({
  network: { subnets: named, vpcId },
  target
}: NetworkAsked): Effect.Effect<Result.Result<NetworkSeen, AwsFailure>, never, Ec2Network | Inventory> =>
  Effect.gen(function* () {
    const [{ describe }, { subnets }] = [yield* Ec2Network, yield* Inventory]
    const wanted = named ?? (yield* describe(target, vpcId)).subnetIds.toSorted().slice(0, SUBNETS_MAX)
    return { wanted, found: yield* subnets(target, wanted) }
  }).pipe(Effect.result)

const logGroups = (plans: ReadonlyArray<PoolPlan>): ReadonlyArray<Question> =>
  different(plans, ({ logs, target }): LogsAsked | undefined =>
    logs === undefined
      ? undefined
      : { target: inRegion(target, logs.region), group: logs.group, isCreated: logs.isCreated }
  ).map(({ what }) =>
    Effect.gen(function* () {
      const { hasLogGroup } = yield* Inventory
      return [logGroupFinding(what, yield* Effect.result(hasLogGroup(what.target, what.group)))]
    })
  )

const inRegion = (target: AwsTarget, region: string): AwsTarget => ({ ...target, region })
