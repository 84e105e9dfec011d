import type * as Sdk from "@aws-sdk/client-ecs"
import { Result } from "effect"
import { type Answer, refuse } from "./AwsException.ts"
import { page } from "./pages.ts"
import { readBack } from "./readBack.ts"
import { refuseDefinition } from "./taskDefinitionRules.ts"
import { type DefinitionRecord, ecsArn, partitionOf, type Region, regionOf, type World } from "./World.ts"

export const registerTaskDefinition = (
  world: World,
  region: string,
  input: Sdk.RegisterTaskDefinitionRequest,
  now: number
): Answer<Sdk.RegisterTaskDefinitionResponse> => {
  const problem = refuseDefinition(input)
  if (problem !== undefined) return Result.fail(problem)
  const { tags = [], ...definition } = input
  const family = input.family ?? ""
  const { families } = regionOf(world, region)
  const revisions = families.get(family) ?? []
  const revision = revisions.length + 1
  const arn = ecsArn(world, region, `task-definition/${family}:${revision}`)
  const record: DefinitionRecord = {
    definition: readBack(definition, {
      taskDefinitionArn: arn,
      revision,
      registeredAt: new Date(now),
      registeredBy: `arn:${partitionOf(region)}:iam::${world.options.accountId}:root`
    }),
    tags
  }
  revisions.push(record)
  families.set(family, revisions)
  return Result.succeed({ taskDefinition: record.definition, tags: [...record.tags] })
}

/** Finds `family` (latest ACTIVE), `family:revision` or an ARN. */
export const findDefinition = (region: Region, reference: string | undefined): DefinitionRecord | undefined => {
  const name = (reference ?? "").replace(/^arn:[^/]*\//, "")
  const [family = "", revision] = name.split(":")
  const revisions = region.families.get(family) ?? []
  return revision === undefined
    ? revisions.findLast(({ definition }) => definition.status === "ACTIVE")
    : revisions[Number(revision) - 1]
}

export const describeTaskDefinition = (
  world: World,
  region: string,
  input: Sdk.DescribeTaskDefinitionRequest
): Answer<Sdk.DescribeTaskDefinitionResponse> => {
  const record = findDefinition(regionOf(world, region), input.taskDefinition)
  if (record === undefined) return refuse("ClientException", "Unable to describe task definition.")
  const tags = input.include?.includes("TAGS") === true ? { tags: [...record.tags] } : {}
  return Result.succeed({ taskDefinition: record.definition, ...tags })
}

export const deregisterTaskDefinition = (
  world: World,
  region: string,
  input: Sdk.DeregisterTaskDefinitionRequest,
  now: number
): Answer<Sdk.DeregisterTaskDefinitionResponse> => {
  const home = regionOf(world, region)
  if (!/:\d+$/.test(input.taskDefinition ?? "")) {
    return refuse("InvalidParameterException", `Missing revision in task definition '${input.taskDefinition ?? ""}'.`)
  }
  const record = findDefinition(home, input.taskDefinition)
  const { family, revision } = record?.definition ?? {}
  if (record === undefined || family === undefined || revision === undefined) {
    return refuse("ClientException", "The specified task definition does not exist.")
  }
  const definition: Sdk.TaskDefinition = { ...record.definition, status: "INACTIVE", deregisteredAt: new Date(now) }
  home.families.set(family, (home.families.get(family) ?? []).with(revision - 1, { ...record, definition }))
  return Result.succeed({ taskDefinition: definition })
}

export const listTaskDefinitions = (
  world: World,
  region: string,
  input: Sdk.ListTaskDefinitionsRequest
): Answer<Sdk.ListTaskDefinitionsResponse> => {
  const status = input.status ?? "ACTIVE"
  const arns = familiesByName(regionOf(world, region))
    .filter(([family]) => input.familyPrefix === undefined || family === input.familyPrefix)
    .flatMap(([, revisions]) => revisions)
    .filter(({ definition }) => definition.status === status)
    .map(({ definition }) => definition.taskDefinitionArn ?? "")
  const sorted = input.sort === "DESC" ? arns.toReversed() : arns
  return Result.map(page(sorted, input.nextToken, input.maxResults, 100), ({ items, nextToken }) => ({
    taskDefinitionArns: items,
    nextToken
  }))
}

export const listTaskDefinitionFamilies = (
  world: World,
  region: string,
  input: Sdk.ListTaskDefinitionFamiliesRequest
): Answer<Sdk.ListTaskDefinitionFamiliesResponse> => {
  const isWanted = (revisions: ReadonlyArray<DefinitionRecord>) => {
    const isActive = revisions.some(({ definition }) => definition.status === "ACTIVE")
    return input.status === undefined || input.status === "ALL" || isActive === (input.status === "ACTIVE")
  }
  const names = familiesByName(regionOf(world, region))
    .filter(([family, revisions]) => family.startsWith(input.familyPrefix ?? "") && isWanted(revisions))
    .map(([family]) => family)
  return Result.map(page(names, input.nextToken, input.maxResults, 100), ({ items, nextToken }) => ({
    families: items,
    nextToken
  }))
}

const familiesByName = (region: Region) => [...region.families].toSorted(([a], [b]) => (a < b ? -1 : 1))
