import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Problem } from "#ecs-core/errors.ts"
import type { Pool } from "#ecs-core/Pool.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import type { RunRequest } from "#ecs-core/RunRequest.ts"

const problemsOf = (request: RunRequest, pool?: Pool): ReadonlyArray<Problem> =>
  Result.match(resolveJob({ image: "alpine", ...request }, pool, 86_400), {
    onFailure: (problems) => problems,
    onSuccess: () => []
  })

const messagesOf = (request: RunRequest, pool?: Pool) => problemsOf(request, pool).map(({ message }) => message)
const fieldsOf = (request: RunRequest, pool?: Pool) => problemsOf(request, pool).map(({ field }) => field)

describe("capacity provider strategy", () => {
  const mine = { capacityProvider: "mine" }
  const fargate = { capacityProvider: "FARGATE" }
  const spot = { capacityProvider: "FARGATE_SPOT" }
  const external = "Launch type 'EXTERNAL' cannot be used with a `capacityProviderStrategy`."
  const mixed = "A `capacityProviderStrategy` cannot mix Fargate's providers with others."
  const bases = "Only one item of a `capacityProviderStrategy` may have a `base`."
  const weights = "At least one item of a `capacityProviderStrategy` needs a `weight` above 0."

  it.each<{
    readonly strategy: NonNullable<RunRequest["capacityProviderStrategy"]>
    readonly messages: ReadonlyArray<string>
  }>([
    { strategy: [mine], messages: [] },
    { strategy: [{ ...mine, weight: 0, base: 1 }], messages: [] },
    { strategy: [fargate, { ...spot, weight: 1 }], messages: [] },
    {
      strategy: [
        { ...fargate, base: 1, weight: 1 },
        { ...spot, base: 0 }
      ],
      messages: []
    },
    {
      strategy: [
        { ...fargate, weight: 1 },
        { ...mine, weight: 1 }
      ],
      messages: [mixed]
    },
    {
      strategy: [
        { ...fargate, base: 1, weight: 1 },
        { ...spot, base: 1 }
      ],
      messages: [bases]
    },
    { strategy: [fargate, { ...spot, weight: 0 }], messages: [weights] },
    {
      strategy: [
        { ...mine, base: 1 },
        { ...spot, base: 1 }
      ],
      messages: [mixed, bases, weights]
    }
  ])("$strategy: $messages", ({ strategy, messages }) => {
    assert.deepStrictEqual(messagesOf({ capacityProviderStrategy: strategy }), messages)
    assert.deepStrictEqual(messagesOf({ taskRunRequest: { capacityProviderStrategy: strategy } }), messages)
  })

  it("EXTERNAL takes none, of its own level; a higher level's strategy replaces it", () => {
    assert.deepStrictEqual(messagesOf({ launchType: "EXTERNAL", capacityProviderStrategy: [mine] }), [external])
    assert.deepStrictEqual(
      messagesOf({ taskRunRequest: { launchType: "EXTERNAL", capacityProviderStrategy: [mine] } }),
      [external]
    )
    assert.deepStrictEqual(messagesOf({ capacityProviderStrategy: [mine] }, { launchType: "EXTERNAL" }), [])
  })
})

describe("placement", () => {
  it.each<{ readonly said: RunRequest; readonly messages: ReadonlyArray<string> }>([
    { said: { placementConstraints: [{ type: "distinctInstance" }] }, messages: [] },
    { said: { placementConstraints: [{ type: "memberOf", expression: "attribute:x == y" }] }, messages: [] },
    {
      said: { placementConstraints: [{ type: "distinctInstance" }, { type: "memberOf" }] },
      messages: ['Field "placementConstraints.1.expression": memberOf needs an expression.']
    },
    {
      said: { placementConstraints: [{ type: "distinctInstance", expression: "x" }] },
      messages: ['Field "placementConstraints.0.expression": distinctInstance takes no expression.']
    },
    { said: { placementStrategy: [{ type: "random" }, { type: "spread", field: "instanceId" }] }, messages: [] },
    {
      said: {
        placementStrategy: [
          { type: "binpack", field: "cpu" },
          { type: "binpack", field: "MEMORY" }
        ]
      },
      messages: []
    },
    {
      said: {
        placementStrategy: [{ type: "random", field: "cpu" }, { type: "spread" }, { type: "binpack", field: "host" }]
      },
      messages: [
        'Field "placementStrategy.0.field": random takes no field.',
        'Field "placementStrategy.1.field": spread needs a field such as instanceId.',
        'Field "placementStrategy.2.field": binpack needs the field cpu or memory.'
      ]
    }
  ])("$said: $messages", ({ said, messages }) => {
    assert.deepStrictEqual(messagesOf({ launchType: "EC2", ...said }), messages)
  })
})

