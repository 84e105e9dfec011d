import type { Json } from "#ecs-core/Json.ts"
import { nearest } from "#ecs-core/Nearest.ts"
import { type Finding, type Looked, ng, ok, skipped } from "./Finding.ts"
import type { PoolPlan } from "./plan.ts"

/** A pool as it is kept. */
export interface Kept {
  readonly name: string
  readonly pool: Json | undefined
  /** Why requests cannot use it; empty = they can. */
  readonly problems: ReadonlyArray<string>
  readonly isFromFile: boolean
  readonly pause: object | undefined
}

/** Whether requests can use a pool, and whether its set of credentials is known here. */
export const poolFinding = (kept: Kept, plan: PoolPlan | undefined, sets: ReadonlyArray<string>): Finding => {
  const { isFromFile, name, pause, problems } = kept
  const looked: Looked = { check: "pool", subject: name }
  if (problems.length > 0) return ng(looked, problems.join(" "), repair(name, isFromFile))
  const set = kept.pool?.["credentials"]
  if (typeof set === "string" && !sets.includes(set)) return unknownSet(looked, set, sets)
  if (plan === undefined) return skipped(looked, "valid; its variables need values that only requests give")
  return ok(looked, `valid${pause === undefined ? "" : `; paused: fleet pool resume ${name}`}`)
}

const repair = (name: string, isFromFile: boolean): string =>
  isFromFile
    ? "Correct it in the file that FLEET_POOLS names"
    : `Correct it: fleet pool get ${name} --raw > pool.yaml, then fleet pool set ${name} -f pool.yaml`

const unknownSet = (looked: Looked, set: string, sets: ReadonlyArray<string>): Finding => {
  const meant = nearest(set, sets)
  const hint = meant === undefined ? `known here are ${sets.join(", ")}` : `did you mean ${meant}?`
  return ng(
    looked,
    `no set of credentials is named ${set} here: ${hint}`,
    `Add it to the file that FLEET_AWS_CREDENTIALS_FILE names, here and for every service, or correct the pool's "credentials"`
  )
}

/** What AWS gives an account unless it asks for more, per region. */
export interface Quotas {
  /** Fargate vCPUs, on demand and Spot counted apart; AWS gives a new account 6 of each. */
  readonly vcpus: number
  /** RunTask calls a second for Fargate. */
  readonly runTaskPerSecond: number
}

export const awsQuotas: Quotas = { vcpus: 6, runTaskPerSecond: 20 }

const QUOTA_CODES = { onDemand: "L-3032A538", spot: "L-36FBB829" } as const

/** The pools of one account and region, and those of which nobody can tell what they take, or where. */
export interface Counted {
  readonly plans: ReadonlyArray<PoolPlan>
  readonly uncounted: ReadonlyArray<string>
}

/** Limits of pools against AWS's. What is not counted may be over: then nobody can tell. */
export const vcpuFinding = (subject: string, { plans, uncounted }: Counted, { vcpus: quota }: Quotas): Finding => {
  const looked: Looked = { check: "vcpus", subject }
  const used = (isSpot: boolean) =>
    plans
      .filter(({ fargate, maxRunning }) => fargate?.isSpot === isSpot && maxRunning !== undefined)
      .map(({ fargate, maxRunning = 0, pool }) => ({ pool, vcpus: (fargate?.vcpus ?? 0) * maxRunning }))
  const kinds = [
    { code: QUOTA_CODES.onDemand, pools: used(false) },
    { code: QUOTA_CODES.spot, pools: used(true) }
  ].map((kind) => ({ ...kind, total: kind.pools.reduce((sum, { vcpus }) => sum + vcpus, 0) }))
  const over = kinds.find(({ total }) => total > quota)
  if (over !== undefined) {
    const named = over.pools.map(({ pool, vcpus }) => `${pool} ${vcpus}`).join(", ")
    return ng(
      looked,
      `maxRunning of pools takes ${over.total} Fargate vCPUs (${named}), and the quota is ${quota}`,
      `Ask AWS for more: aws service-quotas request-service-quota-increase --service-code fargate --quota-code ${over.code} --desired-value ${Math.ceil(over.total)}; where you have more than ${quota}, say so with --vcpus; or lower maxRunning`
    )
  }
  if (uncounted.length > 0) return skipped(looked, `of pools ${uncounted.join(", ")} nobody can tell what they take`)
  const total = kinds.reduce((sum, each) => sum + each.total, 0)
  return ok(
    looked,
    total === 0
      ? `no pool on Fargate has maxRunning: what is over the quota of ${quota} waits`
      : `maxRunning of pools takes ${total}, the quota is ${quota}`
  )
}

/** The launcher's pace, and how fast pools are to start, against AWS's quota of RunTask. */
export const paceFinding = (plans: ReadonlyArray<PoolPlan>, perSecond: number, quotas: Quotas): Finding => {
  const looked: Looked = { check: "run pace" }
  const { runTaskPerSecond: quota } = quotas
  if (perSecond > quota) {
    return ng(
      looked,
      `FLEET_AWS_RUN_TASK_PER_SECOND is ${perSecond}, and AWS's quota for Fargate is ${quota} a second unless it was raised`,
      "Unset it for 19, or have the quota raised in Service Quotas and tell it with --run-tasks-per-second"
    )
  }
  const fast = plans.filter(({ maxSubmitPerSecond = 0 }) => maxSubmitPerSecond > perSecond)
  if (fast.length > 0) {
    const named = fast.map(({ maxSubmitPerSecond, pool }) => `${pool} ${maxSubmitPerSecond}`).join(", ")
    return ng(
      looked,
      `maxSubmitPerSecond (${named}) is faster than a launcher, which starts ${perSecond} a second`,
      `Lower maxSubmitPerSecond to ${perSecond}, or have the quota raised and set FLEET_AWS_RUN_TASK_PER_SECOND`
    )
  }
  return ok(looked, `${perSecond} launches a second, the quota is ${quota}`)
}
