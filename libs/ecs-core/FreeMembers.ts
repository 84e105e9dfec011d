/**
 * The members that the free objects of a request may carry, as data: RegisterTaskDefinition's and RunTask's inputs in
 * the words of the API (`@aws-sdk/client-ecs`; a test compares every name with the SDK's own). Kinds are basic ones: what
 * a value may be beyond them is ECS's to say.
 */

/** `size` = a number, or text such as `"1 vCPU"`; `texts` and `numbers` are lists; `map` = names to texts. */
export type Kind =
  | "text"
  | "number"
  | "size"
  | "boolean"
  | "texts"
  | "numbers"
  | "map"
  | { readonly oneOf: ReadonlyArray<string> }
  | { readonly members: Members }
  | { readonly each: Members }

export type Members = Readonly<Record<string, Kind>>

const each = (members: Members): Kind => ({ each: members })
const object = (members: Members): Kind => ({ members })
const oneOf = (...values: ReadonlyArray<string>): Kind => ({ oneOf: values })

const nameAndValue = each({ name: "text", value: "text" })
const secrets = each({ name: "text", valueFrom: "text" })
const environmentFiles = each({ value: "text", type: "text" })
const resourceRequirements = each({
  value: "text",
  type: "text",
  sharingStrategy: object({ nvidiaMps: object({ memory: "number", maxComputePercent: "number" }) })
})
const ephemeralStorage = object({ sizeInGiB: "number" })
const tags = each({ key: "text", value: "text" })
const placement = each({ type: "text", expression: "text" })

const linuxParameters = object({
  capabilities: object({ add: "texts", drop: "texts" }),
  devices: each({ hostPath: "text", containerPath: "text", permissions: "texts" }),
  initProcessEnabled: "boolean",
  sharedMemorySize: "number",
  tmpfs: each({ containerPath: "text", size: "number", mountOptions: "texts" }),
  maxSwap: "number",
  swappiness: "number"
})

const portMappings = each({
  containerPort: "number",
  hostPort: "number",
  protocol: "text",
  name: "text",
  appProtocol: "text",
  containerPortRange: "text"
})

const healthCheck = object({
  command: "texts",
  interval: "number",
  timeout: "number",
  retries: "number",
  startPeriod: "number"
})

/** ContainerDefinition. */
export const containerDefinition: Members = {
  name: "text",
  image: "text",
  repositoryCredentials: object({ credentialsParameter: "text" }),
  cpu: "size",
  memory: "size",
  memoryReservation: "size",
  links: "texts",
  portMappings,
  essential: "boolean",
  restartPolicy: object({ enabled: "boolean", ignoredExitCodes: "numbers", restartAttemptPeriod: "number" }),
  entryPoint: "texts",
  command: "texts",
  environment: nameAndValue,
  environmentFiles,
  mountPoints: each({ sourceVolume: "text", containerPath: "text", readOnly: "boolean" }),
  volumesFrom: each({ sourceContainer: "text", readOnly: "boolean" }),
  linuxParameters,
  secrets,
  dependsOn: each({ containerName: "text", condition: "text" }),
  startTimeout: "number",
  stopTimeout: "number",
  versionConsistency: "text",
  hostname: "text",
  user: "text",
  workingDirectory: "text",
  disableNetworking: "boolean",
  privileged: "boolean",
  readonlyRootFilesystem: "boolean",
  dnsServers: "texts",
  dnsSearchDomains: "texts",
  extraHosts: each({ hostname: "text", ipAddress: "text" }),
  dockerSecurityOptions: "texts",
  interactive: "boolean",
  pseudoTerminal: "boolean",
  dockerLabels: "map",
  ulimits: each({ name: "text", softLimit: "number", hardLimit: "number" }),
  logConfiguration: object({ logDriver: "text", options: "map", secretOptions: secrets }),
  healthCheck,
  systemControls: each({ namespace: "text", value: "text" }),
  resourceRequirements,
  firelensConfiguration: object({ type: "text", options: "map" }),
  credentialSpecs: "texts"
}

