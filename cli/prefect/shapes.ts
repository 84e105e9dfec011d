import { isJson, type Json } from "#ecs-core/Json.ts"

/** The default of a variable of their template; undefined = it has none, or null. */
export const defaultOf = (properties: Json, name: string): unknown => {
  const property = properties[name]
  return isJson(property) ? (property["default"] ?? undefined) : undefined
}

/** The value without empty objects and lists, at every depth; undefined = nothing is left. */
export const emptied = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    const kept = value.map(emptied).filter((inner) => inner !== undefined)
    return kept.length === 0 ? undefined : kept
  }
  if (!isJson(value)) return value
  const kept = Object.entries(value).flatMap(([name, inner]) => {
    const left = emptied(inner)
    return left === undefined ? [] : [[name, left]]
  })
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

/** The object without what stands at a path; where the path leads past its end, without the last of it that is there. */
export const removeAt = (value: Json, path: ReadonlyArray<string>): Json => {
  const without = removed(value, path)
  return isJson(without) ? without : {}
}

const removed = (value: unknown, [step = "", ...rest]: ReadonlyArray<string>): unknown => {
  if (Array.isArray(value)) {
    const inner = value[Number(step)] as unknown
    const left = reachable(inner, rest) ? removed(inner, rest) : undefined
    return left === undefined ? value.toSpliced(Number(step), 1) : value.with(Number(step), left)
  }
  if (!isJson(value)) return undefined
  const { [step]: inner, ...others } = value
  const left = reachable(inner, rest) ? removed(inner, rest) : undefined
  return left === undefined ? others : { ...value, [step]: left }
}

const reachable = (value: unknown, [step]: ReadonlyArray<string>): boolean =>
  step !== undefined && typeof value === "object" && value !== null && Object.hasOwn(value, step)

/** Their worker makes ECS's lists of maps: `environment` and `tags` of the run request. */
export const inEcsShapes = (request: unknown): unknown => {
  if (!isJson(request)) return request
  const overrides = request["overrides"]
  const containers = isJson(overrides) ? overrides["containerOverrides"] : undefined
  return {
    ...request,
    ...(isJson(request["tags"]) ? { tags: listOfMap(request["tags"], "key") } : {}),
    ...(isJson(overrides) && Array.isArray(containers)
      ? { overrides: { ...overrides, containerOverrides: containers.map(withEnvironmentList) } }
      : {})
  }
}

const withEnvironmentList = (container: unknown): unknown =>
  isJson(container) && isJson(container["environment"])
    ? { ...container, environment: listOfMap(container["environment"], "name") }
    : container

const listOfMap = (map: Json, name: "name" | "key"): ReadonlyArray<Json> =>
  Object.entries(map).flatMap(([key, value]) => (value === null ? [] : [{ [name]: key, value }]))
