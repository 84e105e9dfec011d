import { apiPrefixOf, type Client, type Permissions, permissionsOf } from "#bus/Rights.ts"
import type { TopologySpec } from "#bus/Topology.ts"
import { producerRights, readerRights } from "#process/FleetRights.ts"
import { type AuthUser, merged } from "./users.ts"

/*
 * Two accounts. nats-server checks where a client publishes, but not where it asks the answer to be sent: within one
 * account a producer that names `run.cancel.<other>` as the reply of its own request has the acknowledgement stored
 * there, which cancels the other run. So producers and readers have an account of their own, in which there is no
 * stream, and reach the fleet through imports: an answer ends in their account, wherever it is sent.
 */

/** Account of those who work on the fleet, with its streams; account of those who use it. */
export const FLEET_ACCOUNT = "FLEET"
export const USERS_ACCOUNT = "FLEET_USERS"

/** The domain under which the fleet's streams are known in the users' account. */
export const USERS_JS_DOMAIN = "FLEET"

/** What a server knows a user by. */
export type Proof = { readonly publicKey: string } | { readonly password: string }

export interface ProvedUser extends AuthUser {
  readonly proof: Proof
}

export const clientOf = ({ name, side }: AuthUser): Client => ({
  inboxPrefix: `_INBOX_${name}`,
  apiPrefix: apiPrefixOf(side === "fleet" ? undefined : USERS_JS_DOMAIN)
})

export const userPermissions = (user: AuthUser, spec: TopologySpec): Permissions =>
  permissionsOf(user.rights, spec, clientOf(user))

/** A configuration of nats-server, complete but for its address, its storage and TLS. */
export const serverConfigOf = (users: ReadonlyArray<ProvedUser>, spec: TopologySpec): string => {
  const [fleet, outside] = [users.filter(isInside), users.filter((user) => !isInside(user))]
  const passages = outside.length === 0 ? [] : passagesOf(spec)
  return [
    "# Written by `fleet auth init`: run it again to change this file. Who may do what: docs/security.md.",
    "accounts {",
    `  ${FLEET_ACCOUNT} {`,
    "    jetstream: enabled",
    ...block("users", fleet.map(userLines(spec))),
    ...block("exports", passages.map(exportLine)),
    "  }",
    ...(outside.length === 0
      ? []
      : [
          `  ${USERS_ACCOUNT} {`,
          ...block("users", outside.map(userLines(spec))),
          ...block("imports", passages.map(importLine)),
          "  }"
        ]),
    "}",
    ""
  ].join("\n")
}

const isInside = ({ side }: AuthUser): boolean => side === "fleet"

const block = (name: string, entries: ReadonlyArray<string>): ReadonlyArray<string> =>
  entries.length === 0 ? [] : [`    ${name}: [`, ...entries, "    ]"]

const quoted = (text: string): string => JSON.stringify(text)

const list = (name: string, subjects: ReadonlyArray<string>): ReadonlyArray<string> =>
  subjects.length === 0
    ? []
    : [`        ${name}: [`, ...subjects.map((subject) => `          ${quoted(subject)}`), "        ]"]

const userLines =
  (spec: TopologySpec) =>
  (user: ProvedUser): string => {
    const { publish, subscribe } = userPermissions(user, spec)
    return [
      `      # ${user.name}`,
      `      { ${proofText(user)}, permissions: {`,
      "        publish: {",
      ...list("allow", publish.allow),
      ...list("deny", publish.deny),
      "        }",
      `        subscribe: { allow: [${subscribe.allow.map(quoted).join(", ")}] }`,
      "      } }"
    ].join("\n")
  }

const proofText = ({ name, proof }: ProvedUser): string =>
  "publicKey" in proof ? `nkey: ${proof.publicKey}` : `user: ${quoted(name)}, password: ${quoted(proof.password)}`

interface Passage {
  readonly subject: string
  /** Its name in the users' account. */
  readonly as: string
  /** One request has many answers. */
  readonly streams: boolean
}

/** What a user without limits may ask; each user's own permissions say how much of it. */
const passagesOf = (spec: TopologySpec): ReadonlyArray<Passage> => {
  const [here, there] = [apiPrefixOf(undefined), apiPrefixOf(USERS_JS_DOMAIN)]
  const client = { inboxPrefix: "", apiPrefix: here }
  return permissionsOf(merged(producerRights(), readerRights()), spec, client).publish.allow.map((subject) => ({
    subject,
    as: subject.startsWith(`${here}.`) ? `${there}${subject.slice(here.length)}` : subject,
    streams: subject.startsWith(`${here}.CONSUMER.MSG.NEXT.`)
  }))
}

const exportLine = ({ subject, streams }: Passage): string =>
  `      { service: ${quoted(subject)}, ${streams ? "response_type: stream, " : ""}accounts: [${USERS_ACCOUNT}] }`

const importLine = ({ subject, as }: Passage): string => {
  const to = as === subject ? "" : `, to: ${quoted(as)}`
  return `      { service: { account: ${FLEET_ACCOUNT}, subject: ${quoted(subject)} }${to} }`
}
