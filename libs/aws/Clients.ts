import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs"
import type { EC2Client } from "@aws-sdk/client-ec2"
import { ECSClient } from "@aws-sdk/client-ecs"
import { Context, Effect, Layer } from "effect"
import { AwsFailure } from "#ecs-core/errors.ts"
import { AwsConfig, type AwsSettings } from "./AwsConfig.ts"
import type { AwsTarget } from "./Target.ts"

/**
 * The SDK's clients: one per service, region and set of credentials, made when first asked for. They share nothing, so
 * that a slow service cannot take the sockets of another. `AWS_ENDPOINT_URL` is honoured by the SDK.
 */
export class Clients extends Context.Service<
  Clients,
  {
    readonly ecs: (target: AwsTarget) => Effect.Effect<ECSClient, AwsFailure>
    readonly ec2: (target: AwsTarget) => Effect.Effect<EC2Client, AwsFailure>
    readonly logs: (target: AwsTarget) => Effect.Effect<CloudWatchLogsClient, AwsFailure>
    /** The region that a call to this target goes to, as far as it is known here. */
    readonly region: (target: AwsTarget) => string | undefined
  }
>()("aws/Clients") {
  static readonly layer = Layer.effect(
    Clients,
    Effect.gen(function* () {
      const settings = yield* AwsConfig
      const ecs = yield* clientCache(
        settings,
        Effect.succeed((options) => new ECSClient(options))
      )
      const ec2 = yield* clientCache(settings, makeEc2)
      const logs = yield* clientCache(
        settings,
        Effect.succeed((options) => new CloudWatchLogsClient(options))
      )
      return Clients.of({ ecs, ec2, logs, region: (target) => target.region ?? settings.region })
    })
  )
}

/** How one region's client is made. */
export interface ClientOptions {
  readonly region?: string
  readonly maxAttempts: number
  readonly retryMode: "standard"
  readonly requestHandler: {
    readonly requestTimeout: number
    readonly throwOnRequestTimeout: boolean
    readonly connectionTimeout: number
    readonly httpAgent: { readonly maxSockets: number; readonly keepAlive: boolean }
    readonly httpsAgent: { readonly maxSockets: number; readonly keepAlive: boolean }
  }
}

export const clientOptions = (settings: AwsSettings, region: string | undefined): ClientOptions => {
  const agent = { maxSockets: settings.maxSockets, keepAlive: true }
  return {
    ...(region === undefined ? {} : { region }),
    maxAttempts: settings.maxAttempts,
    retryMode: "standard",
    requestHandler: {
      requestTimeout: settings.requestTimeoutSeconds * 1000,
      throwOnRequestTimeout: true,
      connectionTimeout: settings.connectionTimeoutSeconds * 1000,
      httpAgent: agent,
      httpsAgent: agent
    }
  }
}

/** The largest of the SDK's clients, a quarter of a service's start: loaded by the first who asks about a network. */
export const ec2Sdk = () => import("@aws-sdk/client-ec2")

const makeEc2 = Effect.map(
  Effect.promise(ec2Sdk),
  ({ EC2Client }) =>
    (options: ClientOptions) =>
      new EC2Client(options)
)

// An evicted client is not destroyed, since calls may be under way; its idle sockets are closed by AWS.
const clientCache = <Client extends { readonly destroy: () => void }>(
  settings: AwsSettings,
  load: Effect.Effect<(options: ClientOptions) => Client>
) =>
  Effect.gen(function* () {
    const clients = yield* Effect.acquireRelease(
      Effect.sync(() => new Map<string, Client>()),
      (made) => Effect.sync(() => made.forEach((client) => client.destroy()))
    )
    return (target: AwsTarget): Effect.Effect<Client, AwsFailure> => {
      const credentials = target.credentials ?? "default"
      if (credentials !== "default") return Effect.fail(unknownCredentials(credentials))
      return Effect.map(load, (make) => {
        const region = target.region ?? settings.region
        const key = region ?? ""
        const known = clients.get(key)
        const client = known ?? make(clientOptions(settings, region))
        clients.delete(key)
        clients.set(key, client)
        const [oldest] = clients.keys()
        if (clients.size > settings.maxClients && oldest !== undefined) clients.delete(oldest)
        return client
      })
    }
  })

/** Only the SDK's own chain is there today. */
export const unknownCredentials = (name: string): AwsFailure =>
  new AwsFailure({
    code: "InvalidParameter",
    retry: "never",
    message: `No set of credentials is named '${name}'.`,
    advice: "Leave `credentials` out, or use `default`: the AWS credentials of the service's own process.",
    action: "GetCredentials"
  })
