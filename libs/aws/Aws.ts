import { Layer } from "effect"
import { AwsConfig } from "./AwsConfig.ts"
import { Clients } from "./Clients.ts"
import { ContainerLogs } from "./ContainerLogs.ts"
import { Ec2Network } from "./Ec2Network.ts"
import { Ecs } from "./Ecs.ts"
import { Pace } from "./Pace.ts"

const ports = Layer.mergeAll(Ecs.layer, Ec2Network.layer, ContainerLogs.layer).pipe(
  Layer.provideMerge(Pace.layerConfig)
)

const portsMemory = Layer.mergeAll(Ecs.layerMemory, Ec2Network.layerMemory, ContainerLogs.layerMemory)

/** All ports of AWS at once, with the pace that belongs to them. */
export const Aws = {
  /** Over the AWS SDK, with settings from the environment. */
  layer: ports.pipe(Layer.provide(Clients.layer), Layer.provide(AwsConfig.layer)),
  /** Over one `EcsModel`. */
  layerMemory: Layer.merge(portsMemory, Pace.layer())
}
