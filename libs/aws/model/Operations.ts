import type * as Logs from "@aws-sdk/client-cloudwatch-logs"
import type * as Ec2 from "@aws-sdk/client-ec2"
import type * as EcsSdk from "@aws-sdk/client-ecs"
import type { Effect } from "effect"
import type { AwsException } from "./AwsException.ts"

/**
 * One operation as AWS has it: the SDK's request type in, the SDK's response type out (times of ECS are `Date`, times of
 * CloudWatch Logs are epoch milliseconds). Each region is a world of its own.
 */
export type Operation<Input, Output> = (region: string, input: Input) => Effect.Effect<Output, AwsException>

/** Keyed by AWS's operation name, so that a wire server can look up `x-amz-target` directly. */
export interface EcsOperations {
  readonly CreateCluster: Operation<EcsSdk.CreateClusterRequest, EcsSdk.CreateClusterResponse>
  readonly DescribeClusters: Operation<EcsSdk.DescribeClustersRequest, EcsSdk.DescribeClustersResponse>
  readonly ListClusters: Operation<EcsSdk.ListClustersRequest, EcsSdk.ListClustersResponse>
  readonly DeleteCluster: Operation<EcsSdk.DeleteClusterRequest, EcsSdk.DeleteClusterResponse>
  readonly PutClusterCapacityProviders: Operation<
    EcsSdk.PutClusterCapacityProvidersRequest,
    EcsSdk.PutClusterCapacityProvidersResponse
  >
  readonly CreateCapacityProvider: Operation<
    EcsSdk.CreateCapacityProviderRequest,
    EcsSdk.CreateCapacityProviderResponse
  >
  readonly DescribeCapacityProviders: Operation<
    EcsSdk.DescribeCapacityProvidersRequest,
    EcsSdk.DescribeCapacityProvidersResponse
  >
  readonly RegisterContainerInstance: Operation<
    EcsSdk.RegisterContainerInstanceRequest,
    EcsSdk.RegisterContainerInstanceResponse
  >
  readonly ListContainerInstances: Operation<
    EcsSdk.ListContainerInstancesRequest,
    EcsSdk.ListContainerInstancesResponse
  >
  readonly DescribeContainerInstances: Operation<
    EcsSdk.DescribeContainerInstancesRequest,
    EcsSdk.DescribeContainerInstancesResponse
  >
  readonly RegisterTaskDefinition: Operation<
    EcsSdk.RegisterTaskDefinitionRequest,
    EcsSdk.RegisterTaskDefinitionResponse
  >
  readonly DescribeTaskDefinition: Operation<
    EcsSdk.DescribeTaskDefinitionRequest,
    EcsSdk.DescribeTaskDefinitionResponse
  >
  readonly DeregisterTaskDefinition: Operation<
    EcsSdk.DeregisterTaskDefinitionRequest,
    EcsSdk.DeregisterTaskDefinitionResponse
  >
  readonly ListTaskDefinitions: Operation<EcsSdk.ListTaskDefinitionsRequest, EcsSdk.ListTaskDefinitionsResponse>
  readonly ListTaskDefinitionFamilies: Operation<
    EcsSdk.ListTaskDefinitionFamiliesRequest,
    EcsSdk.ListTaskDefinitionFamiliesResponse
  >
  readonly RunTask: Operation<EcsSdk.RunTaskRequest, EcsSdk.RunTaskResponse>
  readonly DescribeTasks: Operation<EcsSdk.DescribeTasksRequest, EcsSdk.DescribeTasksResponse>
  readonly ListTasks: Operation<EcsSdk.ListTasksRequest, EcsSdk.ListTasksResponse>
  readonly StopTask: Operation<EcsSdk.StopTaskRequest, EcsSdk.StopTaskResponse>
  readonly TagResource: Operation<EcsSdk.TagResourceRequest, EcsSdk.TagResourceResponse>
  readonly ListTagsForResource: Operation<EcsSdk.ListTagsForResourceRequest, EcsSdk.ListTagsForResourceResponse>
}

export interface Ec2Operations {
  readonly DescribeVpcs: Operation<Ec2.DescribeVpcsRequest, Ec2.DescribeVpcsResult>
  readonly DescribeSubnets: Operation<Ec2.DescribeSubnetsRequest, Ec2.DescribeSubnetsResult>
  readonly DescribeSecurityGroups: Operation<Ec2.DescribeSecurityGroupsRequest, Ec2.DescribeSecurityGroupsResult>
}

export interface LogsOperations {
  readonly CreateLogGroup: Operation<Logs.CreateLogGroupRequest, Record<string, never>>
  readonly CreateLogStream: Operation<Logs.CreateLogStreamRequest, Record<string, never>>
  readonly PutLogEvents: Operation<Logs.PutLogEventsRequest, Logs.PutLogEventsResponse>
  readonly DescribeLogGroups: Operation<Logs.DescribeLogGroupsRequest, Logs.DescribeLogGroupsResponse>
  readonly DescribeLogStreams: Operation<Logs.DescribeLogStreamsRequest, Logs.DescribeLogStreamsResponse>
  readonly GetLogEvents: Operation<Logs.GetLogEventsRequest, Logs.GetLogEventsResponse>
  readonly FilterLogEvents: Operation<Logs.FilterLogEventsRequest, Logs.FilterLogEventsResponse>
}
