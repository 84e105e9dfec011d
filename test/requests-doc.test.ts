import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { runTimeoutSecondsMax, topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { isJson, type Json, listOf } from "#ecs-core/Json.ts"
import {
  builtInPool,
  DEFAULT_CONTAINER,
  DEFAULT_CPU,
  DEFAULT_LOG_GROUP,
  DEFAULT_MEMORY,
  DEFAULT_POOL,
  DEFAULT_PROVISIONING_TIMEOUT_SECONDS,
  poolFields
} from "#ecs-core/Pool.ts"
import { RETRY_DEFAULTS, RETRYABLE_OUTCOMES } from "#ecs-core/RetryPolicy.ts"
import { knownFields, RunRequest } from "#ecs-core/RunRequest.ts"

const page = readFileSync(join(process.cwd(), "docs/requests.md"), "utf8")
const [, tables = ""] = page.split("\n## Fields\n")
const rows = [...(tables.split("\n## ")[0] ?? "").matchAll(/^\| `([\w.]+)` \|(.*?)\|(.*?)\|(.*)\|$/gm)].map(
  ([, field = "", type = "", byDefault = "", does = ""]) => ({ field, type, default: byDefault.trim(), does })
)
const rowOf = (field: string) => {
  const row = rows.find((one) => one.field === field)
  assert.isDefined(row, `docs/requests.md has no row for ${field}`)
  return row
}

const schema = JSON.parse(readFileSync(join(process.cwd(), "docs/schemas/run.requested.json"), "utf8")) as {
  readonly properties: Readonly<Record<string, unknown>>
}

/** Every object of a field's schema that is not for null, from the outermost in. */
const schemasIn = (value: unknown): ReadonlyArray<Json> => {
  if (!isJson(value)) return []
  return [value, ...listOf(value["anyOf"]).flatMap(schemasIn), ...schemasIn(value["items"])]
}

/** Fields whose own members have rows: `retry.attempts`. */
const nested = Object.entries(knownFields)
  .filter(([parent]) => parent !== "" && rows.some(({ field }) => field.startsWith(`${parent}.`)))
  .flatMap(([parent, names]) => names.map((name) => ({ parent, name, field: `${parent}.${name}` })))

const schemaOf = (parent: string, name: string): unknown =>
  schemasIn(schema.properties[parent]).flatMap(({ properties }) => (isJson(properties) ? [properties[name]] : []))[0]

const ruled = [
  ...Object.entries(schema.properties).map(([field, rule]) => ({ field, rule })),
  ...nested.map(({ parent, name, field }) => ({ field, rule: schemaOf(parent, name) }))
]

const [, pools = ""] = page.split("\n## Pools\n")
const poolRows = [...(pools.split("\n## ")[0] ?? "").matchAll(/^\| `(\w+)` \|(.*?)\|/gm)].map(
  ([, field = "", type = ""]) => ({ field, type })
)
const poolSchema = JSON.parse(readFileSync(join(process.cwd(), "docs/schemas/pool.json"), "utf8")) as {
  readonly properties: Readonly<Record<string, unknown>>
}

describe("docs/requests.md: pools", () => {
  it("has one row for each field that only a pool has, with its limits", () => {
    assert.deepStrictEqual(poolRows.map(({ field }) => field).toSorted(), Object.keys(poolFields).toSorted())
    for (const { field, type } of poolRows) {
      const rule = schemasIn(poolSchema.properties[field]).find((part) => part["minimum"] !== undefined)
      for (const limit of [rule?.["minimum"], rule?.["maximum"]]) {
        if (limit !== undefined) assert.include(type, String(limit))
      }
    }
  })
})

describe("docs/requests.md", () => {
  it("has one row for each field of a request, and for no other", () => {
    const fields = [...Object.keys(RunRequest.fields), ...nested.map(({ field }) => field)]
    assert.deepStrictEqual(rows.map(({ field }) => field).toSorted(), fields.toSorted())
  })

  it.each(["retry", "runtimePlatform", "networkConfiguration", "capacityProviderStrategy"])(
    "has a row for each member of %s",
    (parent) => {
      const members = knownFields[parent] ?? []
      assert.isNotEmpty(members)
      assert.includeMembers(
        rows.map(({ field }) => field),
        members.map((name) => `${parent}.${name}`)
      )
    }
  )

  it.each(ruled)("$field: its limits and values", ({ field, rule }) => {
    const { type } = rowOf(field)
    const first = schemasIn(rule).find((part) => part["type"] !== undefined && part["type"] !== "null")
    for (const limit of [first?.["minimum"], first?.["maximum"]]) {
      if (limit !== undefined) assert.match(type, new RegExp(`\\b${String(limit).replace(".", "\\.")}\\b`))
    }
    for (const value of listOf(first?.["enum"])) assert.include(type, String(value))
    for (const limit of [first?.["maxItems"]]) if (limit !== undefined) assert.include(type, String(limit))
  })

  const maximum = runTimeoutSecondsMax(topologyDefaults.streamAgeSeconds)

  it.each(Object.entries(builtInPool(maximum)))("%s: its default %s", (field, value) => {
    assert.include(rowOf(field).default, String(value))
  })

  it.each([
    { field: "pool", value: DEFAULT_POOL },
    { field: "containerName", value: DEFAULT_CONTAINER },
    { field: "cluster", value: "default" },
    { field: "cpu", value: DEFAULT_CPU },
    { field: "memory", value: DEFAULT_MEMORY },
    { field: "streamOutput", value: true },
    { field: "matchLatestRevisionInFamily", value: false },
    { field: "autoDeregisterTaskDefinition", value: false }
  ])("$field: its default $value", ({ field, value }) => {
    assert.match(rowOf(field).default, new RegExp(`(^|[ \`])${value}([\`, ]|$)`))
  })

  it("names the log group", () => {
    assert.include(rowOf("cloudwatchLogsOptions").does, `group \`${DEFAULT_LOG_GROUP}\``)
  })

  const { maxBackoffSeconds, ...retryDefaults } = RETRY_DEFAULTS
  it.each([
    ...Object.entries(retryDefaults).map(([member, value]) => ({ field: `retry.${member}`, value })),
    { field: "retry.maxBackoffSeconds", value: maxBackoffSeconds },
    { field: "provisioningTimeoutSeconds", value: DEFAULT_PROVISIONING_TIMEOUT_SECONDS }
  ])("$field: its default $value", ({ field, value }) => {
    assert.match(rowOf(field).default, new RegExp(`^${value}(,|$)`))
  })

  it("names exactly the outcomes that can be retried", () => {
    const named = [...rowOf("retry.onOutcomes").type.matchAll(/`(\w+)`/g)].map(([, outcome]) => outcome)
    assert.sameMembers(named, [...RETRYABLE_OUTCOMES])
  })

  it("says of no field that it is not supported yet", () => {
    assert.deepStrictEqual(
      rows.filter(({ does }) => does.includes("not supported yet")),
      []
    )
  })
})
