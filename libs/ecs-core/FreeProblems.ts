import type { Problem } from "./errors.ts"
import { fieldProblem, kindOf, PUBLISH_AGAIN, unknownField } from "./FieldProblem.ts"
import { type Kind, type Members, taskDefinitionMembers, taskRunRequestMembers } from "./FreeMembers.ts"
import { isJson, objectsOf } from "./Json.ts"
import {
  isCapacityProviderStrategy,
  OWN_ENV_NAMES,
  SECURITY_GROUPS_MAX,
  SUBNETS_MAX,
  TAG_KEY_PATTERN,
  TAG_KEY_RULE,
  TAG_VALUE_PATTERN,
  TAG_VALUE_RULE,
  TAGS_MAX
} from "./RunRequest.ts"

type Path = ReadonlyArray<string>

/**
 * What is wrong with the two free objects of a request or a pool: names that ECS does not know, values of another kind,
 * and what the fleet keeps to itself. Values may be secret: only their kinds are told.
 */
export const freeProblems = (level: {
  readonly taskDefinition?: unknown
  readonly taskRunRequest?: unknown
}): ReadonlyArray<Problem> => {
  const { taskDefinition, taskRunRequest } = level
  return [
    ...(isJson(taskDefinition) ? definitionProblems(taskDefinition) : []),
    ...(isJson(taskRunRequest) ? runRequestProblems(taskRunRequest) : [])
  ]
}

const definitionProblems = (definition: Readonly<Record<string, unknown>>): ReadonlyArray<Problem> => {
  const path = ["taskDefinition"]
  return [
    ...memberProblems(definition, taskDefinitionMembers, path),
    ...tagProblems(definition["tags"], [...path, "tags"]),
    ...ownNameProblems(definition["containerDefinitions"], [...path, "containerDefinitions"])
  ]
}

const runRequestProblems = (request: Readonly<Record<string, unknown>>): ReadonlyArray<Problem> => {
  const path = ["taskRunRequest"]
  const overrides = isJson(request["overrides"]) ? request["overrides"] : {}
  return [
    ...memberProblems(request, taskRunRequestMembers, path),
    ...fleetsOwn(request),
    ...strategyProblems(request["capacityProviderStrategy"]),
    ...networkProblems(request["networkConfiguration"]),
    ...tagProblems(request["tags"], [...path, "tags"]),
    ...ownNameProblems(overrides["containerOverrides"], [...path, "overrides", "containerOverrides"])
  ]
}

const memberProblems = (value: object, members: Members, path: Path): ReadonlyArray<Problem> =>
  Object.entries(value).flatMap(([name, inner]) => {
    const kind = Object.hasOwn(members, name) ? members[name] : undefined
    return kind === undefined
      ? [unknownField([...path, name], Object.keys(members))]
      : kindProblems(inner, kind, [...path, name])
  })

/** `null` says nothing, at any place: it takes back what a lower level said. */
const kindProblems = (value: unknown, kind: Kind, path: Path): ReadonlyArray<Problem> => {
  if (isOfKind(value, kind)) return []
  if (typeof kind === "string") return [wrongKind(path, plainKinds[kind].words, value)]
  if ("oneOf" in kind) return [notOneOf(path, kind.oneOf, value)]
  if ("members" in kind) {
    return isJson(value) ? memberProblems(value, kind.members, path) : [wrongKind(path, "an object", value)]
  }
  if (!Array.isArray(value)) return [wrongKind(path, `a list of ${shapeOf(kind.each)}`, value)]
  return value.flatMap((item: unknown, index) => {
    const at = [...path, String(index)]
    return isJson(item) ? memberProblems(item, kind.each, at) : [wrongKind(at, shapeOf(kind.each), item)]
  })
}

/** Whether a value is of a kind that has no members of its own; null is of every kind. */
export const isOfKind = (value: unknown, kind: Kind): boolean => {
  if (value === null) return true
  if (typeof kind === "string") return plainKinds[kind].is(value)
  return "oneOf" in kind && kind.oneOf.some((one) => one === value)
}

const isText = (value: unknown): boolean => typeof value === "string"
const isNumber = (value: unknown): boolean => Number.isFinite(value)

const plainKinds: Readonly<
  Record<Extract<Kind, string>, { readonly is: (value: unknown) => boolean; readonly words: string }>
> = {
  text: { is: isText, words: "a string" },
  number: { is: isNumber, words: "a number" },
  size: { is: (value) => isNumber(value) || isText(value), words: "a number or a string" },
  boolean: { is: (value) => typeof value === "boolean", words: "true or false" },
  texts: { is: (value) => Array.isArray(value) && value.every(isText), words: "a list of strings" },
  numbers: { is: (value) => Array.isArray(value) && value.every(isNumber), words: "a list of numbers" },
  map: {
    is: (value) => isJson(value) && Object.values(value).every((inner) => inner === null || isText(inner)),
    words: "an object of strings"
  }
}

/** `{"name", "value"}` for a short shape; a long one is an object. */
const shapeOf = (members: Members): string => {
  const names = Object.keys(members)
  return names.length > 3 ? "objects" : `{${names.map((name) => `"${name}"`).join(", ")}}`
}

