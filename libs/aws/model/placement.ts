import type { Failure, PlacementConstraint, PlacementStrategy } from "@aws-sdk/client-ecs"
import { Result } from "effect"
import type { InstanceRecord, Resources } from "./instances.ts"

/** What a task asks of the container instance that is to run it. */
export interface Placing {
  readonly launchType: "EC2" | "EXTERNAL"
  readonly needs: Resources
  readonly group: string
  /** Of the launch and of the task definition. */
  readonly constraints: ReadonlyArray<PlacementConstraint>
  readonly strategy: ReadonlyArray<PlacementStrategy>
}

/** The instance to run the task on; else why each one cannot, in ECS's words. Instances of other launch types do not count. */
export const place = (
  instances: Iterable<InstanceRecord>,
  placing: Placing
): Result.Result<InstanceRecord, Array<Failure>> => {
  const failures: Array<Failure> = []
  const fitting: Array<InstanceRecord> = []
  for (const instance of instances) {
    if (instance.launchType !== placing.launchType) continue
    const reason = obstacle(instance, placing)
    if (reason === undefined) fitting.push(instance)
    else failures.push({ arn: instance.arn, reason })
  }
  const [best] = fitting.toSorted(preference(placing.strategy))
  return best === undefined ? Result.fail(failures) : Result.succeed(best)
}

const obstacle = (instance: InstanceRecord, { needs, constraints, group }: Placing): string | undefined => {
  if (needs.cpu > instance.free.cpu) return "RESOURCE:CPU"
  if (needs.memory > instance.free.memory) return "RESOURCE:MEMORY"
  if (needs.gpu > instance.free.gpu) return "RESOURCE:GPU"
  if (constraints.some((each) => each.type === "distinctInstance") && instance.groups.has(group)) {
    return "DistinctInstance placement constraint unsatisfied"
  }
  return constraints.every((each) => each.type !== "memberOf" || isMember(instance, each.expression ?? ""))
    ? undefined
    : "MemberOf placement constraint unsatisfied"
}

/** `attribute:NAME == VALUE` and `!=` (ECS's cluster query language); every other expression holds for all instances. */
const isMember = (instance: InstanceRecord, expression: string): boolean => {
  const [, name = "", operator, value] = /^\s*attribute:([\w.-]+)\s*(==|!=)\s*(\S+)\s*$/.exec(expression) ?? []
  if (operator === undefined) return true
  return (instance.attributes[name] === value) === (operator === "==")
}

/** `binpack` fills the fullest instance first, everything else the emptiest. */
const preference = (strategy: ReadonlyArray<PlacementStrategy>) => {
  const pack = strategy.find(({ type }) => type === "binpack")
  const field = pack?.field?.toLowerCase() === "cpu" ? "cpu" : "memory"
  const direction = pack === undefined ? -1 : 1
  return (a: InstanceRecord, b: InstanceRecord): number => direction * (a.free[field] - b.free[field])
}
