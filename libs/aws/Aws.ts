import { Layer } from "effect"
import { AwsConfig } from "./AwsConfig.ts"
import { Clients } from "./Clients.ts"
import { ContainerLogs } from "./ContainerLogs.ts"
import { CredentialSets } from "./credentials/CredentialSets.ts"
import { Ec2Network } from "./Ec2Network.ts"
import { Ecs } from "./Ecs.ts"
import { Gate } from "./gate/Gate.ts"
import { gatedPorts } from "./gate/gatedPorts.ts"
import { Pace } from "./Pace.ts"

const ports = Layer.mergeAll(Ecs.layer, Ec2Network.layer, ContainerLogs.layer)

const portsMemory = Layer.mergeAll(Ecs.layerMemory, Ec2Network.layerMemory, ContainerLogs.layerMemory)

/** All ports of AWS at once, with the pace, the gate and the sets of credentials that belong to them. */
export const Aws = {
  /** Over the AWS SDK, with settings from the environment. */
  layer: gatedPorts.pipe(
    Layer.provideMerge(Gate.layerConfig),
    Layer.provide(ports),
    Layer.provide(Clients.layer),
    Layer.provideMerge(Layer.merge(Pace.layerConfig, CredentialSets.layer)),
    Layer.provide(AwsConfig.layer)
  ),
  /** Over one `EcsModel`. */
  layerMemory: gatedPorts.pipe(
    Layer.provideMerge(Gate.layer()),
    Layer.provide(portsMemory),
    Layer.provideMerge(Layer.merge(Pace.layer(), CredentialSets.layerMemory()))
  )
}
