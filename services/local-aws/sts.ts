import { Clock, Effect } from "effect"
import type { AwsException } from "#aws/model/AwsException.ts"
import { digest } from "#ecs-core/Digest.ts"

/** What the SDK needs of STS. Here everybody is the account itself, and may assume every role. */

interface AssumeRoleInput {
  readonly RoleArn?: string
  readonly RoleSessionName?: string
  readonly DurationSeconds?: string
}

/** AWS's default and least, in seconds. */
const DURATION_SECONDS = 3600

export const stsOperations = (accountId: string) => ({
  GetCallerIdentity: () =>
    Effect.succeed({ Arn: `arn:aws:iam::${accountId}:root`, UserId: accountId, Account: accountId }),
  AssumeRole: (_region: string, input: AssumeRoleInput) => assumeRole(input)
})

/** The access key id of a role's sessions: the same for each, so that a fault can name it. */
export const roleKeyId = (roleArn: string): string => `ASIA${digest("role", roleArn).slice(0, 16).toUpperCase()}`

const assumeRole = ({ DurationSeconds, RoleArn = "", RoleSessionName = "" }: AssumeRoleInput) =>
  Effect.gen(function* () {
    const role = /^arn:aws:iam::(\d{12}):role\/(.+)$/.exec(RoleArn)
    if (role === null || RoleSessionName === "") return yield* Effect.fail(invalidRole)
    const [, account = "", name = ""] = role
    const now = yield* Clock.currentTimeMillis
    const ends = new Date(now + Number(DurationSeconds ?? DURATION_SECONDS) * 1000)
    return {
      Credentials: {
        AccessKeyId: roleKeyId(RoleArn),
        SecretAccessKey: digest("secret", RoleArn),
        SessionToken: digest("token", RoleArn, ends.toISOString()),
        Expiration: ends.toISOString()
      },
      AssumedRoleUser: {
        AssumedRoleId: `AROA${digest("role", RoleArn).slice(0, 16).toUpperCase()}:${RoleSessionName}`,
        Arn: `arn:aws:sts::${account}:assumed-role/${name}/${RoleSessionName}`
      }
    }
  })

const invalidRole: AwsException = {
  __type: "ValidationError",
  message: "RoleArn must be the ARN of a role, and RoleSessionName be given."
}
