import { clusterOf, failed, named, type Row, region, says } from "./AwsErrorFacts.ts"

const clusters: ReadonlyArray<Row> = [
  {
    name: "cluster-not-found",
    example: { action: "RunTask", name: "ClusterNotFoundException", text: "Cluster not found.", status: 400 },
    when: (seen) => named("ClusterNotFoundException")(seen) || says(/referenced cluster was inactive/i)(seen),
    code: "ClusterNotFound",
    retry: "never",
    message: (seen) => `${failed(seen)}, cluster '${clusterOf(seen)}' not found.`,
    advice: (seen) =>
      `Confirm that the cluster is configured in ${region(seen)}: check the name with \`aws ecs list-clusters\`, or create it with \`aws ecs create-cluster --cluster-name ${clusterOf(seen)}\`.`
  },
  {
    name: "no-container-instances",
    example: {
      action: "RunTask",
      name: "InvalidParameterException",
      text: "No Container Instances were found in your cluster.",
      status: 400
    },
    when: says(/No Container Instances were found/i),
    code: "NoContainerInstances",
    retry: "never",
    message: (seen) =>
      `${failed(seen)}, cluster '${clusterOf(seen)}' does not appear to have any container instances associated with it.`,
    advice: () => "Confirm that you have EC2 container instances available, or use launch type FARGATE."
  }
]

export const vcpuAdvice =
  "The launch is repeated when others end. Ask for more in Service Quotas: Fargate On-Demand L-3032A538, Fargate Spot L-36FBB829."

const launches: ReadonlyArray<Row> = [
  {
    name: "token-conflict",
    example: {
      action: "RunTask",
      name: "ConflictException",
      text: "The request was made with a client token that was already used with different parameters.",
      status: 400
    },
    when: named("ConflictException"),
    code: "LaunchConflict",
    retry: "conflict",
    message: () => "The client token of this launch was already used with other parameters.",
    advice: () => "The task that the token started is adopted, or the launch is repeated with a new token."
  },
  {
    name: "no-capacity",
    example: {
      action: "RunTask",
      name: "ClientException",
      text: "Capacity is unavailable at this time. Please try again later or in a different availability zone",
      status: 400
    },
    when: says(/Capacity is unavailable|no capacity/i),
    code: "NoCapacity",
    retry: "capacity",
    message: (seen) => `Nothing can run the task right now: ${seen.text}`,
    advice: () => "The launch is repeated. Add subnets in other availability zones, or capacity to the cluster."
  },
  {
    name: "provisioning-limit",
    example: {
      action: "RunTask",
      name: "ClientException",
      text: "You’ve reached the limit on the number of tasks that can be in the PROVISIONING state.",
      status: 400
    },
    when: (seen) =>
      seen.action === "RunTask" && says(/\bPROVISIONING\b.*(limit|quota)|(limit|quota).*\bPROVISIONING\b/i)(seen),
    code: "NoCapacity",
    retry: "capacity",
    message: (seen) => `The cluster has too many tasks that wait for capacity: ${seen.text}`,
    advice: () => "The launch is repeated. Let the capacity provider's Auto Scaling group grow."
  },
  {
    name: "vcpu-quota",
    example: {
      action: "RunTask",
      name: "ClientException",
      text: "You’ve reached the limit on the number of vCPUs you can run concurrently",
      status: 400
    },
    when: says(/reached the limit on the number of/i),
    code: "VcpuQuotaReached",
    retry: "capacity",
    message: () => "The account's limit of concurrent vCPUs is reached.",
    advice: () => vcpuAdvice
  },
  {
    name: "capacity-provider",
    example: {
      action: "RunTask",
      name: "InvalidParameterException",
      text: "The specified capacity provider 'spot' was not found. Specify a valid name or ARN and try again.",
      status: 400
    },
    when: says(/capacity provider/i),
    code: "InvalidParameter",
    retry: "never",
    message: (seen) => `${failed(seen)}, the capacity provider was refused: ${seen.text}`,
    advice: (seen) =>
      `Compare with \`aws ecs describe-clusters --clusters ${clusterOf(seen)}\`: a provider must belong to the cluster.`
  }
]

/** The part of the table that is about clusters and what they have room for. */
export const launchRows: ReadonlyArray<Row> = [...clusters, ...launches]
