import type { Job } from "./Job.ts"
import { isJson, type Json, objectsOf, textOf } from "./Json.ts"
import type { TaskdefReady } from "./Messages.ts"
import { DEFAULT_LOG_GROUP } from "./Pool.ts"

/**
 * The log configuration of the orchestration container (peers 29, 30): ours where logs are asked for, or where nothing is
 * said and an execution role is known; else the container's own. The user's options win key by key, over the prefix too.
 * `mode` is set because ECS's default has been non-blocking since June 2025, which drops lines when its buffer is full.
 */
export const logConfigurationOf = (
  job: Job,
  context: { readonly container: Json; readonly role: string | undefined; readonly region: string }
): unknown => {
  const own = context.container["logConfiguration"]
  const isWanted = job.logs.configure ?? (context.role !== undefined && own === undefined)
  if (!isWanted) return own
  return {
    logDriver: "awslogs",
    options: {
      "awslogs-create-group": "true",
      "awslogs-group": DEFAULT_LOG_GROUP,
      "awslogs-region": context.region,
      "awslogs-stream-prefix": job.logs.prefix ?? job.defaultName,
      mode: "blocking",
      ...job.logs.options
    }
  }
}

/**
 * Where the output of a launch will be, as the definition has it, prepared or linked; or why there is none, which never
 * stops a run (peers 106). The container's own `awslogs-region` counts, else the region of the launch (peers 111).
 */
export const logPlan = (job: Job, definition: object, containerName: string, region: string): TaskdefReady["logs"] => {
  const without = (why: string) => ({ sources: [], notice: `There is no output to show: ${why}.` })
  if (!job.logs.stream) return without("streamOutput is false")
  const containers = objectsOf(Reflect.get(definition, "containerDefinitions"))
  const container = containers.find(({ name }) => name === containerName)
  if (container === undefined) return without(`the task definition has no container "${containerName}"`)
  const logs = container["logConfiguration"]
  if (!isJson(logs)) return without(whyNoConfiguration(job, containerName))
  if (logs["logDriver"] !== "awslogs") {
    return without(`container "${containerName}" logs with the driver ${String(logs["logDriver"])}, not awslogs`)
  }
  const options: Json = isJson(logs["options"]) ? logs["options"] : {}
  const logGroup = textOf(options["awslogs-group"])
  const logStreamPrefix = textOf(options["awslogs-stream-prefix"])
  if (logGroup === undefined || logStreamPrefix === undefined) {
    const missing = logGroup === undefined ? "awslogs-group" : "awslogs-stream-prefix"
    return without(`the log configuration of container "${containerName}" has no ${missing}`)
  }
  return {
    sources: [
      { container: containerName, logGroup, logStreamPrefix, region: textOf(options["awslogs-region"]) ?? region }
    ]
  }
}

const whyNoConfiguration = (job: Job, containerName: string): string => {
  if (job.linkedDefinition !== undefined) {
    return `container "${containerName}" of the linked task definition has no log configuration`
  }
  return job.logs.configure === false
    ? "configureCloudwatchLogs is false"
    : "no executionRoleArn is set, and ECS needs one to write logs: set it in the pool or the request"
}
