import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Ecs } from "./Ecs.ts"
import { EcsModel } from "./model/EcsModel.ts"
import { Runtime } from "./model/Runtime.ts"

const memory = Ecs.layerMemory.pipe(
  Layer.provideMerge(EcsModel.layer({ timeScale: "instant" })),
  Layer.provide(Runtime.layerSimulated)
)

const containerDefinitions = [{ name: "main", image: "x", command: ["simulate", "--seconds", "60"] }]
const startedBy = "fleet/r/1"

describe("Ecs", () => {
  it.effect("listTasks reads every page, listRunning one after the other", () =>
    Effect.gen(function* () {
      const ecs = yield* Ecs
      yield* ecs.registerTaskDefinition({}, { family: "f", memory: "512", containerDefinitions })
      const launched: Array<string> = []
      for (let call = 0; call < 21; call++) {
        const { tasks } = yield* ecs.runTask({}, { taskDefinition: "f", count: 10, startedBy })
        launched.push(...tasks.map(({ taskArn = "" }) => taskArn))
      }
      assert.deepStrictEqual(yield* ecs.listTasks({}, "default", startedBy), launched)
      const first = yield* ecs.listRunning({}, "default")
      const second = yield* ecs.listRunning({}, "default", first.nextToken)
      const third = yield* ecs.listRunning({}, "default", second.nextToken)
      assert.deepStrictEqual([...first.arns, ...second.arns, ...third.arns], launched)
      assert.notProperty(third, "nextToken")
    }).pipe(Effect.provide(memory))
  )

  it.effect("failures[] of RunTask are an answer, not an error", () =>
    Effect.gen(function* () {
      const [ecs, { faults }] = [yield* Ecs, yield* EcsModel]
      yield* ecs.registerTaskDefinition({}, { family: "f", memory: "512", containerDefinitions })
      yield* faults.failLaunches({ reason: "RESOURCE:CPU" }, 1)
      const answer = yield* ecs.runTask({}, { taskDefinition: "f" })
      assert.deepStrictEqual(answer, { tasks: [], failures: [{ reason: "RESOURCE:CPU" }] })
    }).pipe(Effect.provide(memory))
  )

  it.effect("a deleted cluster is no cluster, though ECS still describes it as INACTIVE", () =>
    Effect.gen(function* () {
      const [ecs, model] = [yield* Ecs, (yield* EcsModel).ecs]
      yield* model.CreateCluster("us-east-1", { clusterName: "gone" })
      assert.strictEqual((yield* ecs.describeCluster({}, "gone")).status, "ACTIVE")
      yield* model.DeleteCluster("us-east-1", { cluster: "gone" })
      assert.strictEqual((yield* Effect.flip(ecs.describeCluster({}, "gone"))).code, "ClusterNotFound")
    }).pipe(Effect.provide(memory))
  )

  it.effect("describeTasks of nothing asks nothing, and of 101 is refused", () =>
    Effect.gen(function* () {
      const ecs = yield* Ecs
      assert.deepStrictEqual(yield* ecs.describeTasks({}, "not-there", []), { tasks: [], failures: [] })
      const arns = Array.from({ length: 101 }, (_, index) => String(index))
      assert.strictEqual((yield* ecs.describeTasks({}, "default", arns.slice(1))).failures.length, 100)
      assert.strictEqual((yield* Effect.flip(ecs.describeTasks({}, "default", arns))).code, "InvalidParameter")
    }).pipe(Effect.provide(memory))
  )
})
