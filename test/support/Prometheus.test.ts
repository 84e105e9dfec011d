import { assert, describe, it } from "@effect/vitest"
import { parsePrometheus } from "./Prometheus.ts"

const gauge = "# HELP a_b text\n# TYPE a_b gauge\n"
const histogram = "# HELP h text\n# TYPE h histogram\n"

describe("parsePrometheus", () => {
  it("reads labels with escapes, infinite values and histograms", () => {
    const text = `${gauge}a_b{x="a\\"\\\\\\n",y=""} -1.5e-7\na_b +Inf\n${histogram}h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n`
    const families = parsePrometheus(text)
    assert.deepStrictEqual(families.get("a_b")?.samples, [
      { name: "a_b", labels: { x: 'a"\\\n', y: "" }, value: -1.5e-7 },
      { name: "a_b", labels: {}, value: Number.POSITIVE_INFINITY }
    ])
    assert.strictEqual(families.get("h")?.samples.length, 4)
  })

  it.each([
    ["no end of the last line", `${gauge}a_b 1`],
    ["no TYPE", "a_b 1\n"],
    ["no HELP", "# TYPE a_b gauge\na_b 1\n"],
    ["a type that there is not", "# HELP a_b text\n# TYPE a_b meter\na_b 1\n"],
    ["a sample of another family", `${gauge}a_c 1\n`],
    ["a family in two places", `${gauge}a_b 1\n${histogram}${gauge}a_b{x="1"} 1\n`],
    ["a sample twice", `${gauge}a_b{x="1"} 1\na_b{x="1"} 2\n`],
    ["a label twice", `${gauge}a_b{x="1",x="2"} 1\n`],
    ["a comma too many", `${gauge}a_b{x="1",} 1\n`],
    ["a quote too few", `${gauge}a_b{x="1} 1\n`],
    ["a line break in a label", `${gauge}a_b{x="1\n"} 1\n`],
    ["no value", `${gauge}a_b \n`],
    ["a word for a value", `${gauge}a_b undefined\n`],
    ["a counter below 0", "# HELP a text\n# TYPE a counter\na -1\n"],
    ["buckets that fall", `${histogram}h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 3\nh_count 1\n`],
    ["no +Inf", `${histogram}h_bucket{le="1"} 2\nh_sum 3\nh_count 2\n`],
    ["another count", `${histogram}h_bucket{le="+Inf"} 2\nh_sum 3\nh_count 3\n`],
    ["no sum", `${histogram}h_bucket{le="+Inf"} 2\nh_count 2\n`]
  ])("refuses %s", (_, text) => {
    assert.throws(() => parsePrometheus(text))
  })
})