describe("labels", () => {
  it.each([
    { label: "k".repeat(128), value: "v".repeat(256), messages: [] },
    { label: `${"k".repeat(128)}!!`, value: `!${"v".repeat(256)}!`, messages: [] },
    { label: "k".repeat(129), value: "", messages: ["a tag's key has at most 128 characters, this one 129."] },
    { label: "team", value: "v".repeat(257), messages: ["a tag's value has at most 256 characters, this one 257."] },
    { label: "aws:team", value: "x", messages: ["a tag's key must not begin with aws:."] },
    { label: "-AWS:team", value: "x", messages: ["a tag's key must not begin with aws:."] },
    { label: "!!!", value: "x", messages: ["nothing of its name can stand in a tag."] },
    { label: "!!!", value: null, messages: [] }
  ])("as the tags they become: $label", ({ label, value, messages }) => {
    assert.deepStrictEqual(
      messagesOf({ labels: { [label]: value } }),
      messages.map((message) => `Field "labels.${label}": ${message}`)
    )
  })
})

describe("number of tags", () => {
  const tags = Object.fromEntries(Array.from({ length: 49 }, (_, n) => [`t${n}`, "v"]))
  const free = { taskRunRequest: { tags: Object.keys(tags).map((key) => ({ key, value: "v" })) } }

  it("at most 50, labels included, each key once", () => {
    assert.deepStrictEqual(fieldsOf({ tags, labels: { t0: "same key", "one!": "more", one: "same slug" } }), [])
    assert.deepStrictEqual(fieldsOf({ tags, labels: { one: "more", two: "more" } }), ["tags"])
  })

  it("those of the free run request count", () => {
    assert.deepStrictEqual(fieldsOf({ ...free, tags, labels: { t1: "same key", one: "more" } }), [])
    assert.deepStrictEqual(fieldsOf({ ...free, tags: { one: "more" }, labels: { two: "more" } }), ["tags"])
  })

  it("a null label takes one away", () => {
    assert.deepStrictEqual(fieldsOf({ ...free, labels: { one: "more", two: "more", t0: null } }), [])
  })
})

describe("retry", () => {
  it.each<{ readonly retry: NonNullable<RunRequest["retry"]>; readonly messages: ReadonlyArray<string> }>([
    { retry: { attempts: 3, onOutcomes: ["failed", "crashed", "timed_out"], onExitCodes: [1, 255] }, messages: [] },
    { retry: { backoffSeconds: 60, maxBackoffSeconds: 60 }, messages: [] },
    { retry: { backoffSeconds: 600 }, messages: [] },
    { retry: { backoffSeconds: null, maxBackoffSeconds: 1 }, messages: [] },
    {
      retry: { backoffSeconds: 60, maxBackoffSeconds: 59 },
      messages: ['Field "retry.maxBackoffSeconds": at least backoffSeconds, which is 60, got 59.']
    },
    {
      retry: { onOutcomes: ["failed", "succeeded", "rejected", "cancelled"], onExitCodes: [0, 1] },
      messages: [
        'Field "retry.onOutcomes": nothing follows after succeeded, rejected, cancelled.',
        'Field "retry.onExitCodes": 0 is success.'
      ]
    }
  ])("$retry", ({ retry, messages }) => {
    assert.deepStrictEqual(messagesOf({ retry }), messages)
    assert.deepStrictEqual(messagesOf({}, { retry }), messages)
  })
})
