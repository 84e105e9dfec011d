import { Redacted, Result } from "effect"
import { isJson, type Json } from "#ecs-core/Json.ts"
import { nearest } from "#ecs-core/Nearest.ts"
import { ambient, type CredentialSet, DEFAULT_SET, type Source } from "./CredentialSet.ts"
import { isSecret, type Members, roleMembers, setMembers, sourceMembers } from "./setMembers.ts"

/**
 * Reads the sets of credentials that the services know, from the file's YAML once it is parsed. All that is wrong is
 * told at once, and no value of a secret with it: not even one that stands where it does not belong.
 */

export type Sets = ReadonlyMap<string, CredentialSet>
type Variables = Readonly<Record<string, string | undefined>>

/** Sets that one file may have. */
export const SETS_MAX = 1000

const NAME = /^[A-Za-z0-9_-]{1,64}$/u

/** `env`: where `fromEnv` finds its values. */
export const readSets = (file: unknown, env: Variables): Result.Result<Sets, ReadonlyArray<string>> => {
  if (!isJson(file)) return Result.fail(["The file must be a map from names of sets to their credentials."])
  const given = Object.entries(file)
  const names = given.map(([name]) => name)
  const problems = [
    ...(names.length > SETS_MAX ? [`There are ${names.length} sets, at most ${SETS_MAX} are allowed.`] : []),
    ...given.flatMap(([name, value]) => [...nameProblems(name), ...setProblems(name, value, names, env)]),
    ...names.flatMap((name) => loopProblems(name, file))
  ]
  if (problems.length > 0) return Result.fail(problems)
  const sets = new Map(names.map((name) => [name, setOf(name, file, env)]))
  if (!sets.has(DEFAULT_SET)) sets.set(DEFAULT_SET, ambient())
  return Result.succeed(sets)
}

const nameProblems = (name: string): ReadonlyArray<string> =>
  NAME.test(name) ? [] : [`"${name.slice(0, 80)}" cannot be the name of a set: use 1 to 64 of A-Z a-z 0-9 _ -.`]

const setProblems = (
  name: string,
  set: unknown,
  names: ReadonlyArray<string>,
  env: Variables
): ReadonlyArray<string> => {
  if (!isJson(set)) return [`${name}: must be a map such as { profile: ${name} }.`]
  const role = set["assumeRole"]
  return [
    ...memberProblems(name, set, setMembers),
    ...sourceProblems(name, set),
    ...(isJson(role) ? roleProblems(`${name}.assumeRole`, role, names) : []),
    ...environmentProblems(name, set["fromEnv"], env)
  ]
}

const memberProblems = (path: string, given: Json, members: Members): ReadonlyArray<string> =>
  Object.entries(given).flatMap(([name, value]) => {
    const field = `${path}.${name}`
    const member = Object.hasOwn(members, name) ? members[name] : undefined
    if (member !== undefined) {
      return member.fits(value) ? [] : [`${field}: ${shown(name, value)} is not allowed; it must be ${member.allowed}.`]
    }
    const meant = nearest(name, Object.keys(members))
    return [
      `${field}: there is no such member. ${meant === undefined ? `There are ${Object.keys(members).join(", ")}.` : `Did you mean ${meant}?`}`
    ]
  })

const shown = (name: string, value: unknown): string =>
  isSecret(name) || (typeof value === "object" && value !== null) ? "its value" : JSON.stringify(value)

/** Exactly one source; a static one is whole. */
const sourceProblems = (name: string, set: Json): ReadonlyArray<string> => {
  const given = sourceMembers.filter((member) => set[member] !== undefined)
  const keys = ["accessKeyId", "secretAccessKey"].filter((member) => set[member] === undefined)
  return [
    ...(given.length === 1
      ? []
      : [`${name}: give exactly one of ${sourceMembers.join(", ")}, not ${given.join(" and ") || "none"}.`]),
    ...(keys.length === 1 ? [`${name}.${keys[0]}: is missing; a key has an id and a secret.`] : []),
    ...(set["sessionToken"] !== undefined && keys.length === 2
      ? [`${name}.sessionToken: it goes with accessKeyId and secretAccessKey.`]
      : [])
  ]
}

