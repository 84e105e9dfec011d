import { Result } from "effect"
import type { Rights } from "#bus/Rights.ts"
import { isRunId } from "#ecs-core/Ids.ts"
import { fleetRights, type Identity, producerRights, readerRights } from "#process/FleetRights.ts"

/** Somebody who gets credentials. */
export interface AuthUser {
  readonly name: string
  /** Works on the fleet itself, or uses it from an account of its own. */
  readonly side: "fleet" | "outside"
  readonly rights: Rights
}

/** The command line: `name` or `name=id,id`. */
export interface UserFlags {
  readonly producer: ReadonlyArray<string>
  readonly reader: ReadonlyArray<string>
}

const identities = Object.keys(fleetRights) as ReadonlyArray<Identity>

/** Everybody who works on the fleet, then those named here; who is named twice may do both. Fails with every problem. */
export const authUsers = (flags: UserFlags): Result.Result<ReadonlyArray<AuthUser>, ReadonlyArray<string>> => {
  const given = [
    ...flags.producer.map((text) => parse("--producer", text, producerRights)),
    ...flags.reader.map((text) => parse("--reader", text, readerRights))
  ]
  const problems = given.flatMap(({ problems }) => problems)
  if (problems.length > 0) return Result.fail(problems)
  const outside = new Map<string, Rights>()
  for (const { name, rights } of given) outside.set(name, merged(outside.get(name) ?? {}, rights))
  return Result.succeed([
    ...identities.map((name): AuthUser => ({ name, side: "fleet", rights: fleetRights[name] })),
    ...[...outside].map(([name, rights]): AuthUser => ({ name, side: "outside", rights }))
  ])
}

interface Given {
  readonly name: string
  readonly rights: Rights
  readonly problems: ReadonlyArray<string>
}

const parse = (flag: string, text: string, rightsOf: (runIds?: ReadonlyArray<string>) => Rights): Given => {
  const [name = "", ...rest] = text.split("=")
  const runIds = rest.length === 0 ? undefined : rest.join("=").split(",")
  const wrong = (runIds ?? []).filter((id) => !isRunId(id))
  return {
    name,
    rights: wrong.length === 0 ? rightsOf(runIds) : {},
    problems: [
      ...nameProblems(name).map((problem) => `${flag} ${text}: ${problem}`),
      ...wrong.map((id) => `${flag} ${text}: ${idProblem(id)}`)
    ]
  }
}

const alphabet = "must be 1 to 64 of the characters A-Z a-z 0-9 _ -"

const nameProblems = (name: string): ReadonlyArray<string> => {
  if (!isRunId(name)) return [`the name "${name}" ${alphabet}`]
  return name in fleetRights ? [`the name "${name}" is taken by the fleet itself: choose another`] : []
}

const idProblem = (id: string): string =>
  /[*>]/.test(id)
    ? `the run id "${id}" ${alphabet}; NATS has no wildcard for a part of an id: list ids, or leave them out for all`
    : `the run id "${id}" ${alphabet}`

/** What either may do. */
export const merged = (one: Rights, other: Rights): Rights => ({
  publish: [...(one.publish ?? []), ...(other.publish ?? [])],
  replay: [...(one.replay ?? []), ...(other.replay ?? [])],
  read: [...(one.read ?? []), ...(other.read ?? [])],
  inspect: [...(one.inspect ?? []), ...(other.inspect ?? [])],
  readBuckets: [...(one.readBuckets ?? []), ...(other.readBuckets ?? [])]
})
