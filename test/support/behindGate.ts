import { Layer } from "effect"
import type { CredentialSets } from "#aws/credentials/CredentialSets.ts"
import type { Ecs } from "#aws/Ecs.ts"
import { Gate } from "#aws/gate/Gate.ts"
import { gatedPorts } from "#aws/gate/gatedPorts.ts"

/** All ports behind a gate of their own, with this ECS instead of the memory's; probes go to it too. */
export const behindGate = <E, R>(ecs: Layer.Layer<Ecs, E, R | CredentialSets>) =>
  Layer.fresh(gatedPorts).pipe(Layer.provideMerge(Layer.fresh(Gate.layer())), Layer.provide(ecs))
