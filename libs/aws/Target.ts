/** Where a call goes: which region, with which credentials. */
export interface AwsTarget {
  /** AWS region; absent = the set's, else the process's own (`AWS_REGION`). */
  readonly region?: string
  /** Name of a set of credentials; absent = `default`. */
  readonly credentials?: string
}
