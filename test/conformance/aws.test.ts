import { Layer } from "effect"
import { Aws } from "#aws/Aws.ts"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { Runtime } from "#aws/model/Runtime.ts"
import { awsSuite } from "./aws.suite.ts"

const model = (timeScale: "instant" | "dev") =>
  EcsModel.layer({ timeScale }).pipe(Layer.provide(Runtime.layerSimulated))

awsSuite("memory, instant", Aws.layerMemory.pipe(Layer.provide(model("instant"))))
awsSuite("memory, dev", Aws.layerMemory.pipe(Layer.provide(model("dev"))))
