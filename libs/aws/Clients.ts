import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs"
import type { EC2Client } from "@aws-sdk/client-ec2"
import { ECSClient } from "@aws-sdk/client-ecs"
import type { IAMClient } from "@aws-sdk/client-iam"
import { Context, Effect, Layer } from "effect"
import { AwsFailure } from "#ecs-core/errors.ts"
import { nearest } from "#ecs-core/Nearest.ts"
import { agentsOf } from "./Agents.ts"
import { AwsConfig, type AwsSettings } from "./AwsConfig.ts"
import { type CredentialSet, DEFAULT_SET } from "./credentials/CredentialSet.ts"
import { CredentialSets } from "./credentials/CredentialSets.ts"
import { credentialsSdk, type Provider, providerOf } from "./credentials/provider.ts"
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
    readonly iam: (target: AwsTarget) => Effect.Effect<IAMClient, AwsFailure>
    /** The region that a call to this target goes to, as far as it is known here. */
    readonly region: (target: AwsTarget) => string | undefined
  }
>()("aws/Clients") {
  static readonly layer = Layer.effect(
    Clients,
    Effect.gen(function* () {
      const [settings, sets] = [yield* AwsConfig, yield* CredentialSets]
      const ecs = yield* clientCache(
        settings,
        sets,
        Effect.succeed((options) => new ECSClient(options))
      )
      const ec2 = yield* clientCache(settings, sets, makeEc2)
      const logs = yield* clientCache(
        settings,
        sets,
        Effect.succeed((options) => new CloudWatchLogsClient(options))
      )
      const iam = yield* clientCache(settings, sets, makeIam)
      return Clients.of({ ecs, ec2, logs, iam, region: (target) => regionOf(settings, sets, target) })
    })
  )
}

/** Request or pool, then the set, then the process. */
const regionOf = ({ region }: AwsSettings, sets: CredentialSets["Service"], target: AwsTarget): string | undefined =>
  target.region ?? sets.find(target.credentials)?.region ?? region

/** How the client of one region and set of credentials is made. */
export interface ClientOptions {
  readonly region?: string
  readonly endpoint?: string
  readonly credentials?: Provider
  readonly maxAttempts: number
  readonly retryMode: "standard"
  readonly requestHandler: {
    readonly requestTimeout: number
    readonly throwOnRequestTimeout: boolean
    readonly connectionTimeout: number
  } & ReturnType<typeof agentsOf>
}

export const clientOptions = (
  settings: AwsSettings,
  region: string | undefined,
  endpoint?: string | undefined
): ClientOptions => ({
  ...(region === undefined ? {} : { region }),
  ...(endpoint === undefined ? {} : { endpoint }),
  maxAttempts: settings.maxAttempts,
  retryMode: "standard",
  requestHandler: {
    requestTimeout: settings.requestTimeoutSeconds * 1000,
    throwOnRequestTimeout: true,
    connectionTimeout: settings.connectionTimeoutSeconds * 1000,
    ...agentsOf(settings)
  }
})

/** The largest of the SDK's clients, a quarter of a service's start: loaded by the first who asks about a network. */
export const ec2Sdk = () => import("@aws-sdk/client-ec2")

const makeEc2 = Effect.map(
  Effect.promise(ec2Sdk),
  ({ EC2Client }) =>
    (options: ClientOptions) =>
      new EC2Client(options)
)

/** Loaded by the first who asks about a role: no service does. */
export const iamSdk = () => import("@aws-sdk/client-iam")

const makeIam = Effect.map(
  Effect.promise(iamSdk),
  ({ IAMClient }) =>
    (options: ClientOptions) =>
      new IAMClient(options)
)

interface Kept<Client> {
  readonly client: Client
  /** The set whose credentials it has. */
  readonly set: CredentialSet
}

/**
 * A set that has changed has another client from its next call on. A client that is let go is not destroyed, since calls
 * may be under way; its idle sockets are closed by AWS.
 */
const clientCache = <Client extends { readonly destroy: () => void }>(
  settings: AwsSettings,
  sets: CredentialSets["Service"],
  load: Effect.Effect<(options: ClientOptions) => Client>
) =>
  Effect.gen(function* () {
    const clients = yield* Effect.acquireRelease(
      Effect.sync(() => new Map<string, Kept<Client>>()),
      (made) => Effect.sync(() => made.forEach(({ client }) => client.destroy()))
    )
    return (target: AwsTarget): Effect.Effect<Client, AwsFailure> =>
      Effect.gen(function* () {
        const [make, sdk] = [yield* load, yield* Effect.promise(credentialsSdk)]
        const set = sets.find(target.credentials)
        if (set === undefined) return yield* unknownCredentials(target.credentials ?? DEFAULT_SET, sets.names())
        const region = regionOf(settings, sets, target)
        const key = `${set.name}|${region ?? ""}`
        const known = clients.get(key)
        const kept = known?.set === set ? known : { set, client: make(optionsOf(settings, sdk, set, region)) }
        clients.delete(key)
        clients.set(key, kept)
        const [oldest] = clients.keys()
        if (clients.size > settings.maxClients && oldest !== undefined) clients.delete(oldest)
        return kept.client
      })
  })

const optionsOf = (
  settings: AwsSettings,
  sdk: Awaited<ReturnType<typeof credentialsSdk>>,
  set: CredentialSet,
  region: string | undefined
): ClientOptions => ({
  ...clientOptions(settings, region, set.endpoint),
  credentials: providerOf(sdk, set, ({ endpoint }, own) => clientOptions(settings, own ?? region, endpoint))
})

/** It pauses like a set that AWS does not accept, so that all is kept until the file has it. */
export const unknownCredentials = (name: string, known: ReadonlyArray<string>): AwsFailure => {
  const meant = nearest(name, known)
  return new AwsFailure({
    code: "CredentialsRejected",
    retry: "credentials",
    message: `No set of credentials is named '${name}' here.${meant === undefined ? "" : ` Did you mean '${meant}'?`}`,
    advice: `Add it to the file that FLEET_AWS_CREDENTIALS_FILE names, for every service; those known are ${known.join(", ")}.`,
    action: "GetCredentials"
  })
}
