/**
 * A work pool of Prefect's ECS worker as a pool. In their base job template every value goes through a placeholder, here
 * fields have their places by themselves: so a placeholder that stands where the packaged template has it becomes a
 * field, with the variable's default. Placeholders elsewhere, and those of variables of one's own, stay what they are.
 */
import { canonicalJson } from "#ecs-core/Digest.ts"
import { isJson, type Json, listOf, objectsOf, textOf } from "#ecs-core/Json.ts"
import { placesIn, wholePlaceholder } from "#ecs-core/Placeholders.ts"
import { poolProblems } from "#ecs-core/PoolProblems.ts"
import { valueAt } from "#ecs-core/StrictProblems.ts"
import { type Left, membersLeft, notesOf, variablesLeft } from "./left.ts"
import { FIELDS, PLACES, SECRETS, theirPath } from "./mapping.ts"
import { defaultOf, emptied, inEcsShapes, removeAt } from "./shapes.ts"
import { withVariables } from "./variables.ts"

export interface Imported {
  readonly pool: Json
  readonly left: ReadonlyArray<Left>
}

export interface ImportOptions {
  /** In the place of the template's. */
  readonly image?: string | undefined
  readonly runTimeoutSecondsMax: number
}

/** A base job template is recognised by its two halves; undefined = this is none. */
export const importTemplate = (template: unknown, options: ImportOptions): Imported | undefined => {
  const configuration = isJson(template) ? template["job_configuration"] : undefined
  const variables = isJson(template) && isJson(template["variables"]) ? template["variables"] : {}
  if (!isJson(configuration)) return undefined
  const properties = isJson(variables["properties"]) ? variables["properties"] : {}
  const { rest, taken } = withoutPlaces(configuration)
  const raw = {
    ...fieldsOf(rest, taken, properties),
    ...containerNameOf(configuration, properties),
    ...launchTypeOf(rest, taken),
    ...freeOf(rest)
  }
  const named = options.image === undefined ? raw : withImage(raw, options.image)
  const filled = withVariables(named, properties)
  const valid = withoutProblems(filled.pool, options.runTimeoutSecondsMax)
  const left = [
    ...notesOf(valid.pool, configuration, properties),
    ...membersLeft(configuration),
    ...variablesLeft(variables, properties, taken, valid.pool),
    ...filled.left,
    ...valid.left
  ]
  return { pool: withoutEmpty(valid.pool), left }
}

/** The configuration without the placeholders whose place is a field's, and whose they were. */
const withoutPlaces = (configuration: Json): { readonly rest: Json; readonly taken: ReadonlySet<string> } => {
  const found = placesIn(configuration).flatMap(({ path }) => {
    const name = wholePlaceholder(valueAt(configuration, path))
    return name !== undefined && placeOf(configuration, path) === name ? [{ path, name }] : []
  })
  const rest = found.toReversed().reduce<Json>((kept, { path }) => removeAt(kept, path), configuration)
  return { rest, taken: new Set(found.map(({ name }) => name)) }
}

/** The variable that the packaged template has at a path. */
const placeOf = (configuration: Json, path: ReadonlyArray<string>): string | undefined => {
  const [member = ""] = path
  if (path.length === 1) return member
  const at = path.findIndex((step) => step === "containerDefinitions" || step === "containerOverrides")
  if (at < 0) return PLACES[path.join(".")]
  const isOrchestration = Number(path[at + 1]) === orchestrationAt(valueAt(configuration, path.slice(0, at + 1)))
  return isOrchestration ? PLACES[path.with(at + 1, "*").join(".")] : undefined
}

/** The entry that bears the configured name, else the first one without a name, else the first. */
const orchestrationAt = (containers: unknown): number => {
  const entries = objectsOf(containers)
  const named = entries.findIndex(({ name }) => wholePlaceholder(name) === "container_name")
  return named >= 0
    ? named
    : Math.max(
        0,
        entries.findIndex(({ name }) => name === undefined)
      )
}

