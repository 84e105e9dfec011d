import { BarChart, LineChart } from "echarts/charts"
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components"
import { init, use } from "echarts/core"
import { SVGRenderer } from "echarts/renderers"
import { amount } from "#bench/report.ts"
import type { BenchResult } from "#bench/results.ts"

use([BarChart, LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer])

/** A picture of some of a result's figures. */
export interface Chart {
  /** Name of the file, without `.svg`. */
  readonly file: string
  readonly title: string
  readonly kind: "bars" | "lines"
  /** Each step of the axis is ten times the one before it. */
  readonly isLog?: boolean
  /** Which figures: what it finds as `series` gets a colour, as `at` a place on the axis. */
  readonly pattern: RegExp
  /** What the places are, such as `runs a second`. */
  readonly axis: string
  /** Names to show instead of those in the keys. */
  readonly names?: Readonly<Record<string, string>>
}

interface Point {
  readonly series: string
  readonly at: string
  readonly value: number
  readonly unit: string
}

const WIDTH = 760
const HEIGHT = 340
const colours = ["#2f5d8c", "#e08e2b", "#4f9d69", "#b5485d", "#7a6aa8", "#6b7280"]

export const pointsOf = (chart: Chart, { figures }: BenchResult): ReadonlyArray<Point> =>
  Object.entries(figures).flatMap(([key, { median, unit }]) => {
    const { at = "", series } = chart.pattern.exec(key)?.groups ?? {}
    return series === undefined ? [] : [{ series: chart.names?.[series] ?? series, at, value: median, unit }]
  })

/** The power of ten below all of them by a good piece, so that the least still has a bar. */
const floorOf = (points: ReadonlyArray<Point>): number =>
  10 ** Math.floor(Math.log10(Math.min(...points.map(({ value }) => value)) / 2))

const logFrom = (floor: number) => ({ type: "log", min: floor, startValue: floor }) as const

/** SVG, or nothing where the result has none of these figures. The same figures give the same text. */
export const draw = (chart: Chart, result: BenchResult): string | undefined => {
  const points = pointsOf(chart, result)
  const [first] = points
  if (first === undefined) return undefined
  const places = [...new Set(points.map(({ at }) => at))]
  const drawing = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height: HEIGHT })
  drawing.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    color: colours,
    title: { text: chart.title, left: "center", textStyle: { fontSize: 15 } },
    textStyle: { fontFamily: "sans-serif" },
    legend: { bottom: 0, itemGap: 28 },
    grid: { left: 70, right: 30, top: 50, bottom: 70 },
    xAxis: { type: "category", data: places, name: chart.axis, nameLocation: "middle", nameGap: 28 },
    yAxis: { name: first.unit, ...(chart.isLog === true ? logFrom(floorOf(points)) : {}) },
    series: [...Map.groupBy(points, ({ series }) => series)].map(([name, mine]) => ({
      name,
      type: chart.kind === "bars" ? "bar" : "line",
      barMaxWidth: 46,
      data: places.map((at) => mine.find((point) => point.at === at)?.value ?? null),
      label: {
        show: true,
        position: "top",
        fontSize: 10,
        color: "#374151",
        textBorderWidth: 0,
        formatter: ({ value }: { readonly value: unknown }) => (typeof value === "number" ? amount(value) : "")
      }
    }))
  })
  const svg = drawing.renderToSVGString()
  drawing.dispose()
  return `${svg}\n`
}
