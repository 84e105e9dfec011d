/**
 * A strict reader of Prometheus's text format, version 0.0.4: it throws on whatever the format does not allow, and on what
 * it allows but a scraper would not make sense of (a sample twice, a histogram whose buckets fall or do not end in +Inf).
 */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: ReadonlyArray<Sample>
}

interface Building {
  name: string
  type: string
  help: string
  samples: Array<Sample>
}

const TYPES = new Set(["counter", "gauge", "histogram", "summary", "untyped"])
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/

export const parsePrometheus = (text: string): ReadonlyMap<string, Family> => {
  if (!text.endsWith("\n")) throw new Error("the last line does not end")
  const families = new Map<string, Building>()
  const familyOf = (name: string): Building => {
    const known = families.get(name) ?? { name, type: "", help: "", samples: [] }
    families.set(name, known)
    return known
  }
  let current = ""
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line) ?? []
    if (kind === undefined) {
      const sample = sampleOf(line)
      const family = families.get(current)
      if (family === undefined || !belongs(sample.name, family)) throw new Error(`no TYPE before: ${line}`)
      family.samples.push(sample)
      continue
    }
    if (name !== current && families.has(name)) throw new Error(`${name} comes in two places`)
    const family = familyOf(name)
    current = name
    if (kind === "HELP") family.help = rest
    else if (TYPES.has(rest) && family.type === "") family.type = rest
    else throw new Error(`not a type, or a second one: ${line}`)
  }
  for (const family of families.values()) check(family)
  return families
}

const sampleOf = (line: string): Sample => {
  const name = NAME.exec(line)?.[0] ?? ""
  let rest = line.slice(name.length)
  const labels: Record<string, string> = {}
  if (rest.startsWith("{")) {
    rest = rest.slice(1)
    while (!rest.startsWith("}")) {
      const [all, label = "", value = ""] = LABEL.exec(rest) ?? []
      if (all === undefined || label in labels) throw new Error(`bad labels: ${line}`)
      labels[label] = value.replaceAll(/\\(["\\n])/g, (_, sign: string) => (sign === "n" ? "\n" : sign))
      rest = rest.slice(all.length).replace(/^,(?=[^}])/, "")
    }
    rest = rest.slice(1)
  }
  const [, value = ""] = /^ (NaN|[+-]Inf|-?[0-9.]+(?:e[+-]?[0-9]+)?)$/.exec(rest) ?? []
  if (name === "" || value === "") throw new Error(`no sample: ${line}`)
  return { name, labels, value: value.endsWith("Inf") ? Number(`${value}inity`) : Number(value) }
}

const belongs = (name: string, family: Building): boolean =>
  family.type === "histogram"
    ? [`${family.name}_bucket`, `${family.name}_sum`, `${family.name}_count`].includes(name)
    : name === family.name

const check = ({ help, name, samples, type }: Building): void => {
  if (type === "" || help === "") throw new Error(`${name} lacks TYPE or HELP`)
  const keys = samples.map((sample) => keyOf(sample))
  if (new Set(keys).size !== keys.length) throw new Error(`${name} has a sample twice`)
  if (type === "counter" && samples.some(({ value }) => !(value >= 0))) throw new Error(`${name} counts below 0`)
  if (type === "histogram") for (const series of seriesOf(samples)) checkHistogram(name, series)
}

const keyOf = ({ labels, name }: Sample): string => JSON.stringify([name, Object.entries(labels).toSorted()])

const seriesOf = (samples: ReadonlyArray<Sample>): ReadonlyArray<ReadonlyArray<Sample>> => [
  ...Map.groupBy(samples, ({ labels: { le: _le, ...labels } }) => keyOf({ name: "", labels, value: 0 })).values()
]

const checkHistogram = (name: string, series: ReadonlyArray<Sample>): void => {
  const buckets = series.filter((sample) => sample.name === `${name}_bucket`)
  const bounds = buckets.map(({ labels }) =>
    labels["le"] === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels["le"])
  )
  const rises = (values: ReadonlyArray<number>) =>
    values.every((value, at) => at === 0 || value >= (values[at - 1] ?? 0))
  const count = series.find((sample) => sample.name === `${name}_count`)?.value
  const isWhole = bounds.at(-1) === Number.POSITIVE_INFINITY && buckets.at(-1)?.value === count
  const isSound = rises(bounds) && new Set(bounds).size === bounds.length && rises(buckets.map(({ value }) => value))
  if (!isWhole || !isSound || !series.some((sample) => sample.name === `${name}_sum`))
    throw new Error(`${name} is no histogram: ${JSON.stringify(series)}`)
}
