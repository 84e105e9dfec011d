import { readFileSync } from "node:fs"
import { join } from "node:path"

export const operatingPage = readFileSync(join(process.cwd(), "docs/operating.md"), "utf8")

/** A row of the table of metrics in docs/operating.md. */
export interface MetricRow {
  readonly name: string
  readonly type: string
  readonly labels: ReadonlyArray<string>
}

export const metricRows: ReadonlyArray<MetricRow> = [
  ...operatingPage.matchAll(/^\| `(fleet_[a-z_]+)` \| (counter|gauge|histogram) \| ([^|]*)\|/gm)
].map(([, name = "", type = "", labels = ""]) => ({
  name,
  type,
  labels: [...labels.matchAll(/`([a-z_]+)`/g)].map(([, label = ""]) => label)
}))
