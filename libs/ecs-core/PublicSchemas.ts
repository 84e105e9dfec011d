import { Schema } from "effect"
import { isJson, type Json } from "./Json.ts"
import { LogMessage } from "./LogLine.ts"
import { RunCancel, RunFinished } from "./Messages.ts"
import { Pool } from "./Pool.ts"
import { launchFields, RunRequest } from "./RunRequest.ts"

/**
 * JSON Schemas (draft 2020-12) of the messages that users publish and read, for producers in other languages, and of what
 * they write in files, for editors. Only messages that are read tolerate unknown fields: a later version may add some.
 */
export const publicSchemas = (): Readonly<Record<PublicMessage, object>> => ({
  "run.requested": documentOf("run.requested", RunRequest, "Please run this.", "error"),
  "run.cancel": documentOf("run.cancel.<runId>", RunCancel, "Please stop this run."),
  "run.finished": documentOf("run.finished.<runId>", RunFinished, "The run is over; exactly one per run."),
  logs: documentOf("logs.<runId>", LogMessage, "Output of a run: batches of lines, at last one end marker."),
  pool: withPlaceholders(documentOf("pool", Pool, "Named defaults and limits of runs.", "error")),
  pools: poolsDocument()
})

export type PublicMessage = "run.requested" | "run.cancel" | "run.finished" | "logs" | "pool" | "pools"

/** A file of pools: what `FLEET_POOLS` names. */
const poolsDocument = (): object => {
  const { $schema, title: _title, ...pool } = withPlaceholders(documentOf("pool", Pool, "One pool.", "error"))
  return {
    $schema,
    title: "pools",
    description: "Pools by name, as FLEET_POOLS names them.",
    type: "object",
    properties: {
      v: { type: "number", enum: [1] },
      pools: {
        type: "object",
        propertyNames: { type: "string", pattern: "^[A-Za-z0-9_-]{1,64}$" },
        additionalProperties: pool
      }
    },
    required: ["pools"],
    additionalProperties: false
  }
}

/** What stands in the place of any value that a request could give too, in a pool with variables. */
const PLACEHOLDER = { type: "string", pattern: "^\\{\\{.*\\}\\}$" }

const withPlaceholders = (document: Json): Json => {
  const { properties } = document
  if (!isJson(properties)) return document
  const fields = Object.entries(properties).map(([name, schema]) => [
    name,
    Object.hasOwn(launchFields, name) ? orPlaceholder(schema) : schema
  ])
  return { ...document, properties: Object.fromEntries(fields) }
}

const orPlaceholder = (schema: unknown): unknown => {
  if (!isJson(schema)) return schema
  const { type } = schema
  const isFreeText = type === "string" && schema["pattern"] === undefined && schema["enum"] === undefined
  if (isFreeText || (type === undefined && schema["anyOf"] === undefined)) return schema
  const alternatives = Array.isArray(schema["anyOf"]) ? schema["anyOf"].map(within) : [within(schema)]
  return { anyOf: [...alternatives, PLACEHOLDER] }
}

/** The same of members and elements. */
const within = (schema: unknown): unknown => {
  if (!isJson(schema)) return schema
  const { additionalProperties, items, properties } = schema
  return {
    ...schema,
    ...(isJson(properties)
      ? { properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, orPlaceholder(one)])) }
      : {}),
    ...(items === undefined ? {} : { items: orPlaceholder(items) }),
    ...(isJson(additionalProperties) ? { additionalProperties: orPlaceholder(additionalProperties) } : {})
  }
}

const documentOf = (
  title: string,
  schema: Schema.Constraint,
  description: string,
  onExcessProperty: "ignore" | "error" = "ignore"
): Json => {
  const { schema: body, definitions } = Schema.toJsonSchemaDocument(schema, { onExcessProperty })
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title,
    description,
    ...body,
    ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions })
  }
}
