import type { Problem } from "./errors.ts"
import { fieldProblem } from "./FieldProblem.ts"
import type { Level } from "./Levels.ts"

/** Fields that the contract already has and no service acts on yet: refused, never ignored. */
const NOT_YET: ReadonlyArray<keyof Level> = ["provisioningTimeoutSeconds", "retry"]

/** One problem for each field that asks for something not built yet. */
export const unsupportedFields = (merged: Level): ReadonlyArray<Problem> =>
  NOT_YET.filter((field) => merged[field] !== undefined).map((field) =>
    fieldProblem(field, `Field "${field}" is not supported yet.`, `Remove "${field}".`)
  )
