import type { TopologyFinding } from "#bus/Topology.ts"
import { unsupportedReason } from "#bus/topology/pieces.ts"
import { type Finding, type Looked, ng, ok, skipped } from "./Finding.ts"

/** What NATS answered. */
export interface BusFacts {
  readonly url: string
  readonly serverVersion: string
  readonly replicas: number
  /** Whether the server asks who connects. */
  readonly hasAccounts: boolean
  readonly pieces: ReadonlyArray<TopologyFinding>
  /** Buckets that these credentials may not read. */
  readonly unreadable: ReadonlyArray<string>
  readonly fleetId: string | undefined
}

const INIT = "Run: fleet init"
const OPERATOR =
  "Use the operator's credentials, as docs/security.md has them: env $(cat fleet-auth/operator.env) fleet verify"

/** Everything about the bus. */
export const busFindings = (facts: BusFacts): ReadonlyArray<Finding> => [
  serverFinding(facts),
  ...["stream", "bucket", "consumer"].map((kind) => piecesFinding(kind, facts.pieces)),
  rightsFinding(facts),
  fleetIdFinding(facts)
]

/** Nobody answered: `message` says why and, after its first sentence or colon, what to do. */
export const busUnreachable = (message: string): ReadonlyArray<Finding> => {
  const [, says = message, fix] = /^(.*?\S)(?:\. |: (?=check ))(.*)$/s.exec(message) ?? []
  const looked = { check: "nats" }
  return [
    ng(looked, says.replace(/\.$/, ""), fix ?? "Check NATS_URL and the credentials: docs/settings.md"),
    ...["streams", "buckets", "consumers", "rights", "fleet id"].map((check) => skipped({ check }, "needs NATS"))
  ]
}

const serverFinding = ({ replicas, serverVersion, url }: BusFacts): Finding => {
  const looked: Looked = { check: "nats", subject: url }
  const why = unsupportedReason(serverVersion, replicas)
  if (why === undefined) return ok(looked, `nats-server ${serverVersion}, ${replicas === 1 ? "1 copy" : "3 copies"}`)
  const [says = why, fix = "Use a newer nats-server"] = why.split(": ")
  return ng(looked, says, upperFirst(fix))
}

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const piecesFinding = (kind: string, all: ReadonlyArray<TopologyFinding>): Finding => {
  const looked: Looked = { check: `${kind}s` }
  const pieces = all.filter(({ what }) => what.startsWith(`${kind} `))
  const named = (state: TopologyFinding["state"]) =>
    pieces.filter((piece) => piece.state === state).map(({ what }) => what.slice(kind.length + 1))
  const [missing, differing, unknown] = [named("missing"), named("differs"), named("unknown")]
  if (missing.length > 0) return ng(looked, `missing: ${missing.join(", ")}`, INIT)
  if (differing.length > 0) {
    const says = `not as the settings say: ${differing.join(", ")}`
    return ng(looked, says, `${INIT}, or set the variables of docs/settings.md here as the services have them`)
  }
  if (unknown.length > 0) return skipped(looked, `these credentials may not look at ${unknown.join(", ")}`)
  return ok(looked, `all ${pieces.length} are there, as the settings say`)
}

const rightsFinding = ({ hasAccounts, pieces, unreadable }: BusFacts): Finding => {
  const looked: Looked = { check: "rights" }
  const hidden = pieces.filter(({ state }) => state === "unknown").map(({ what }) => what)
  const denied = [...new Set([...hidden, ...unreadable.map((name) => `bucket ${name}`)])]
  if (denied.length > 0) return ng(looked, `NATS does not let these credentials see ${listed(denied)}`, OPERATOR)
  return ok(
    looked,
    hasAccounts
      ? "these credentials see everything"
      : "everybody who reaches this server may do everything: docs/security.md"
  )
}

/** So many are named. */
const NAMED_MAX = 5

const listed = (names: ReadonlyArray<string>): string => {
  const more = names.length - NAMED_MAX
  return `${names.slice(0, NAMED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`
}

const fleetIdFinding = ({ fleetId, unreadable }: BusFacts): Finding => {
  const looked: Looked = { check: "fleet id" }
  if (fleetId !== undefined) return ok(looked, fleetId)
  return unreadable.length > 0
    ? skipped(looked, "these credentials may not read it")
    : ng(looked, "there is none", INIT)
}
