import { split } from "shlex"
import type { Problem } from "./errors.ts"
import { fieldProblem } from "./FieldProblem.ts"
import { ownNameProblem } from "./FreeProblems.ts"
import { isJson, objectsOf, textOf } from "./Json.ts"
import type { Merged } from "./Levels.ts"
import { RETRYABLE_OUTCOMES } from "./RetryPolicy.ts"
import { OWN_ENV_NAMES, TAGS_MAX } from "./RunRequest.ts"
import { slugTag } from "./Slug.ts"

type Problems = ReadonlyArray<Problem>

/** What is wrong with a request and its pool as a whole; the real definition is checked when it is known. */
export const jobProblems = (merged: Merged, runTimeoutSecondsMax: number): Problems => [
  ...imageProblems(merged),
  ...logProblems(merged),
  ...networkProblems(merged),
  ...ownProblems(merged, runTimeoutSecondsMax)
]

/** What no other level can make good: a part of the whole, such as a pool, is wrong by itself. */
export const ownProblems = (merged: Merged, runTimeoutSecondsMax: number): Problems => [
  ...commandProblems(merged),
  ...environmentProblems(merged),
  ...strategyProblems(merged),
  ...placementProblems(merged),
  ...labelProblems(merged),
  ...tagCountProblems(merged),
  ...timeoutProblems(merged, runTimeoutSecondsMax),
  ...retryProblems(merged)
]

/** Something must say what to run (peers 1): an image, a definition, or the name of one. */
const imageProblems = ({ image, taskDefinition, taskDefinitionArn }: Merged): Problems =>
  image !== undefined || taskDefinitionArn !== undefined || Object.keys(taskDefinition).length > 0
    ? []
    : [
        fieldProblem(
          "image",
          "No image is set in the request or its pool.",
          'Add "image", "taskDefinition" or "taskDefinitionArn" to the request or to the pool.'
        )
      ]

const commandProblems = ({ command }: Merged): Problems => {
  if (typeof command !== "string") return []
  try {
    split(command)
    return []
  } catch {
    return [
      fieldProblem(
        "command",
        'Field "command": the quotes of the string do not close (value not shown).',
        'Close the quote, or give a list: ["sh", "-c", "…"].'
      )
    ]
  }
}

const environmentProblems = (merged: Merged): Problems =>
  (["env", "secrets"] as const).flatMap((field) =>
    OWN_ENV_NAMES.filter((name) => Object.hasOwn(merged[field] ?? {}, name)).map((name) =>
      ownNameProblem(`${field}.${name}`, name)
    )
  )

/** Prefect's two rules (peers 7, 8, 10). A linked definition may have the role: that is seen when it has been read. */
const logProblems = (merged: Merged): Problems => {
  const configure = merged.configureCloudwatchLogs ?? merged.streamOutput
  const mayHaveRole = merged.taskDefinitionArn !== undefined || hasExecutionRole(merged)
  if (configure === true && !mayHaveRole) {
    const message = "An `executionRoleArn` must be provided to use `configureCloudwatchLogs` or `streamOutput`."
    const advice = "Set executionRoleArn in the request or its pool: ECS writes logs with that role."
    return [fieldProblem("executionRoleArn", message, advice)]
  }
  const logsOff = configure === false || !mayHaveRole
  if (!logsOff || Object.keys(merged.cloudwatchLogsOptions ?? {}).length === 0) return []
  const message = "`configureCloudwatchLogs` must be enabled to use `cloudwatchLogsOptions`."
  const advice =
    configure === false ? "Enable it, or remove the options." : "Set executionRoleArn, or remove the options."
  return [fieldProblem("cloudwatchLogsOptions", message, advice)]
}

const hasExecutionRole = ({ executionRoleArn, taskDefinition, taskRunRequest }: Merged): boolean => {
  const overrides = isJson(taskRunRequest["overrides"]) ? taskRunRequest["overrides"] : {}
  return [executionRoleArn, taskDefinition["executionRoleArn"], overrides["executionRoleArn"]].some(
    (role) => textOf(role) !== undefined
  )
}

/** What RunTask says where groups or a public IP come without subnets (peers 60). */
export const SUBNET_NEEDED = "At least one subnet is required to run a task."

const networkProblems = ({ networkConfiguration, taskRunRequest, vpcId }: Merged): Problems => {
  const named = networkConfiguration !== undefined && vpcId === undefined
  const network = taskRunRequest["networkConfiguration"]
  const free = isJson(network) ? network["awsvpcConfiguration"] : undefined
  const noSubnet =
    isJson(free) && Object.keys(free).length > 0 && !(Array.isArray(free["subnets"]) && free["subnets"].length > 0)
  const message = "You must provide a `vpcId` to enable custom `networkConfiguration`."
  return [
    ...(named ? [fieldProblem("vpcId", message, "Add the vpcId that the subnets belong to.")] : []),
    ...(noSubnet
      ? [
          fieldProblem(
            "taskRunRequest.networkConfiguration.awsvpcConfiguration.subnets",
            SUBNET_NEEDED,
            "Add the subnets, or leave the network out to have it found."
          )
        ]
      : [])
  ]
}

