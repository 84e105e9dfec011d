import type { Job } from "./Job.ts"
import { isJson, type Json, objectsOf, textOf } from "./Json.ts"
import type { LogSource, TaskdefReady } from "./Messages.ts"
import { DEFAULT_LOG_GROUP } from "./Pool.ts"
import { CONTAINERS_MAX } from "./RegistrationProblems.ts"

/** Notices about containers beside the orchestration container: one for each. */
export const LOG_NOTICES_MAX = CONTAINERS_MAX - 1

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
 * Where the output of a launch will be, as the definition has it, prepared or linked: every container that logs with
 * awslogs, the orchestration container first, the others in the definition's order, `CONTAINERS_MAX` at most. A
 * container's own `awslogs-region` counts, else the region of the launch (peers 111). Why there is no output never stops
 * a run (peers 106): `notice` says it of the orchestration container, or of all where `streamOutput` is false, `notices`
 * of the others, `LOG_NOTICES_MAX` at most. Of the others one without any log configuration is left out silently: agents
 * often have none.
 */
export const logPlan = (job: Job, definition: object, containerName: string, region: string): TaskdefReady["logs"] => {
  if (!job.logs.stream) return { sources: [], notice: noOutput("streamOutput is false") }
  const containers = objectsOf(Reflect.get(definition, "containerDefinitions"))
  const own = containers.find(({ name }) => name === containerName)
  const others = containers
    .filter(({ name }) => name !== containerName)
    .slice(0, CONTAINERS_MAX - 1)
    .flatMap((container) => outputOf(container, region) ?? [])
  const first =
    own === undefined ? whyNoContainer(containerName) : (outputOf(own, region) ?? whyNone(job, containerName))
  const notices = others.flatMap((output) => (typeof output === "string" ? [output] : []))
  return {
    sources: [first, ...others].flatMap((output) => (typeof output === "string" ? [] : [output])),
    ...(typeof first === "string" ? { notice: first } : {}),
    ...(notices.length === 0 ? {} : { notices })
  }
}

/** Every notice of a plan, that of the orchestration container first. */
export const logNotices = ({ notice, notices = [] }: TaskdefReady["logs"]): ReadonlyArray<string> =>
  notice === undefined ? notices : [notice, ...notices]

const noOutput = (why: string, containerName?: string): string => {
  const whose = containerName === undefined ? "" : ` of container "${containerName}"`
  return `There is no output${whose} to show: ${why}.`
}

/** Where a container's lines will be, or the notice why nowhere; undefined = it has no log configuration. */
const outputOf = (container: Json, region: string): LogSource | string | undefined => {
  const name = textOf(container["name"])
  const logs = container["logConfiguration"]
  if (name === undefined || !isJson(logs)) return undefined
  const driver = textOf(logs["logDriver"])
  if (driver === undefined) return noOutput("its log configuration names no driver", name)
  if (driver !== "awslogs") return noOutput(`it logs with the driver ${driver}, not awslogs`, name)
  const options: Json = isJson(logs["options"]) ? logs["options"] : {}
  const logGroup = textOf(options["awslogs-group"])
  const logStreamPrefix = textOf(options["awslogs-stream-prefix"])
  if (logGroup === undefined) return noOutput("its log configuration has no awslogs-group", name)
  if (logStreamPrefix === undefined) return noOutput("its log configuration has no awslogs-stream-prefix", name)
  return { container: name, logGroup, logStreamPrefix, region: textOf(options["awslogs-region"]) ?? region }
}

const whyNoContainer = (containerName: string): string =>
  noOutput(`the task definition has no container "${containerName}"`)

/** Why the orchestration container has no log configuration. */
const whyNone = (job: Job, containerName: string): string => {
  if (job.linkedDefinition !== undefined) {
    return noOutput("the linked task definition has no log configuration for it", containerName)
  }
  return noOutput(
    job.logs.configure === false
      ? "configureCloudwatchLogs is false"
      : "no executionRoleArn is set, and ECS needs one to write logs: set it in the pool or the request",
    containerName
  )
}
