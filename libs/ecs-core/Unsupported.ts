import type { Problem } from "./errors.ts"
import type { Pool } from "./Pool.ts"

/** Fields that the contract already has and no service acts on yet: refused, never ignored. */
const NOT_YET: ReadonlyArray<keyof Pool> = [
  "gpu",
  "capacityProviderStrategy",
  "placementConstraints",
  "placementStrategy",
  "provisioningTimeoutSeconds",
  "autoDeregisterTaskDefinition",
  "matchLatestRevisionInFamily",
  "taskDefinitionArn",
  "taskDefinition",
  "taskRunRequest",
  "retry"
]

const LAUNCH_TYPES: ReadonlyArray<string> = ["FARGATE", "FARGATE_SPOT"]

/** One problem for each field that asks for something not built yet; a plain `false` asks for nothing. */
export const unsupportedFields = (merged: { readonly [K in keyof Pool]?: Pool[K] }): ReadonlyArray<Problem> => {
  const fields = NOT_YET.filter((field) => merged[field] !== undefined && merged[field] !== false)
  const problems = fields.map((field) => notYet(field, `Field "${field}" is not supported yet.`, `Remove "${field}".`))
  const launchType = merged.launchType ?? "FARGATE"
  if (LAUNCH_TYPES.includes(launchType)) return problems
  const message = `Field "launchType": "${launchType}" is not supported yet.`
  return [...problems, notYet("launchType", message, `Use one of ${LAUNCH_TYPES.join(", ")}.`)]
}

const notYet = (field: string, message: string, advice: string): Problem => ({
  code: "InvalidRequest",
  field,
  message,
  advice
})
