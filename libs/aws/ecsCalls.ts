import {
  DeregisterTaskDefinitionCommand,
  type DeregisterTaskDefinitionRequest,
  type DeregisterTaskDefinitionResponse,
  DescribeClustersCommand,
  type DescribeClustersRequest,
  type DescribeClustersResponse,
  DescribeTaskDefinitionCommand,
  type DescribeTaskDefinitionRequest,
  type DescribeTaskDefinitionResponse,
  DescribeTasksCommand,
  type DescribeTasksRequest,
  type DescribeTasksResponse,
  ListTasksCommand,
  type ListTasksRequest,
  type ListTasksResponse,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
  type RegisterTaskDefinitionResponse,
  RunTaskCommand,
  type RunTaskCommandInput,
  type RunTaskResponse,
  StopTaskCommand,
  type StopTaskRequest,
  type StopTaskResponse
} from "@aws-sdk/client-ecs"
import { classifyFailures } from "./AwsError.ts"
import type { Clients } from "./Clients.ts"
import { type Call, modelCall, regionOfModel, sender } from "./calls.ts"
import type { EcsModel } from "./model/EcsModel.ts"
import type { AwsTarget } from "./Target.ts"

/** The operations of ECS that the port makes use of, whoever carries them out. */
export interface EcsCalls {
  readonly region: (target: AwsTarget) => string | undefined
  readonly registerTaskDefinition: Call<RegisterTaskDefinitionCommandInput, RegisterTaskDefinitionResponse>
  readonly describeTaskDefinition: Call<DescribeTaskDefinitionRequest, DescribeTaskDefinitionResponse>
  readonly deregisterTaskDefinition: Call<DeregisterTaskDefinitionRequest, DeregisterTaskDefinitionResponse>
  readonly describeClusters: Call<DescribeClustersRequest, DescribeClustersResponse>
  readonly runTask: Call<RunTaskCommandInput, RunTaskResponse>
  readonly describeTasks: Call<DescribeTasksRequest, DescribeTasksResponse>
  readonly listTasks: Call<ListTasksRequest, ListTasksResponse>
  readonly stopTask: Call<StopTaskRequest, StopTaskResponse>
}

export const sdkCalls = (clients: Clients["Service"]): EcsCalls => {
  const send = sender(clients.ecs)
  return {
    region: clients.region,
    registerTaskDefinition: send("RegisterTaskDefinition", (client, input, options) =>
      client.send(new RegisterTaskDefinitionCommand(input), options)
    ),
    describeTaskDefinition: send("DescribeTaskDefinition", (client, input, options) =>
      client.send(new DescribeTaskDefinitionCommand(input), options)
    ),
    deregisterTaskDefinition: send("DeregisterTaskDefinition", (client, input, options) =>
      client.send(new DeregisterTaskDefinitionCommand(input), options)
    ),
    describeClusters: send("DescribeClusters", (client, input, options) =>
      client.send(new DescribeClustersCommand(input), options)
    ),
    runTask: send(
      "RunTask",
      (client, input, options) => client.send(new RunTaskCommand(input), options),
      ({ failures = [], tasks = [] }) => (tasks.length === 0 ? classifyFailures(failures) : undefined)
    ),
    describeTasks: send("DescribeTasks", (client, input, options) =>
      client.send(new DescribeTasksCommand(input), options)
    ),
    listTasks: send("ListTasks", (client, input, options) => client.send(new ListTasksCommand(input), options)),
    stopTask: send("StopTask", (client, input, options) => client.send(new StopTaskCommand(input), options))
  }
}

export const modelCalls = ({ ecs }: EcsModel["Service"]): EcsCalls => ({
  region: regionOfModel,
  registerTaskDefinition: modelCall(ecs.RegisterTaskDefinition),
  describeTaskDefinition: modelCall(ecs.DescribeTaskDefinition),
  deregisterTaskDefinition: modelCall(ecs.DeregisterTaskDefinition),
  describeClusters: modelCall(ecs.DescribeClusters),
  runTask: modelCall(ecs.RunTask),
  describeTasks: modelCall(ecs.DescribeTasks),
  listTasks: modelCall(ecs.ListTasks),
  stopTask: modelCall(ecs.StopTask)
})
