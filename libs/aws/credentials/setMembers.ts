import { isJson } from "#ecs-core/Json.ts"

/** What stands in the file of the sets of credentials: each member, and what it may be. */

export interface Member {
  readonly fits: (value: unknown) => boolean
  /** Follows "it must be". */
  readonly allowed: string
}
export type Members = Readonly<Record<string, Member>>

const text = (pattern: RegExp, allowed: string): Member => ({
  fits: (value) => typeof value === "string" && pattern.test(value),
  allowed
})

const anyText = text(/^\S(?:.*\S)?$/u, "a text")
const region = text(/^[a-z]{2,}(?:-[a-z]+)+-\d+$/u, "a region such as eu-west-1")
const setName = text(/^[A-Za-z0-9_-]{1,64}$/u, "the name of a set")

/** One of them says where a set's credentials come from; `accessKeyId` goes with `secretAccessKey`. */
export const sourceMembers = ["ambient", "profile", "accessKeyId", "fromEnv", "assumeRole"] as const

export const setMembers: Members = {
  ambient: { fits: (value) => value === true, allowed: "true" },
  profile: anyText,
  accessKeyId: text(/^[A-Za-z0-9_-]{1,128}$/u, "an access key id"),
  secretAccessKey: anyText,
  sessionToken: anyText,
  fromEnv: text(/^[A-Za-z_][A-Za-z0-9_]*$/u, "the prefix of variables, such as TEAM_A for TEAM_A_ACCESS_KEY_ID"),
  assumeRole: { fits: isJson, allowed: "a map with roleArn" },
  region,
  endpoint: { fits: (value) => typeof value === "string" && isUrl(value), allowed: "an http or https address" }
}

export const roleMembers: Members = {
  roleArn: text(/^arn:[^:\s]+:iam::\d{12}:role\/\S+$/u, "the ARN of a role"),
  externalId: anyText,
  sessionName: text(/^[\w+=,.@-]{2,64}$/u, "2 to 64 of A-Z a-z 0-9 _ + = , . @ -"),
  durationSeconds: {
    fits: (value) => Number.isInteger(value) && Number(value) >= 900 && Number(value) <= 43_200,
    allowed: "a whole number from 900 to 43200"
  },
  region,
  source: setName
}

/** Of these no value is shown. A key id is no secret, but may be one that was put into the wrong line. */
const SECRETS: ReadonlySet<string> = new Set([
  "accessKeyId",
  "secretAccessKey",
  "sessionToken",
  "externalId",
  "endpoint"
])

export const isSecret = (name: string): boolean => SECRETS.has(name)

const isUrl = (value: string): boolean => /^https?:$/.test(URL.parse(value)?.protocol ?? "")
