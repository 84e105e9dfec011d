import { assert, describe, it } from "@effect/vitest"
import { Redacted, Result } from "effect"
import { contentOf } from "./CredentialSet.ts"
import { readSets, SETS_MAX } from "./readSets.ts"

const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
const key = { accessKeyId: "AKIATEAMA", secretAccessKey: secret }
const roleArn = "arn:aws:iam::123456789012:role/fleet"

const problemsOf = (file: unknown, env: Record<string, string> = {}) => {
  const read = readSets(file, env)
  const problems = Result.isFailure(read) ? read.failure : []
  assert.notInclude(JSON.stringify(problems), secret)
  return problems
}

const sourceOf = (file: unknown, name: string, env: Record<string, string> = {}) =>
  Result.getOrThrow(readSets(file, env)).get(name)?.source

describe("readSets", () => {
  it.each([
    { what: "ambient", set: { ambient: true }, source: { _tag: "Ambient" } },
    { what: "a profile", set: { profile: "team-a" }, source: { _tag: "Profile", profile: "team-a" } }
  ])("reads $what", ({ set, source }) => {
    assert.deepStrictEqual<unknown>(sourceOf({ a: set }, "a"), source)
  })

  it("reads keys, and hides their secrets from whoever prints them", () => {
    const source = sourceOf({ a: { ...key, sessionToken: secret } }, "a")
    assert(source?._tag === "Static" && source.sessionToken !== undefined)
    assert.deepStrictEqual([source.secretAccessKey, source.sessionToken].map(Redacted.value), [secret, secret])
    assert.notInclude(JSON.stringify(source), secret)
  })

  it("reads keys from the environment, by AWS's names behind a prefix", () => {
    const env = { TEAM_A_ACCESS_KEY_ID: "AKIATEAMA", TEAM_A_SECRET_ACCESS_KEY: secret, TEAM_A_SESSION_TOKEN: "token" }
    const source = sourceOf({ a: { fromEnv: "TEAM_A" } }, "a", env)
    assert(source?._tag === "Static")
    assert.deepStrictEqual([source.accessKeyId, Redacted.value(source.secretAccessKey)], ["AKIATEAMA", secret])
  })

  it("reads roles, also one that is assumed with another", () => {
    const hub = { assumeRole: { roleArn, durationSeconds: 900, externalId: "e" }, region: "eu-west-1" }
    const source = sourceOf({ hub, spoke: { assumeRole: { roleArn, source: "hub", sessionName: "me" } } }, "spoke")
    assert(source?._tag === "AssumeRole" && source.source.source._tag === "AssumeRole")
    assert.deepStrictEqual([source.sessionName, source.source.region], ["me", "eu-west-1"])
    const { durationSeconds, sessionName, source: root } = source.source.source
    assert.deepStrictEqual([durationSeconds, sessionName, root.source._tag], [900, "ecs-fleet", "Ambient"])
  })

  it.each([{}, { other: { profile: "p" } }])("has the SDK's own chain as default, whatever else there is", (file) => {
    assert.deepStrictEqual<unknown>(sourceOf(file, "default"), { _tag: "Ambient" })
  })

  it("takes another default from the file", () => {
    assert.deepStrictEqual<unknown>(sourceOf({ default: { profile: "p" } }, "default"), {
      _tag: "Profile",
      profile: "p"
    })
  })

  it.each([
    { what: "no map", file: [], says: [/must be a map/] },
    { what: "a set that is no map", file: { a: "profile" }, says: [/^a: must be a map/] },
    { what: "a bad name", file: { "team a": { profile: "p" } }, says: [/^"team a" cannot be the name/] },
    { what: "no source", file: { a: { region: "eu-west-1" } }, says: [/^a: give exactly one of .*, not none/] },
    { what: "two sources", file: { a: { profile: "p", ambient: true } }, says: [/not ambient and profile/] },
    { what: "ambient that is false", file: { a: { ambient: false } }, says: [/^a\.ambient: false is not allowed/] },
    { what: "half a key", file: { a: { accessKeyId: "AKIA" } }, says: [/^a\.secretAccessKey: is missing/] },
    {
      what: "a secret alone",
      file: { a: { secretAccessKey: secret } },
      says: [/exactly one/, /accessKeyId: is missing/]
    },
    {
      what: "a token alone",
      file: { a: { profile: "p", sessionToken: secret } },
      says: [/sessionToken: it goes with/]
    },
    {
      what: "a secret in the place of the id",
      file: { a: { ...key, accessKeyId: secret } },
      says: [/its value is not allowed/]
    },
    { what: "a misspelt member", file: { a: { ...key, sesionToken: secret } }, says: [/Did you mean sessionToken\?/] },
    {
      what: "a variable that is not set",
      file: { a: { fromEnv: "T" } },
      says: [/T_ACCESS_KEY_ID is not set/, /T_SECRET/]
    },
    { what: "a role without ARN", file: { a: { assumeRole: {} } }, says: [/^a\.assumeRole\.roleArn: is missing/] },
    {
      what: "a role that is none",
      file: { a: { assumeRole: { roleArn: "fleet", durationSeconds: 899 } } },
      says: [/"fleet" is not allowed; it must be the ARN of a role/, /899 is not allowed/]
    },
    {
      what: "an unknown source",
      file: { teamA: key, a: { assumeRole: { roleArn, source: "teamB" } } },
      says: [/no set is named "teamB"\. Did you mean "teamA"\?/]
    },
    {
      what: "sources in a circle",
      file: { a: { assumeRole: { roleArn, source: "b" } }, b: { assumeRole: { roleArn, source: "a" } } },
      says: [/a → b → a/, /b → a → b/]
    },
    {
      what: "an endpoint that is none",
      file: { a: { ambient: true, endpoint: "aws" } },
      says: [/an http or https address/]
    },
    {
      what: "a region that is none",
      file: { a: { ambient: true, region: "Frankfurt" } },
      says: [/"Frankfurt".*eu-west-1/]
    }
  ])("$what: every problem, and no value of a secret", ({ file, says }) => {
    const problems = problemsOf(file)
    assert.lengthOf(problems, says.length, problems.join("\n"))
    for (const [at, pattern] of says.entries()) assert.match(problems[at] ?? "", pattern)
  })

  it.each([
    { count: SETS_MAX, problems: 0 },
    { count: SETS_MAX + 1, problems: 1 }
  ])("$count sets: $problems problems", ({ count, problems }) => {
    const file = Object.fromEntries(Array.from({ length: count }, (_, at) => [`s${at}`, { ambient: true }]))
    assert.lengthOf(problemsOf(file), problems)
  })
})

describe("contentOf", () => {
  it("tells rotated keys apart, also those of a role's source", () => {
    const spoke = { assumeRole: { roleArn, source: "hub" } }
    const contents = [key, { ...key, secretAccessKey: "other" }].map((hub) => {
      const set = Result.getOrThrow(readSets({ hub, spoke }, {})).get("spoke")
      return set === undefined ? "" : contentOf(set)
    })
    assert.strictEqual(new Set(contents).size, 2)
  })
})
