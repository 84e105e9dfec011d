import { isJson, type Json, listOf, objectsOf, textOf } from "./Json.ts"
import { orchestrationContainer } from "./PrepareDefinition.ts"

/** Lists whose entries are containers: entries of one name are one container (peers 126). */
const CONTAINER_LISTS: ReadonlySet<string> = new Set(["containerDefinitions", "containerOverrides"])

/**
 * Two free objects as one: objects merge at every depth, lists replace, containers pair by name and the unmatched come
 * last (peers 74, 126). A null stays, so that it beats what was below. `containerName` is whom an entry without a name means.
 */
export const mergeFree = (below: Json, above: Json, containerName: string): Json => {
  const merged = new Map(Object.entries(below))
  for (const [name, value] of Object.entries(above)) {
    merged.set(name, mergeMember(name, merged.get(name), value, containerName))
  }
  return Object.fromEntries(merged)
}

const mergeMember = (name: string, below: unknown, above: unknown, containerName: string): unknown => {
  if (CONTAINER_LISTS.has(name) && Array.isArray(below) && Array.isArray(above)) {
    return mergeContainers(below, above, containerName)
  }
  return isJson(below) && isJson(above) ? mergeFree(below, above, containerName) : above
}

const mergeContainers = (
  below: ReadonlyArray<unknown>,
  above: ReadonlyArray<unknown>,
  containerName: string
): ReadonlyArray<unknown> => {
  const left = new Map(above.entries())
  const paired = below.map((entry, index) => {
    const name = nameAt(below, index, containerName)
    const match = [...left].find(([at]) => name !== undefined && nameAt(above, at, containerName) === name)
    if (match === undefined || !isJson(entry) || !isJson(match[1])) return entry
    left.delete(match[0])
    return mergeFree(entry, match[1], containerName)
  })
  return [...paired, ...left.values()]
}

const nameAt = (entries: ReadonlyArray<unknown>, index: number, containerName: string): string | undefined => {
  const entry = entries[index]
  if (index === orchestrationIndex(entries, containerName)) return containerName
  return isJson(entry) ? textOf(entry["name"]) : undefined
}

/** Where the orchestration container stands in a list: by its name, else it is the first without one (peers 24, 65). */
export const orchestrationIndex = (entries: ReadonlyArray<unknown>, containerName: string): number => {
  const named = entries.findIndex((entry) => isJson(entry) && entry["name"] === containerName)
  if (named !== -1) return named
  return entries.findIndex(
    (entry) => isJson(entry) && Object.keys(entry).length > 0 && textOf(entry["name"]) === undefined
  )
}

/** Who the orchestration container is, over all levels: as configured, `main`, the first one named (peers 23). */
export const orchestrationName = (
  configured: string | undefined,
  levels: ReadonlyArray<{ readonly taskDefinition?: unknown; readonly taskRunRequest?: unknown }>
): string => {
  const defined = levels.flatMap(({ taskDefinition }) => entriesOf(taskDefinition, "containerDefinitions"))
  const overridden = levels.flatMap(({ taskRunRequest }) =>
    isJson(taskRunRequest) ? entriesOf(taskRunRequest["overrides"], "containerOverrides") : []
  )
  return orchestrationContainer({ containerDefinitions: defined.length > 0 ? defined : overridden }, configured)
}

const entriesOf = (parent: unknown, list: string): ReadonlyArray<Json> =>
  isJson(parent) ? objectsOf(parent[list]).filter((entry) => Object.keys(entry).length > 0) : []

/** Without members that are null, at every depth of objects and in containers; other lists are ECS's to read. */
export const withoutNulls = (value: Json): Json =>
  Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      if (inner === null || inner === undefined) return []
      if (CONTAINER_LISTS.has(name))
        return [[name, listOf(inner).map((each) => (isJson(each) ? withoutNulls(each) : each))]]
      return [[name, isJson(inner) ? withoutNulls(inner) : inner]]
    })
  )
