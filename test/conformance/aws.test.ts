import { Layer } from "effect"
import { Aws } from "#aws/Aws.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Runtime } from "#aws/model/Runtime.ts"
import { FaultControl } from "./aws.logFaults.ts"
import { awsSuite } from "./aws.suite.ts"

const model = (timeScale: "instant" | "dev") =>
  EcsModel.layer({ timeScale }).pipe(Layer.provide(Runtime.layerSimulated))

const ports = (timeScale: "instant" | "dev") =>
  Layer.merge(Aws.layerMemory, FaultControl.layerMemory).pipe(Layer.provide(model(timeScale)))

awsSuite("memory, instant", ports("instant"))
awsSuite("memory, dev", ports("dev"))
