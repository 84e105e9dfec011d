import { Effect, Result } from "effect"
import type { AwsFailure } from "#ecs-core/errors.ts"
import type { Ecs } from "./Ecs.ts"
import type { AwsTarget } from "./Target.ts"

/**
 * A question that costs nothing and changes nothing: StopTask of a task that cannot be there. ECS refuses it with "The
 * referenced task was not found.", and to do so it has found the cluster, believed the credentials and checked that they
 * may stop tasks. Every other answer, a success above all, means that something is wrong (peers 121).
 */
export const PROBE_TASK = "a".repeat(32)

const REASON = "fleet:probe"

export type ProbeAnswer = { readonly healthy: true } | { readonly healthy: false; readonly why: string }

/** Asks once; neither paced nor repeated. The target's credentials are those that are probed. */
export const probe = (
  ecs: Pick<typeof Ecs.Service, "stopTask">,
  target: AwsTarget,
  cluster: string
): Effect.Effect<ProbeAnswer> =>
  Effect.map(Effect.result(ecs.stopTask(target, cluster, PROBE_TASK, REASON)), judgeProbe)

export const judgeProbe = (answer: Result.Result<void, AwsFailure>): ProbeAnswer =>
  Result.match(answer, {
    onSuccess: () => ({
      healthy: false,
      why: `StopTask of a task that cannot be there succeeded: whatever answers at AWS's endpoint is not ECS`
    }),
    onFailure: ({ awsName, code, message }) =>
      code === "TaskNotFound" && awsName === "InvalidParameterException"
        ? { healthy: true }
        : { healthy: false, why: `${code}: ${message}` }
  })