const roleProblems = (path: string, role: Json, names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const { roleArn, source } = role
  const known = [DEFAULT_SET, ...names]
  const meant = typeof source === "string" ? nearest(source, known) : undefined
  return [
    ...memberProblems(path, role, roleMembers),
    ...(roleArn === undefined ? [`${path}.roleArn: is missing; it is the role to assume.`] : []),
    ...(typeof source !== "string" || known.includes(source)
      ? []
      : [
          `${path}.source: no set is named "${source}". ${meant === undefined ? `There are ${known.join(", ")}.` : `Did you mean "${meant}"?`}`
        ])
  ]
}

/** The variables of a prefix, under AWS's names. */
const variablesOf = (prefix: string) => ({
  accessKeyId: `${prefix}_ACCESS_KEY_ID`,
  secretAccessKey: `${prefix}_SECRET_ACCESS_KEY`,
  sessionToken: `${prefix}_SESSION_TOKEN`
})

const environmentProblems = (name: string, prefix: unknown, env: Variables): ReadonlyArray<string> => {
  if (typeof prefix !== "string") return []
  const { accessKeyId, secretAccessKey } = variablesOf(prefix)
  return [accessKeyId, secretAccessKey].flatMap((variable) =>
    (env[variable] ?? "") === "" ? [`${name}.fromEnv: ${variable} is not set in the environment.`] : []
  )
}

const sourceOfRole = (set: unknown): string | undefined => {
  const role = isJson(set) ? set["assumeRole"] : undefined
  return isJson(role) ? String(role["source"] ?? DEFAULT_SET) : undefined
}

const loopProblems = (name: string, file: Json): ReadonlyArray<string> => {
  const passed = [name]
  for (let next = sourceOfRole(file[name]); next !== undefined; next = sourceOfRole(file[next])) {
    if (next === name) return [`${name}.assumeRole.source: leads back to itself (${[...passed, next].join(" → ")}).`]
    if (passed.includes(next)) return []
    passed.push(next)
  }
  return []
}

const setOf = (name: string, file: Json, env: Variables): CredentialSet => {
  const set = file[name]
  if (!isJson(set)) return ambient(name)
  const { region, endpoint } = texts(set, "region", "endpoint")
  return {
    name,
    source: sourceOf(set, file, env),
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint })
  }
}

const sourceOf = (set: Json, file: Json, env: Variables): Source => {
  const { profile, fromEnv } = texts(set, "profile", "fromEnv")
  if (profile !== undefined) return { _tag: "Profile", profile }
  const role = set["assumeRole"]
  if (isJson(role)) return roleOf(role, file, env)
  const key = fromEnv === undefined ? texts(set, ...keyMembers) : ofEnvironment(fromEnv, env)
  const { accessKeyId, secretAccessKey, sessionToken } = key
  return accessKeyId === undefined || secretAccessKey === undefined
    ? { _tag: "Ambient" }
    : {
        _tag: "Static",
        accessKeyId,
        secretAccessKey: Redacted.make(secretAccessKey),
        ...(sessionToken === undefined || sessionToken === "" ? {} : { sessionToken: Redacted.make(sessionToken) })
      }
}

const keyMembers = ["accessKeyId", "secretAccessKey", "sessionToken"] as const
type Key = { readonly [K in (typeof keyMembers)[number]]: string | undefined }

const ofEnvironment = (prefix: string, env: Variables): Key => {
  const names = variablesOf(prefix)
  return {
    accessKeyId: env[names.accessKeyId],
    secretAccessKey: env[names.secretAccessKey],
    sessionToken: env[names.sessionToken]
  }
}

/** Who is seen in CloudTrail where the file names nobody. */
const SESSION_NAME = "ecs-fleet"

const roleOf = (role: Json, file: Json, env: Variables): Source => {
  const {
    roleArn = "",
    externalId,
    sessionName,
    region,
    source
  } = texts(role, "roleArn", "externalId", "sessionName", "region", "source")
  const { durationSeconds } = role
  return {
    _tag: "AssumeRole",
    roleArn,
    sessionName: sessionName ?? SESSION_NAME,
    source: setOf(source ?? DEFAULT_SET, file, env),
    ...(externalId === undefined ? {} : { externalId: Redacted.make(externalId) }),
    ...(typeof durationSeconds === "number" ? { durationSeconds } : {}),
    ...(region === undefined ? {} : { region })
  }
}

const texts = <const Name extends string>(from: Json, ...names: ReadonlyArray<Name>) =>
  Object.fromEntries(names.map((name) => [name, typeof from[name] === "string" ? from[name] : undefined])) as Readonly<
    Record<Name, string | undefined>
  >