/** RunTask's rules for a strategy (API reference, `capacityProviderStrategy`), and EXTERNAL, which knows none (peers 14). */
const strategyProblems = ({ capacityProviderStrategy: items = [], launchType }: Merged): Problems => {
  const add = (when: boolean, message: string, advice: string) =>
    when ? [fieldProblem("capacityProviderStrategy", message, advice)] : []
  const fargate = items.filter(({ capacityProvider }) => /^FARGATE(_SPOT)?$/.test(capacityProvider)).length
  return [
    ...add(
      items.length > 0 && launchType === "EXTERNAL",
      "Launch type 'EXTERNAL' cannot be used with a `capacityProviderStrategy`.",
      "Remove one of the two: external instances belong to no capacity provider."
    ),
    ...add(
      fargate > 0 && fargate < items.length,
      "A `capacityProviderStrategy` cannot mix Fargate's providers with others.",
      "Use FARGATE and FARGATE_SPOT only, or other providers only."
    ),
    ...add(
      items.filter(({ base = 0 }) => base > 0).length > 1,
      "Only one item of a `capacityProviderStrategy` may have a `base`.",
      'Leave "base" out of all items but one.'
    ),
    ...add(
      items.length > 1 && items.every(({ weight = 0 }) => weight === 0),
      "At least one item of a `capacityProviderStrategy` needs a `weight` above 0.",
      'Give an item a "weight"; without one it is 0, and ECS places no task by it.'
    )
  ]
}

const placementProblems = ({ placementConstraints = [], placementStrategy = [] }: Merged): Problems => [
  ...placementConstraints.flatMap(({ type, expression }, index) => {
    if ((type === "memberOf") === (expression !== undefined)) return []
    const needs = type === "memberOf" ? "needs an" : "takes no"
    const field = `placementConstraints.${index}.expression`
    return [fieldProblem(field, `Field "${field}": ${type} ${needs} expression.`, `Correct "${field}".`)]
  }),
  ...placementStrategy.flatMap(({ type, field: by }, index) => {
    const rule = STRATEGY_FIELDS[type]
    const field = `placementStrategy.${index}.field`
    return rule.fits(by) ? [] : [fieldProblem(field, `Field "${field}": ${type} ${rule.words}.`, `Correct "${field}".`)]
  })
]

const STRATEGY_FIELDS = {
  random: { fits: (field: string | undefined) => field === undefined, words: "takes no field" },
  spread: { fits: (field: string | undefined) => field !== undefined, words: "needs a field such as instanceId" },
  binpack: { fits: (field = "") => /^(cpu|memory)$/i.test(field), words: "needs the field cpu or memory" }
} as const

/** Labels become tags, so that what is left after the slug must be one (peers 21, 70). */
const labelProblems = ({ labels = {} }: Merged): Problems =>
  Object.entries(labels).flatMap(([label, value]) => {
    const key = slugTag(label)
    const field = `labels.${label}`
    const add = (wrong: boolean, message: string) =>
      wrong ? [fieldProblem(field, `Field "${field}": ${message}`, "Shorten or rename the label.")] : []
    if (value === null) return []
    return [
      ...add(key === "", "nothing of its name can stand in a tag."),
      ...add(key.length > 128, `a tag's key has at most 128 characters, this one ${key.length}.`),
      ...add(/^aws:/i.test(key), "a tag's key must not begin with aws:."),
      ...add(
        slugTag(value).length > 256,
        `a tag's value has at most 256 characters, this one ${slugTag(value).length}.`
      )
    ]
  })

/** Tags of the task as they will be sent: a null label removes the tag of its key (peers 69). */
const tagCountProblems = ({ labels = {}, tags = {}, taskRunRequest }: Merged): Problems => {
  const keys = new Set([...objectsOf(taskRunRequest["tags"]).map(({ key }) => String(key)), ...Object.keys(tags)])
  for (const [label, value] of Object.entries(labels)) {
    if (value !== null) keys.add(slugTag(label))
    else [label, slugTag(label)].forEach((key) => keys.delete(key))
  }
  if (keys.size <= TAGS_MAX) return []
  return [
    fieldProblem("tags", `Tags and labels together are ${keys.size}; ECS takes at most ${TAGS_MAX}.`, "Remove some.")
  ]
}

const timeoutProblems = (merged: Merged, most: number): Problems =>
  (["launchTimeoutSeconds", "runTimeoutSeconds"] as const).flatMap((field) => {
    const seconds = merged[field] ?? 0
    if (seconds <= most) return []
    const message = `Field "${field}": at most ${most} (the stream's age less one day), got ${seconds}.`
    return [fieldProblem(field, message, "Lower it, or raise FLEET_STREAM_AGE_SECONDS on all services.")]
  })

/** What could never lead to another attempt is refused, so that nobody counts on it. */
const retryProblems = ({ retry }: Merged): Problems => {
  const { backoffSeconds, maxBackoffSeconds, onExitCodes, onOutcomes } = retry ?? {}
  const never = (onOutcomes ?? []).filter((outcome) => !RETRYABLE_OUTCOMES.includes(outcome))
  const add = (when: boolean, field: string, message: string, advice: string) =>
    when ? [fieldProblem(`retry.${field}`, `Field "retry.${field}": ${message}`, advice)] : []
  return [
    ...add(
      never.length > 0,
      "onOutcomes",
      `nothing follows after ${never.join(", ")}.`,
      `Use ${RETRYABLE_OUTCOMES.join(", ")}.`
    ),
    ...add(onExitCodes?.includes(0) === true, "onExitCodes", "0 is success.", "Remove it."),
    ...add(
      typeof backoffSeconds === "number" && typeof maxBackoffSeconds === "number" && maxBackoffSeconds < backoffSeconds,
      "maxBackoffSeconds",
      `at least backoffSeconds, which is ${backoffSeconds}, got ${maxBackoffSeconds}.`,
      "Raise it, or lower retry.backoffSeconds."
    )
  ]
}
