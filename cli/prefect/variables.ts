import { isJson, type Json } from "#ecs-core/Json.ts"
import { namesAt, placesIn, VARIABLE_NAME_PATTERN } from "#ecs-core/Placeholders.ts"
import { type Left } from "./left.ts"
import { theirPath } from "./mapping.ts"
import { defaultOf, removeAt } from "./shapes.ts"

/** Declares the variables whose placeholders are still there; what only Prefect's server can fill is left out. */
export const withVariables = (
  pool: Json,
  properties: Json
): { readonly pool: Json; readonly left: ReadonlyArray<Left> } => {
  const unfit = placesIn(pool).find(({ names }) => names.some((name) => whyUnfit(name, properties) !== undefined))
  if (unfit !== undefined) {
    const [why = ""] = unfit.names.flatMap((name) => whyUnfit(name, properties) ?? [])
    const { left, pool: rest } = withVariables(removeAt(pool, unfit.path), properties)
    const item = { path: theirPath(unfit.path.join(".")), why, advice: ADVICE }
    return { pool: rest, left: [item, ...left] }
  }
  const names = [...new Set(placesIn(pool).flatMap(({ path }) => namesAt(pool, path)))]
  if (names.length === 0) return { pool, left: [] }
  return {
    pool: { ...pool, variables: Object.fromEntries(names.map((name) => [name, declared(name, properties)])) },
    left: []
  }
}

const ADVICE = "Write the value itself into the pool, or have the request give it."

const whyUnfit = (name: string, properties: Json): string | undefined => {
  if (name.startsWith("prefect.")) return `{{ ${name} }} is kept by Prefect's server.`
  if (name.startsWith("$")) return `{{ ${name} }} is a variable of the environment of Prefect's worker.`
  if (!VARIABLE_NAME_PATTERN.test(name)) return `{{ ${name} }} is no name of a variable here.`
  return isJson(properties[name]) ? undefined : `{{ ${name} }} has no value: the template declares no such variable.`
}

const declared = (name: string, properties: Json): Json => {
  const property = properties[name]
  const description = isJson(property) ? (property["description"] ?? property["title"]) : undefined
  const byDefault = defaultOf(properties, name)
  return {
    ...(byDefault === undefined ? {} : { default: byDefault }),
    ...(typeof description === "string" ? { description: description.slice(0, DESCRIPTION_CHARACTERS_MAX) } : {})
  }
}

/** What a pool takes of a description. */
const DESCRIPTION_CHARACTERS_MAX = 1024
