/**
 * What the AWS SDK reads from the environment so that every call of this process goes to local-aws and to nothing else:
 * its endpoint, credentials that real AWS would reject, and none of what would win over them (a profile, endpoints of
 * single services, a session token).
 */
export const localAwsEnvironment = (url: string): Readonly<Record<string, string | undefined>> => ({
  AWS_ENDPOINT_URL: url,
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
  AWS_SESSION_TOKEN: undefined,
  AWS_PROFILE: undefined,
  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: undefined,
  AWS_ENDPOINT_URL_ECS: undefined,
  AWS_ENDPOINT_URL_EC2: undefined,
  AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: undefined
})

/** Changes variables of this process; `undefined` removes one. */
export const setEnvironment = (variables: Readonly<Record<string, string | undefined>>): void => {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}

/**
 * Settings of the services for local-aws, which answers at once, throttles nothing and shows lines as they are written:
 * what is patience with AWS would be waiting for nothing here. Variables of the environment win.
 */
export const localServiceSettings: Readonly<Record<string, string>> = {
  AWS_REGION: "us-east-1",
  FLEET_AWS_RUN_TASK_PER_SECOND: "1000",
  FLEET_AWS_RUN_TASK_BURST: "1000",
  FLEET_WATCHER_SWEEP_MILLIS: "100",
  FLEET_WATCHER_YOUNG_POLL_SECONDS: "0.2",
  FLEET_LOGS_POLL_MILLIS: "200",
  FLEET_LOGS_LATE_SECONDS: "2",
  // A log stream that was missing is not asked for again for a while: a quiet time shorter than that hears nothing.
  FLEET_AWS_MISSING_STREAM_SECONDS: "0.2",
  FLEET_LOGS_DRAIN_QUIET_SECONDS: "0.7",
  FLEET_LOGS_DRAIN_QUIET_POLLS: "2"
}
