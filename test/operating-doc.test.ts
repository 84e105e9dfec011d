import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { metricDefinitions } from "#test/support/metricDefinitions.ts"
import { metricRows, operatingPage } from "#test/support/metricsPage.ts"

const sorted = (names: Iterable<string>) => [...names].toSorted()

describe("docs/operating.md", () => {
  it("has one row for every metric, and none for another", () => {
    assert.deepStrictEqual(sorted(metricRows.map(({ name }) => name)), sorted(metricDefinitions.keys()))
  })

  it.each(metricRows)("has the type of $name", ({ name, type }) => {
    assert.strictEqual(metricDefinitions.get(name)?.type, type)
  })

  const mentioned = [...new Set([...operatingPage.matchAll(/\bfleet_[a-z_]+/g)].map(([name]) => name))]

  it.each(mentioned)("speaks of %s, which there is", (name) => {
    const known = metricDefinitions.get(name) ?? metricDefinitions.get(name.replace(/_(bucket|sum|count)$/, ""))
    assert.isDefined(known)
    if (known?.name !== name) assert.strictEqual(known?.type, "histogram")
  })
})

describe("metrics", () => {
  it.each([...metricDefinitions.values()])("$name is named after its unit and described", (metric) => {
    if (metric.type === "counter") assert.match(metric.name, /_total$/)
    if (metric.type === "histogram") assert.match(metric.name, /_seconds$/)
    assert.isNotEmpty(metric.description)
  })

  it("are defined in the modules that are named for it alone", () => {
    const sources = ["libs", "services", "cli"]
      .flatMap((folder) =>
        readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`)
      )
      .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts") && !path.endsWith("/metrics.ts"))
    const elsewhere = sources.filter((path) => /Metric\.(counter|gauge|histogram)\(/.test(readFileSync(path, "utf8")))
    assert.isAbove(sources.length, 100)
    assert.deepStrictEqual(elsewhere, [])
  })
})
