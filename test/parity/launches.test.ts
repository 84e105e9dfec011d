import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { keptElsewhere, launched, layerWatchedFleet, least } from "#test/parity/launched.ts"
import { launchedTasks } from "#test/support/LocalAws.ts"
import { recordOf } from "#test/support/MemoryFleet.ts"

const notices = (runId: string) => Effect.map(recordOf(runId), (run) => run?.notices.join("\n") ?? "")

/** What RunTask is sent, seen where it arrives. */
layer(layerWatchedFleet, { excludeTestServices: true })("launches", (it) => {
  it.effect("a command in one text with quotes arrives as a list (scenario 6)", () =>
    Effect.gen(function* () {
      const { runTask } = yield* launched({ ...least, command: `sh -c 'echo "a  b" && true' --x="y z"` })
      assert.deepStrictEqual(runTask?.overrides?.containerOverrides?.[0]?.command, [
        "sh",
        "-c",
        'echo "a  b" && true',
        "--x=y z"
      ])
    })
  )

  it.effect("the ARN of the task is in the record and in the end (scenario 7)", () =>
    Effect.gen(function* () {
      const { end, runId } = yield* launched(least)
      const task = (yield* launchedTasks).find(({ startedBy }) => startedBy?.includes(`/${runId}/`))
      assert.strictEqual(end.taskArn, task?.taskArn)
      assert.strictEqual((yield* recordOf(runId))?.attempts[0]?.taskArn, task?.taskArn)
    })
  )

  it.effect(
    "a linked definition with image and sizes beside it: a notice names what is ignored (peers 2, scenario 9)",
    () =>
      Effect.gen(function* () {
        const taskDefinitionArn = yield* keptElsewhere()
        const ignored = { image: "local/other", family: "other", secrets: { A: "arn:aws:ssm:us-east-1:1:parameter/a" } }
        const { end, registered, runId } = yield* launched({ taskDefinitionArn, command: ["true"], ...ignored })
        assert.strictEqual(end.outcome, "succeeded")
        assert.deepStrictEqual(registered, [])
        for (const name of Object.keys(ignored)) assert.include(yield* notices(runId), name)
      })
  )

  it.effect("environment reaches the override and not the definition, which a null unsets (scenario 10, 35)", () =>
    Effect.gen(function* () {
      const environment = [
        { name: "GONE", value: "x" },
        { name: "KEPT", value: "y" }
      ]
      const { definition, runTask } = yield* launched({
        ...least,
        family: "env",
        env: { SECRET: "hidden", GONE: null },
        taskDefinition: { containerDefinitions: [{ name: "main", environment }] }
      })
      const sent = runTask?.overrides?.containerOverrides?.[0]?.environment ?? []
      assert.deepInclude([...sent], { name: "SECRET", value: "hidden" })
      assert.deepStrictEqual(definition?.containerDefinitions?.[0]?.environment, [{ name: "KEPT", value: "y" }])
    })
  )

  it.effect("labels become tags of the task, slugged, and not of the definition (peers 69, 70, scenario 11, 12)", () =>
    Effect.gen(function* () {
      const labels = { team: "af_sn253@!$@&$%@(bfausfg!#!*&):@cas{}[]'XY", greeting: "Hello, World", none: null }
      const tags = { team: "replaced", none: "removed", plain: "as written ä" }
      const { registered, runTask } = yield* launched({
        ...least,
        family: "labels",
        labels,
        tags: { plain: "as is ä" },
        taskRunRequest: { tags: Object.entries(tags).map(([key, value]) => ({ key, value })) }
      })
      const sent = new Map(runTask?.tags?.map(({ key, value }) => [key, value]))
      assert.strictEqual(sent.get("team"), "af_sn253@-@-@-bfausfg-:@cas-XY")
      assert.strictEqual(sent.get("greeting"), "Hello-World")
      assert.strictEqual(sent.get("plain"), "as is ä")
      assert.isFalse(sent.has("none"))
      assert.isUndefined(registered[0]?.tags)
    })
  )

  it.effect.each([
    { what: "by name", cluster: "batch", arrives: "batch" },
    {
      what: "by ARN",
      cluster: "arn:aws:ecs:us-east-1:000000000000:cluster/batch",
      arrives: "arn:aws:ecs:us-east-1:000000000000:cluster/batch"
    },
    { what: "unsaid", cluster: undefined, arrives: "default" }
  ])("the cluster $what (scenario 13)", ({ arrives, cluster }) =>
    Effect.gen(function* () {
      const { end, runTask } = yield* launched({ ...least, ...(cluster === undefined ? {} : { cluster }) })
      assert.strictEqual(runTask?.cluster, arrives)
      assert.strictEqual(end.outcome, "succeeded")
    })
  )

  it.effect("cluster and launch type are sent though the free run request leaves them out (scenario 14)", () =>
    Effect.gen(function* () {
      const { runTask } = yield* launched({
        ...least,
        cluster: "batch",
        taskRunRequest: { cluster: "", group: "nightly", enableECSManagedTags: true }
      })
      assert.deepInclude(runTask, { cluster: "batch", launchType: "FARGATE", group: "nightly" })
      assert.isTrue(runTask?.enableECSManagedTags)
    })
  )

  it.effect("the definition's own command, image, sizes and environment hold where nothing is said (scenario 34)", () =>
    Effect.gen(function* () {
      const environment = [{ name: "OWN", value: "1" }]
      const own = { name: "main", image: "local/own", command: ["own"], environment }
      const taskDefinition = { cpu: "512", memory: "1024", containerDefinitions: [own] }
      const { definition, runTask } = yield* launched({
        executionRoleArn: least.executionRoleArn,
        family: "own",
        taskDefinition
      })
      assert.deepInclude(definition, { cpu: "512", memory: "1024" })
      const [container] = definition?.containerDefinitions ?? []
      assert.deepInclude(container, { image: "local/own", command: ["own"], environment })
      assert.isUndefined(runTask?.overrides?.containerOverrides?.[0]?.command)
    })
  )

  it.effect("a definition for EC2 without a launch type goes where the cluster sends it (peers 17, scenario 37)", () =>
    Effect.gen(function* () {
      const { end, runTask } = yield* launched({
        ...least,
        launchType: null,
        family: "ec2",
        taskDefinition: { requiresCompatibilities: ["EC2"] }
      })
      assert.strictEqual(end.outcome, "succeeded")
      assert.isUndefined(runTask?.launchType)
      assert.isUndefined(runTask?.capacityProviderStrategy)
    })
  )

  it.effect.each([
    { what: "alone", request: {} },
    { what: "beside a launch type, which yields", request: { launchType: "FARGATE" } }
  ])("a capacity provider strategy $what (scenario 36)", ({ request }) =>
    Effect.gen(function* () {
      const capacityProviderStrategy = [
        { capacityProvider: "FARGATE_SPOT", weight: 3 },
        { capacityProvider: "FARGATE", weight: 1, base: 1 }
      ]
      const { end, runId, runTask } = yield* launched({ ...least, ...request, capacityProviderStrategy })
      assert.strictEqual(end.outcome, "succeeded")
      assert.isUndefined(runTask?.launchType)
      assert.deepStrictEqual(runTask?.capacityProviderStrategy, capacityProviderStrategy)
      if ("launchType" in request) assert.match(yield* notices(runId), /launchType/)
    })
  )

  it.effect("environment and tags of the free run request are merged with the run's own, which win (scenario 38)", () =>
    Effect.gen(function* () {
      const environment = [
        { name: "A", value: "free" },
        { name: "B", value: "free" }
      ]
      const { runTask } = yield* launched({
        ...least,
        env: { B: "own", C: "own" },
        labels: { b: "own" },
        taskRunRequest: {
          overrides: { containerOverrides: [{ name: "main", environment }] },
          tags: [
            { key: "a", value: "free" },
            { key: "b", value: "free" }
          ]
        }
      })
      const [override] = runTask?.overrides?.containerOverrides ?? []
      assert.deepStrictEqual(
        override?.environment?.filter(({ name = "" }) => name.length === 1),
        [
          { name: "A", value: "free" },
          { name: "B", value: "own" },
          { name: "C", value: "own" }
        ]
      )
      assert.includeDeepMembers(runTask?.tags ?? [], [
        { key: "a", value: "free" },
        { key: "b", value: "own" }
      ])
    })
  )
})
