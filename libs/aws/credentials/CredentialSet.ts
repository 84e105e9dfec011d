import { Redacted } from "effect"

/** Name of the set that a target without one means; it is the SDK's own chain unless the file says otherwise. */
export const DEFAULT_SET = "default"

/** Where a set's credentials come from. */
export type Source =
  /** As the SDK finds them: variables, profile, role of the task or the host. */
  | { readonly _tag: "Ambient" }
  /** A profile of the shared files (`~/.aws/config`, `~/.aws/credentials`). */
  | { readonly _tag: "Profile"; readonly profile: string }
  | {
      readonly _tag: "Static"
      readonly accessKeyId: string
      readonly secretAccessKey: Redacted.Redacted
      readonly sessionToken?: Redacted.Redacted
    }
  | AssumeRole

/** sts:AssumeRole with the credentials of another source; asked for again before they end. */
export interface AssumeRole {
  readonly _tag: "AssumeRole"
  readonly roleArn: string
  readonly externalId?: Redacted.Redacted
  readonly sessionName: string
  readonly durationSeconds?: number
  /** Of STS; absent = the set's. */
  readonly region?: string
  readonly source: CredentialSet
}

/** A set of credentials, as a pool names it. Another object means that its credentials have to be looked up again. */
export interface CredentialSet {
  readonly name: string
  readonly source: Source
  /** Of calls that name none. */
  readonly region?: string
  /** Where all its calls go instead of AWS. */
  readonly endpoint?: string
}

/** Everything that a set is, secrets included: to be compared, never to be shown. */
export const contentOf = ({ source, ...rest }: CredentialSet): string => JSON.stringify([rest, sourceContent(source)])

const sourceContent = (source: Source): unknown =>
  source._tag === "AssumeRole" ? [revealed(source), contentOf(source.source)] : revealed(source)

const revealed = (source: Source): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(source).flatMap(([name, value]: [string, unknown]) =>
      name === "source" ? [] : [[name, Redacted.isRedacted(value) ? Redacted.value(value) : value]]
    )
  )

export const ambient = (name: string = DEFAULT_SET): CredentialSet => ({ name, source: { _tag: "Ambient" } })