const fieldsOf = (rest: Json, taken: ReadonlySet<string>, properties: Json): Json => {
  const valueFor = (name: string): unknown =>
    Object.hasOwn(rest, name) ? rest[name] : taken.has(name) ? defaultOf(properties, name) : undefined
  const fields = Object.entries(FIELDS).flatMap(([theirs, ours]) => {
    const value = valueFor(theirs) ?? undefined
    return value === undefined || emptied(value) === undefined ? [] : [[ours, inOurShape(ours, value)] as const]
  })
  const secrets = Object.entries(SECRETS).flatMap(([theirs, name]) => {
    const arn = textOf(valueFor(theirs))
    return arn === undefined ? [] : [[name, arn] as const]
  })
  const credentials = valueFor("aws_credentials")
  const region = isJson(credentials) ? textOf(credentials["region_name"]) : undefined
  return {
    ...Object.fromEntries(fields),
    ...(secrets.length === 0 ? {} : { secrets: Object.fromEntries(secrets) }),
    ...(region === undefined ? {} : { region })
  }
}

const inOurShape = (field: string, value: unknown): unknown => {
  if ((field === "cpu" || field === "memory") && typeof value === "string" && /^\d+$/.test(value)) return Number(value)
  if (field === "networkConfiguration" && isJson(value)) return value["awsvpcConfiguration"] ?? value
  return value
}

/** Theirs is `prefect` if there is such a container, else the first one that has a name; of a linked one AWS knows. */
const containerNameOf = ({ container_name, task_definition }: Json, properties: Json): Json => {
  const isOwn = wholePlaceholder(container_name) !== "container_name" && textOf(container_name) !== undefined
  const given = isOwn ? container_name : defaultOf(properties, "container_name")
  if (given !== undefined) return { containerName: given }
  if (defaultOf(properties, "task_definition_arn") !== undefined) return {}
  const containers = isJson(task_definition) ? objectsOf(task_definition["containerDefinitions"]) : []
  const names = containers.map(({ name }) => textOf(name)).filter((name) => name !== undefined && !name.includes("{{"))
  return { containerName: names.includes("prefect") ? "prefect" : (names[0] ?? "prefect") }
}

const freeOf = ({ task_definition, task_run_request }: Json): Json => ({
  ...(isJson(task_definition) ? { taskDefinition: emptied(task_definition) ?? {} } : {}),
  ...(isJson(task_run_request) ? { taskRunRequest: emptied(inEcsShapes(task_run_request)) ?? {} } : {})
})

/** Without a launch type theirs lets a definition for EC2 decide; here that is said by null. */
const launchTypeOf = ({ task_definition, task_run_request }: Json, taken: ReadonlySet<string>): Json => {
  const isSaid = taken.has("launch_type") || (isJson(task_run_request) && "launchType" in task_run_request)
  const compatibilities = isJson(task_definition) ? listOf(task_definition["requiresCompatibilities"]) : []
  return !isSaid && compatibilities.includes("EC2") ? { launchType: null } : {}
}

/** The image is the orchestration container's wherever the template has it. */
const withImage = (pool: Json, image: string): Json => {
  const containers = valueAt(pool, ["taskDefinition", "containerDefinitions"])
  const at = orchestrationAt(containers)
  const path = ["taskDefinition", "containerDefinitions", String(at), "image"]
  return { ...(valueAt(pool, path) === undefined ? pool : removeAt(pool, path)), image }
}

/** What is not valid here is left out, one problem after the other, until the rest is. */
const withoutProblems = (pool: Json, runTimeoutSecondsMax: number): Imported => {
  const [problem] = poolProblems(pool, runTimeoutSecondsMax)
  if (problem?.field === undefined) return { pool, left: [] }
  const { advice, field, message } = problem
  const item = { path: theirPath(field), why: message, advice }
  const cut = removeAt(pool, field.split("."))
  if (canonicalJson(cut) === canonicalJson(pool)) return { pool, left: [item] }
  const { left, pool: valid } = withoutProblems(cut, runTimeoutSecondsMax)
  return { pool: valid, left: [item, ...left] }
}

/** A free object of which nothing is left is not said. */
const withoutEmpty = (pool: Json): Json =>
  Object.fromEntries(
    Object.entries(pool).flatMap(([field, value]) => {
      const left = field === "taskDefinition" || field === "taskRunRequest" ? emptied(value) : value
      return left === undefined ? [] : [[field, left]]
    })
  )
