/** Where a call goes: which region, with which credentials. */
export interface AwsTarget {
  /** AWS region; absent = the process's own (`AWS_REGION`). */
  readonly region?: string
  /** Name of a set of credentials; only `default` (the SDK's own chain) today. */
  readonly credentials?: string
}
