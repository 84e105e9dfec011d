import { readFileSync } from "node:fs"
import { join } from "node:path"
import { ConfigProvider, Effect, Option, Redacted } from "effect"
import { awsSettings } from "#aws/AwsConfig.ts"
import { connectionConfig } from "#bus/ConnectionConfig.ts"
import { probeConfig } from "#process/AwsProbe.ts"
import { recording, type Settings } from "#process/ConfigReport.ts"
import { topologyConfig } from "#process/FleetSetup.ts"
import { healthSettings } from "#process/HealthServer.ts"
import { telemetrySettings } from "#process/Telemetry.ts"
import { dispatcherConfig } from "#services/dispatcher/config.ts"
import { launcherConfig } from "#services/launcher/config.ts"
import { logStreamerConfig } from "#services/log-streamer/config.ts"
import { watcherConfig } from "#services/watcher/config.ts"

/** A module of settings: its file, the name of its record, and the record. */
interface Module {
  readonly file: string
  readonly name: string
  readonly settings: Settings
}

const module = (file: string, name: string, settings: Settings): Module => ({ file, name, settings })

/** The modules behind each table of docs/settings.md. */
const tables: Readonly<Record<string, ReadonlyArray<Module>>> = {
  "every process": [
    module("libs/bus/ConnectionConfig.ts", "connectionConfig", connectionConfig),
    module("libs/process/Telemetry.ts", "telemetrySettings", telemetrySettings),
    module("libs/process/HealthServer.ts", "healthSettings", healthSettings)
  ],
  streams: [module("libs/process/FleetSetup.ts", "topologyConfig", topologyConfig)],
  aws: [
    module("libs/aws/AwsConfig.ts", "awsSettings", awsSettings),
    module("libs/process/AwsProbe.ts", "probeConfig", probeConfig)
  ],
  dispatcher: [module("services/dispatcher/config.ts", "dispatcherConfig", dispatcherConfig)],
  launcher: [module("services/launcher/config.ts", "launcherConfig", launcherConfig)],
  watcher: [module("services/watcher/config.ts", "watcherConfig", watcherConfig)],
  "log-streamer": [module("services/log-streamer/config.ts", "logStreamerConfig", logStreamerConfig)]
}

/** Settings that a service has in common with others stand in the others' table. */
const shared = new Set<unknown>([...Object.values(topologyConfig), ...Object.values(probeConfig)])
const ownRecords = new Set<Settings>([topologyConfig, probeConfig])

const root = join(import.meta.dirname, "..", "..")

const escaped = (text: string): string => text.replaceAll("|", "\\|")

/** The docstring of each key of a record, as one line; links are from the page. */
const docstringsOf = ({ file, name }: Module): ReadonlyMap<string, string> => {
  const source = readFileSync(join(root, file), "utf8")
  const [, block = ""] = source.split(`export const ${name} = {`)
  const found = block.slice(0, block.indexOf("\n}\n") + 1).matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*(\w+):/g)
  const line = (text: string) =>
    text
      .replaceAll(/\s*\n\s*\*?\s*/g, " ")
      .replaceAll("](docs/settings.md#", "](#")
      .replaceAll("](docs/", "](")
      .trim()
  return new Map([...found].map(([, text = "", key = ""]) => [key, line(text)]))
}

/** As it would be written in the environment; nothing where there is no default. */
const shown = (value: unknown): string => {
  const plain = Option.isOption(value) ? Option.getOrUndefined(value) : value
  if (plain === undefined || Redacted.isRedacted(plain)) return ""
  return typeof plain === "number" ? String(plain) : `\`${String(plain)}\``
}

const rowOf = (config: Settings[string], meaning: string) =>
  Effect.gen(function* () {
    const asked = new Set<string>()
    const byDefault = yield* config.parse(recording(ConfigProvider.fromEnv({ env: {} }), asked))
    const names = [...asked].filter((name) => name === name.toUpperCase()).map((name) => `\`${name}\``)
    return `| ${names.join(", ")} | ${shown(byDefault)} | ${escaped(meaning)} |`
  })

const rowsOf = (each: Module) => {
  const docstrings = docstringsOf(each)
  const own = Object.entries(each.settings).filter(([, config]) => ownRecords.has(each.settings) || !shared.has(config))
  return Effect.forEach(own, ([key, config]) => {
    const meaning = docstrings.get(key)
    return meaning === undefined
      ? Effect.die(new Error(`${each.file}: say above ${key} what it means`))
      : rowOf(config, meaning)
  })
}

const tableOf = (modules: ReadonlyArray<Module>) =>
  Effect.map(Effect.forEach(modules, rowsOf), (rows) =>
    ["| variable | default | means |", "|---|---|---|", ...rows.flat()].join("\n")
  )

/** The page with its tables as the modules have them now; each stands between two markers. */
export const withTables = (page: string) =>
  Effect.reduce(
    Object.entries(tables),
    () => page,
    (text, [name, modules]) =>
      Effect.map(tableOf(modules), (table) => {
        const marked = new RegExp(`(<!-- settings: ${name} -->\n)[^]*?(\n<!-- end -->)`)
        if (!marked.test(text)) throw new Error(`docs/settings.md has no place for the settings of ${name}`)
        return text.replace(marked, (_, begin: string, end: string) => `${begin}${table}${end}`)
      })
  )