const volumes = each({
  name: "text",
  host: object({ sourcePath: "text" }),
  dockerVolumeConfiguration: object({
    scope: "text",
    autoprovision: "boolean",
    driver: "text",
    driverOpts: "map",
    labels: "map"
  }),
  efsVolumeConfiguration: object({
    fileSystemId: "text",
    rootDirectory: "text",
    transitEncryption: "text",
    transitEncryptionPort: "number",
    authorizationConfig: object({ accessPointId: "text", iam: "text" })
  }),
  s3filesVolumeConfiguration: object({
    fileSystemArn: "text",
    rootDirectory: "text",
    transitEncryptionPort: "number",
    accessPointArn: "text"
  }),
  fsxWindowsFileServerVolumeConfiguration: object({
    fileSystemId: "text",
    rootDirectory: "text",
    authorizationConfig: object({ credentialsParameter: "text", domain: "text" })
  }),
  configuredAtLaunch: "boolean"
})

/** RegisterTaskDefinition: what `taskDefinition` may hold. */
export const taskDefinitionMembers: Members = {
  family: "text",
  taskRoleArn: "text",
  executionRoleArn: "text",
  networkMode: "text",
  containerDefinitions: each(containerDefinition),
  volumes,
  placementConstraints: placement,
  requiresCompatibilities: "texts",
  cpu: "size",
  memory: "size",
  tags,
  pidMode: "text",
  ipcMode: "text",
  proxyConfiguration: object({ type: "text", containerName: "text", properties: nameAndValue }),
  inferenceAccelerators: each({ deviceName: "text", deviceType: "text" }),
  ephemeralStorage,
  runtimePlatform: object({ cpuArchitecture: "text", operatingSystemFamily: "text" }),
  enableFaultInjection: "boolean"
}

/** ContainerOverride. */
export const containerOverride: Members = {
  name: "text",
  command: "texts",
  environment: nameAndValue,
  environmentFiles,
  cpu: "size",
  memory: "size",
  memoryReservation: "size",
  resourceRequirements
}

const overrides = object({
  containerOverrides: each(containerOverride),
  cpu: "size",
  inferenceAcceleratorOverrides: each({ deviceName: "text", deviceType: "text" }),
  executionRoleArn: "text",
  memory: "size",
  taskRoleArn: "text",
  ephemeralStorage
})

const managedEBSVolume = object({
  encrypted: "boolean",
  kmsKeyId: "text",
  volumeType: "text",
  sizeInGiB: "number",
  snapshotId: "text",
  volumeInitializationRate: "number",
  iops: "number",
  throughput: "number",
  tagSpecifications: each({ resourceType: "text", tags, propagateTags: "text" }),
  roleArn: "text",
  terminationPolicy: object({ deleteOnTermination: "boolean" }),
  filesystemType: "text"
})

/** RunTask: what `taskRunRequest` may hold. `FARGATE_SPOT` is taken as the named field takes it. */
export const taskRunRequestMembers: Members = {
  taskDefinition: "text",
  capacityProviderStrategy: each({ capacityProvider: "text", weight: "number", base: "number" }),
  cluster: "text",
  count: "number",
  enableECSManagedTags: "boolean",
  enableExecuteCommand: "boolean",
  group: "text",
  launchType: oneOf("FARGATE", "FARGATE_SPOT", "EC2", "EXTERNAL", "MANAGED_INSTANCES"),
  networkConfiguration: object({
    awsvpcConfiguration: object({
      subnets: "texts",
      securityGroups: "texts",
      assignPublicIp: oneOf("ENABLED", "DISABLED")
    })
  }),
  overrides,
  placementConstraints: placement,
  placementStrategy: each({ type: "text", field: "text" }),
  platformVersion: "text",
  propagateTags: oneOf("TASK_DEFINITION", "NONE"),
  referenceId: "text",
  startedBy: "text",
  tags,
  clientToken: "text",
  volumeConfigurations: each({ name: "text", managedEBSVolume })
}
