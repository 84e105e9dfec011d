import { Schema } from "effect"
import { LogMessage } from "./LogLine.ts"
import { RunCancel, RunFinished } from "./Messages.ts"
import { RunRequest } from "./RunRequest.ts"

/**
 * JSON Schemas (draft 2020-12) of the messages that users publish and read, for producers in other languages. Only
 * `run.requested` refuses unknown fields; readers must tolerate fields that a later version adds.
 */
export const publicSchemas = (): Readonly<Record<PublicMessage, object>> => ({
  "run.requested": documentOf("run.requested", RunRequest, "Please run this.", "error"),
  "run.cancel": documentOf("run.cancel.<runId>", RunCancel, "Please stop this run."),
  "run.finished": documentOf("run.finished.<runId>", RunFinished, "The run is over; exactly one per run."),
  logs: documentOf("logs.<runId>", LogMessage, "Output of a run: batches of lines, at last one end marker.")
})

export type PublicMessage = "run.requested" | "run.cancel" | "run.finished" | "logs"

const documentOf = (
  title: string,
  schema: Schema.Constraint,
  description: string,
  onExcessProperty: "ignore" | "error" = "ignore"
): object => {
  const { schema: body, definitions } = Schema.toJsonSchemaDocument(schema, { onExcessProperty })
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title,
    description,
    ...body,
    ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions })
  }
}