const wrongKind = (path: Path, expected: string, value: unknown): Problem => {
  const field = path.join(".")
  const own = namedInstead[path.at(-1) ?? ""]
  const advice = own !== undefined && isJson(value) ? own : `Correct "${field}"${PUBLISH_AGAIN}.`
  return fieldProblem(field, `Field "${field}": expected ${expected}, got ${kindOf(value)} (not shown).`, advice)
}

/** Lists of ECS that people write as maps. */
const namedInstead: Readonly<Record<string, string>> = {
  environment: 'ECS takes a list: [{"name": "LEVEL", "value": "info"}]. For a map, use the field "env".',
  secrets: 'ECS takes a list: [{"name": "TOKEN", "valueFrom": "<arn>"}]. For a map, use the field "secrets".',
  tags: 'ECS takes a list: [{"key": "team", "value": "data"}]. For a map, use the field "tags".'
}

const notOneOf = (path: Path, values: ReadonlyArray<string>, value: unknown): Problem => {
  const field = path.join(".")
  const shown = values.map((one) => `"${one}"`).join(" | ")
  return fieldProblem(
    field,
    `Field "${field}": expected ${shown}, got ${kindOf(value)} of another value.`,
    `Correct "${field}"${PUBLISH_AGAIN}.`
  )
}

/** One run is one task, and its token and its mark are what "exactly once" hangs on (peers 74). */
const fleetsOwn = (request: Readonly<Record<string, unknown>>): ReadonlyArray<Problem> => {
  const { count = null, clientToken = null, startedBy = null } = request
  const at = (name: string) => `taskRunRequest.${name}`
  return [
    ...(count === null || count === 1 || typeof count !== "number"
      ? []
      : [
          fieldProblem(
            at("count"),
            `Field "${at("count")}": one run is one task, got ${count}.`,
            "Publish one request for each task."
          )
        ]),
    ...Object.entries({ clientToken, startedBy }).flatMap(([name, value]) =>
      value === null
        ? []
        : [fieldProblem(at(name), `Field "${at(name)}" is the fleet's own.`, `Remove it; tell runs apart by "runId".`)]
    )
  ]
}

const strategyProblems = (strategy: unknown): ReadonlyArray<Problem> => {
  if (!Array.isArray(strategy) || isCapacityProviderStrategy(strategy)) return []
  const field = "taskRunRequest.capacityProviderStrategy"
  const message = `Field "${field}": up to 20 of {"capacityProvider", "weight": 0 to 1000, "base": 0 to 100000}.`
  return [fieldProblem(field, message, `Correct "${field}", or use the field "capacityProviderStrategy".`)]
}

const networkProblems = (network: unknown): ReadonlyArray<Problem> => {
  const given = isJson(network) ? network["awsvpcConfiguration"] : undefined
  if (!isJson(given)) return []
  const path = "taskRunRequest.networkConfiguration.awsvpcConfiguration"
  return Object.entries({ subnets: SUBNETS_MAX, securityGroups: SECURITY_GROUPS_MAX }).flatMap(([name, most]) => {
    const list = given[name]
    if (!Array.isArray(list) || list.length <= most) return []
    const field = `${path}.${name}`
    return [fieldProblem(field, `Field "${field}": at most ${most}, got ${list.length}.`, "Leave some out.")]
  })
}

const tagProblems = (tags: unknown, path: Path): ReadonlyArray<Problem> => {
  const list = path.join(".")
  const given = objectsOf(tags)
  const many =
    given.length <= TAGS_MAX
      ? []
      : [
          fieldProblem(
            list,
            `Field "${list}": ECS takes at most ${TAGS_MAX} tags, got ${given.length}.`,
            "Remove some."
          )
        ]
  const wrong = given.flatMap(({ key, value }, index) => {
    const at = `${list}.${index}`
    return [
      ...(typeof key !== "string" || TAG_KEY_PATTERN.test(key)
        ? []
        : [fieldProblem(`${at}.key`, `Field "${at}.key": must be ${TAG_KEY_RULE}.`, "Correct the key.")]),
      ...(typeof value !== "string" || TAG_VALUE_PATTERN.test(value)
        ? []
        : [fieldProblem(`${at}.value`, `Field "${at}.value": must be ${TAG_VALUE_RULE}.`, "Correct the value.")])
    ]
  })
  return [...many, ...wrong]
}

/** `FLEET_RUN_ID` and its like are set at launch, over whatever a container has. */
const ownNameProblems = (containers: unknown, path: Path): ReadonlyArray<Problem> =>
  !Array.isArray(containers)
    ? []
    : containers.flatMap((container: unknown, index) =>
        !isJson(container)
          ? []
          : (["environment", "secrets"] as const).flatMap((list) =>
              ownNamesIn(container[list], [...path, String(index), list])
            )
      )

const ownNamesIn = (entries: unknown, path: Path): ReadonlyArray<Problem> =>
  !Array.isArray(entries)
    ? []
    : entries.flatMap((entry: unknown, index) =>
        isJson(entry) && OWN_ENV_NAMES.some((own) => own === entry["name"])
          ? [ownNameProblem([...path, String(index)].join("."), String(entry["name"]))]
          : []
      )

export const ownNameProblem = (field: string, name: string): Problem =>
  fieldProblem(
    field,
    `Field "${field}": the fleet itself sets ${name} in every container it starts.`,
    "Choose another name; the program finds its run's id and attempt under these."
  )
