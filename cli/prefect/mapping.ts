/** What stands where in a work pool of Prefect's ECS worker, and what it is called here (docs/migrating.md). */

/** Job variables of theirs that are fields of ours. */
export const FIELDS: Readonly<Record<string, string>> = {
  command: "command",
  env: "env",
  labels: "labels",
  cluster: "cluster",
  family: "family",
  launch_type: "launchType",
  capacity_provider_strategy: "capacityProviderStrategy",
  image: "image",
  cpu: "cpu",
  memory: "memory",
  container_name: "containerName",
  task_role_arn: "taskRoleArn",
  execution_role_arn: "executionRoleArn",
  task_definition_arn: "taskDefinitionArn",
  vpc_id: "vpcId",
  network_configuration: "networkConfiguration",
  configure_cloudwatch_logs: "configureCloudwatchLogs",
  cloudwatch_logs_options: "cloudwatchLogsOptions",
  cloudwatch_logs_prefix: "cloudwatchLogsPrefix",
  stream_output: "streamOutput",
  task_start_timeout_seconds: "taskStartTimeoutSeconds",
  task_watch_poll_interval: "taskWatchPollIntervalSeconds",
  auto_deregister_task_definition: "autoDeregisterTaskDefinition",
  match_latest_revision_in_family: "matchLatestRevisionInFamily"
}

/** Job variables that are the ARN of a secret: the environment name they are for. */
export const SECRETS: Readonly<Record<string, string>> = {
  prefect_api_key_secret_arn: "PREFECT_API_KEY",
  prefect_api_auth_string_secret_arn: "PREFECT_API_AUTH_STRING"
}

/** Members of `job_configuration` that are neither fields nor templates. */
export const OTHER_MEMBERS = ["name", "aws_credentials", "task_definition", "task_run_request"] as const

/**
 * Where their packaged template has a variable, and where its value goes here by itself; `*` is the orchestration
 * container's entry.
 */
export const PLACES: Readonly<Record<string, string>> = {
  "task_definition.containerDefinitions.*.image": "image",
  "task_definition.containerDefinitions.*.name": "container_name",
  "task_definition.cpu": "cpu",
  "task_definition.memory": "memory",
  "task_definition.family": "family",
  "task_definition.executionRoleArn": "execution_role_arn",
  "task_run_request.launchType": "launch_type",
  "task_run_request.cluster": "cluster",
  "task_run_request.overrides.containerOverrides.*.name": "container_name",
  "task_run_request.overrides.containerOverrides.*.command": "command",
  "task_run_request.overrides.containerOverrides.*.environment": "env",
  "task_run_request.overrides.containerOverrides.*.cpu": "cpu",
  "task_run_request.overrides.containerOverrides.*.memory": "memory",
  "task_run_request.overrides.cpu": "cpu",
  "task_run_request.overrides.memory": "memory",
  "task_run_request.overrides.taskRoleArn": "task_role_arn",
  "task_run_request.tags": "labels",
  "task_run_request.taskDefinition": "task_definition_arn",
  "task_run_request.capacityProviderStrategy": "capacity_provider_strategy"
}

/** Our path in their words: `taskRunRequest.count` is `job_configuration.task_run_request.count`. */
export const theirPath = (path: string): string => {
  const [first = "", ...rest] = path.split(".")
  if (first === "taskDefinition") return ["job_configuration.task_definition", ...rest].join(".")
  if (first === "taskRunRequest") return ["job_configuration.task_run_request", ...rest].join(".")
  if (first === "variables") return ["variables.properties", ...rest].join(".")
  const [theirs] = Object.entries(FIELDS).find(([, ours]) => ours === first) ?? [first]
  return [`variables.properties.${theirs}.default`, ...rest].join(".")
}
