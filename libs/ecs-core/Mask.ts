import { type Kind, type Members, taskDefinitionMembers, taskRunRequestMembers } from "./FreeMembers.ts"
import { isOfKind } from "./FreeProblems.ts"
import { isJson, type Json } from "./Json.ts"

/** What stands in the place of a value that may be secret. */
export const MASK = "***"

/** Environments, values of variables, and mount options of volumes, in which passwords stand (`o: "username=…,password=…"`). */
const MASKED_MAPS: ReadonlySet<string> = new Set(["env", "environment", "driverOpts", "variables"])

/** Options of log drivers: `splunk-token`, `apikey` and their like are masked, the others shown. */
const SECRET_OPTION = /token|password|passwd|secret|api-?_?key|credential|authorization/i

/** Programs and their arguments: shown, except what names itself a secret (`--password=…`, `--api-key …`). */
const COMMANDS: ReadonlySet<string> = new Set(["command", "entryPoint"])

const FREE_OBJECTS: Readonly<Record<string, Members>> = {
  taskDefinition: taskDefinitionMembers,
  taskRunRequest: taskRunRequestMembers
}

/**
 * A request or definition as it may be shown and stored: environment values masked, names kept. Applies at every
 * depth, to maps (`env: {NAME: value}`) and to ECS's lists (`environment: [{name, value}]`). In a request's free objects
 * what ECS does not know is masked too: `enviroment` may hold what `environment` was meant to.
 */
export const mask = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(mask)
  if (!isJson(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, maskMember(name, inner)]))
}

const maskMember = (name: string, value: unknown): unknown => {
  if (MASKED_MAPS.has(name)) return maskEnvironment(value)
  if (name === "options" && isJson(value)) return maskOptions(value)
  if (COMMANDS.has(name)) return maskCommand(value)
  const members = Object.hasOwn(FREE_OBJECTS, name) ? FREE_OBJECTS[name] : undefined
  return members !== undefined && isJson(value) ? mask(knownOnly(value, members)) : mask(value)
}

const knownOnly = (value: Json, members: Members): Json =>
  Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const kind = Object.hasOwn(members, name) ? members[name] : undefined
      return [name, kind === undefined ? MASK : knownValue(inner, kind)]
    })
  )

const knownValue = (value: unknown, kind: Kind): unknown => {
  if (typeof kind === "object" && "members" in kind && isJson(value)) return knownOnly(value, kind.members)
  if (typeof kind === "object" && "each" in kind && Array.isArray(value)) {
    return value.map((each: unknown) => (isJson(each) ? knownOnly(each, kind.each) : MASK))
  }
  return isOfKind(value, kind) ? value : MASK
}

const maskEnvironment = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(maskEntry)
  if (!isJson(value)) return MASK
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, inner === null ? null : MASK]))
}

/** `{name, value}` keeps its name; anything else, such as `"NAME=value"`, shows nothing. */
const maskEntry = (entry: unknown): unknown =>
  isJson(entry) && typeof entry["name"] === "string" ? { name: entry["name"], value: MASK } : MASK

const maskOptions = (options: Json): Json =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, SECRET_OPTION.test(name) ? MASK : mask(value)])
  )

const secretName = "[\\w-]*(?:token|password|passwd|secret|api-?_?key|credential)[\\w-]*"
const secretFlag = new RegExp(`^--?${secretName}$`, "i")

/** The second group is the secret, in an assignment, in a header, or in the address of a user with a password. */
const secretParts = [
  new RegExp(`(${secretName}=)("[^"]*"|'[^']*'|[^\\s,;"'&|)]+)`, "gi"),
  /(authorization["']?\s*:\s*)((?:bearer|basic)\s+\S+|\S+)/gi,
  /(\w+:\/\/[^\s/:@]*:)([^\s/@]+)(?=@)/g
]

/** A text in which what names itself a secret is masked. */
export const maskText = (text: string): string =>
  secretParts.reduce((masked, pattern) => masked.replaceAll(pattern, `$1${MASK}`), text)

const secretsIn = (text: string): ReadonlyArray<string> =>
  secretParts.flatMap((pattern) => [...text.matchAll(pattern)].map(([, , secret = ""]) => secret))

const maskCommand = (command: unknown): unknown => {
  if (typeof command === "string") return maskText(command)
  if (!Array.isArray(command)) return mask(command)
  return command.map((word: unknown, at) => {
    if (typeof word !== "string") return mask(word)
    const before: unknown = command[at - 1]
    return typeof before === "string" && secretFlag.test(before) ? MASK : maskText(word)
  })
}

/** Values shorter than this are not looked for in a text: `1` and `on` stand everywhere. */
export const HIDDEN_CHARS_MIN = 4

/** What `mask` hides in a value: every text that it does not show, the fleet's own variables aside. */
export const maskedValues = (value: unknown): ReadonlyArray<string> => [...new Set(hiddenIn(value, mask(value)))]

const hiddenIn = (value: unknown, shown: unknown): ReadonlyArray<string> => {
  if (shown === MASK) return textsIn(value)
  if (typeof value === "string") return value === shown ? [] : [value, ...secretsIn(value)].flatMap(textsIn)
  if (Array.isArray(value)) return value.flatMap((each, at) => hiddenIn(each, Array.isArray(shown) ? shown[at] : MASK))
  if (!isJson(value) || isOwnVariable(value)) return []
  return Object.entries(value).flatMap(([name, inner]) => hiddenIn(inner, isJson(shown) ? shown[name] : MASK))
}

const isOwnVariable = ({ name }: Json): boolean => typeof name === "string" && name.startsWith("FLEET_")

const textsIn = (value: unknown): ReadonlyArray<string> => {
  if (typeof value === "string") return value.length < HIDDEN_CHARS_MIN ? [] : [value]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return isJson(value) ? Object.values(value).flatMap(textsIn) : []
}

/** A text with these values masked, also where they stand in it as in JSON. */
export const hideValues = (text: string, values: ReadonlyArray<string>): string =>
  values
    .flatMap((value) => [value, JSON.stringify(value).slice(1, -1)])
    .toSorted((one, other) => other.length - one.length)
    .reduce((hidden, value) => hidden.replaceAll(value, MASK), text)
