import { Effect, Layer } from "effect"
import { ContainerLogs } from "#aws/ContainerLogs.ts"
import { Ec2Network } from "#aws/Ec2Network.ts"
import { Ecs } from "#aws/Ecs.ts"
import { Gate } from "./Gate.ts"

/** The ports that are there, each call behind the gate. */
export const gatedPorts = Layer.mergeAll(
  Layer.effect(
    Ecs,
    Effect.gen(function* () {
      const [ecs, { guard }] = [yield* Ecs, yield* Gate]
      return Ecs.of({
        registerTaskDefinition: (target, input) => guard(target)(ecs.registerTaskDefinition(target, input)),
        describeTaskDefinition: (target, ref) => guard(target)(ecs.describeTaskDefinition(target, ref)),
        deregisterTaskDefinition: (target, revision) => guard(target)(ecs.deregisterTaskDefinition(target, revision)),
        describeCluster: (target, cluster) => guard(target)(ecs.describeCluster(target, cluster)),
        runTask: (target, input) => guard(target)(ecs.runTask(target, input)),
        describeTasks: (target, cluster, arns) => guard(target)(ecs.describeTasks(target, cluster, arns)),
        listTasks: (target, cluster, startedBy) => guard(target)(ecs.listTasks(target, cluster, startedBy)),
        listRunning: (target, cluster, nextToken) => guard(target)(ecs.listRunning(target, cluster, nextToken)),
        stopTask: (target, cluster, arn, reason) => guard(target)(ecs.stopTask(target, cluster, arn, reason))
      })
    })
  ),
  Layer.effect(
    Ec2Network,
    Effect.gen(function* () {
      const [network, { guard }] = [yield* Ec2Network, yield* Gate]
      return Ec2Network.of({
        describe: (target, vpcId) => guard(target)(network.describe(target, vpcId)),
        refresh: (target, vpcId, stale) => guard(target)(network.refresh(target, vpcId, stale))
      })
    })
  ),
  Layer.effect(
    ContainerLogs,
    Effect.gen(function* () {
      const [logs, { guard }] = [yield* ContainerLogs, yield* Gate]
      return ContainerLogs.of({ read: (target, input) => guard(target)(logs.read(target, input)) })
    })
  )
)
