import type { fromIni, fromTemporaryCredentials } from "@aws-sdk/credential-providers"
import { Redacted } from "effect"
import type { AssumeRole, CredentialSet } from "./CredentialSet.ts"

/** The SDK's own providers, loaded by the first client that is made. */
export const credentialsSdk = () => import("@aws-sdk/credential-providers")

type Sdk = Awaited<ReturnType<typeof credentialsSdk>>
export type Provider = ReturnType<typeof fromIni>
type ClientConfig = NonNullable<Parameters<typeof fromTemporaryCredentials>[0]["clientConfig"]>

/** How the client of STS is made that a role is assumed with: as the others are. */
export type StsConfig = (set: CredentialSet, region: string | undefined) => ClientConfig

/** The credentials of a set, for the clients of one region; a role's are asked for anew before they end. */
export const providerOf = (sdk: Sdk, set: CredentialSet, stsConfig: StsConfig): Provider => {
  const { source } = set
  switch (source._tag) {
    case "Ambient":
      return sdk.fromNodeProviderChain({ ignoreCache: true })
    case "Profile":
      return said(sdk.fromIni({ profile: source.profile, ignoreCache: true }))
    case "Static": {
      const { accessKeyId, secretAccessKey, sessionToken } = source
      const token = sessionToken === undefined ? {} : { sessionToken: Redacted.value(sessionToken) }
      return () => Promise.resolve({ accessKeyId, secretAccessKey: Redacted.value(secretAccessKey), ...token })
    }
    case "AssumeRole":
      return said(assumed(sdk, set, source, stsConfig))
  }
}

const assumed = (sdk: Sdk, set: CredentialSet, role: AssumeRole, stsConfig: StsConfig): Provider => {
  const { durationSeconds, externalId, roleArn, sessionName, source } = role
  return sdk.fromTemporaryCredentials({
    masterCredentials: providerOf(sdk, source, stsConfig),
    clientConfig: stsConfig(source, role.region ?? set.region ?? source.region),
    params: {
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      ...(externalId === undefined ? {} : { ExternalId: Redacted.value(externalId) }),
      ...(durationSeconds === undefined ? {} : { DurationSeconds: durationSeconds })
    }
  })
}

/** Whatever AWS refuses while credentials are looked up is a fault of the credentials, never of the call they are for. */
const said =
  (provider: Provider): Provider =>
  async (properties) => {
    try {
      return await provider(properties)
    } catch (error) {
      throw isRefusal(error) ? asProviderError(error) : error
    }
  }

const isRefusal = (error: unknown): error is Error =>
  error instanceof Error && Reflect.get(error, "$fault") === "client" && !/Throttl|RequestLimit/i.test(error.name)

const asProviderError = (error: Error): Error => {
  const wrapped = new Error(`${error.name}: ${error.message}`, { cause: error })
  wrapped.name = "CredentialsProviderError"
  return wrapped
}
