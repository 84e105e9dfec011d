import { isJson, type Json, listOf } from "#ecs-core/Json.ts"
import { FIELDS, OTHER_MEMBERS, SECRETS } from "./mapping.ts"
import { defaultOf } from "./shapes.ts"

/** What the pool does not have of the template. */
export interface Left {
  /** Where it stands in the template. */
  readonly path: string
  readonly why: string
  readonly advice: string
}

type Lefts = ReadonlyArray<Left>

/** What theirs does by itself, and nobody does here. */
export const notesOf = (pool: Json, configuration: Json, properties: Json): Lefts => [
  ...when("aws_credentials" in configuration || "aws_credentials" in properties, {
    path: "job_configuration.aws_credentials",
    why: "Credentials are never in a pool: calls are made with the services' own, or with a set that they know by name.",
    advice: 'Give the services the credentials; name a set of them by "credentials" in the pool.'
  }),
  ...when(pool["image"] === undefined && !hasImage(pool) && pool["taskDefinitionArn"] === undefined, {
    path: "variables.properties.image",
    why: "It has no default: theirs takes Prefect's image of its own version.",
    advice: "Name one with --image, or in each request."
  }),
  ...when(pool["command"] === undefined, {
    path: "variables.properties.command",
    why: "It has no default: theirs runs `prefect flow-run execute`, here the image's own command runs.",
    advice: 'Give "command" in the request, or in the pool.'
  }),
  ...when(!isPlaceholder(configuration["name"], "name") || defaultOf(properties, "name") !== undefined, {
    path: "job_configuration.name",
    why: "A name belongs to a job, not to a pool.",
    advice: 'Give "name" in the request.'
  })
]

const when = (holds: boolean, left: Left): Lefts => (holds ? [left] : [])

const isPlaceholder = (value: unknown, name: string): boolean =>
  value === undefined || value === `{{ ${name} }}` || value === `{{${name}}}`

const hasImage = ({ taskDefinition }: Json): boolean =>
  isJson(taskDefinition) &&
  listOf(taskDefinition["containerDefinitions"]).some((container) => isJson(container) && "image" in container)

/** Members of `job_configuration` that are nobody's. */
export const membersLeft = (configuration: Json): Lefts => {
  const known = new Set([...Object.keys(FIELDS), ...Object.keys(SECRETS), ...OTHER_MEMBERS])
  return Object.keys(configuration)
    .filter((member) => !known.has(member))
    .map((member) => ({
      path: `job_configuration.${member}`,
      why: "Prefect's ECS worker has no such member.",
      advice: "Nothing is lost, unless a worker of your own reads it."
    }))
}

/** Variables with a value that goes nowhere, and rules for values that nobody checks here. */
export const variablesLeft = (
  variables: Json,
  properties: Json,
  taken: ReadonlySet<string>,
  { variables: kept }: Json
): Lefts => {
  const required = new Set(listOf(variables["required"]))
  const used = new Set([...taken, ...(isJson(kept) ? Object.keys(kept) : [])])
  return Object.keys(properties).flatMap((name) => {
    const path = `variables.properties.${name}`
    const property = isJson(properties[name]) ? properties[name] : {}
    const rules = RULES.filter((rule) => rule in property).join(", ")
    return [
      ...when(defaultOf(properties, name) !== undefined && !used.has(name) && !NOTED.has(name), {
        path,
        why: "Its default goes nowhere: no placeholder of the template stands for it.",
        advice: "Nothing is lost."
      }),
      ...when(required.has(name) && defaultOf(properties, name) === undefined && used.has(name), {
        path: `variables.required (${name})`,
        why: "A request without it is not refused: what it stands for is left out.",
        advice: "Give it a default in the pool, or have producers give it."
      }),
      ...when(isJson(kept) && Object.hasOwn(kept, name) && rules !== "", {
        path,
        why: `Its rules (${rules}) are not checked: a variable takes any JSON.`,
        advice: "What does not fit the field that it fills is refused; the rest is ECS's to say."
      })
    ]
  })
}

/** Those of which something is said anyhow. */
const NOTED: ReadonlySet<string> = new Set(["aws_credentials", "name"])

const RULES = ["enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "items", "anyOf", "allOf"]
