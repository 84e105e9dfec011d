import { Effect } from "effect"
import type { AwsException } from "#aws/model/AwsException.ts"
import { digest } from "#ecs-core/Digest.ts"

interface GetRoleInput {
  readonly RoleName?: string
}

/** As long as a role's name may be; a path is no part of it. */
const ROLE_NAME = /^[\w+=,.@-]{1,64}$/

const trust = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }]
}

/** What `fleet verify` asks IAM. As everywhere here, every role is there, and tasks may have it. */
export const iamOperations = (accountId: string) => ({
  GetRole: (_region: string, { RoleName = "" }: GetRoleInput) =>
    ROLE_NAME.test(RoleName)
      ? Effect.succeed({
          Role: {
            Path: "/",
            RoleName,
            RoleId: `AROA${digest("role", RoleName).slice(0, 16).toUpperCase()}`,
            Arn: `arn:aws:iam::${accountId}:role/${RoleName}`,
            CreateDate: "2026-01-01T00:00:00Z",
            AssumeRolePolicyDocument: encodeURIComponent(JSON.stringify(trust))
          }
        })
      : Effect.fail(invalidName)
})

const invalidName: AwsException = {
  __type: "ValidationError",
  message: "RoleName must be 1 to 64 letters, digits or _ + = , . @ -."
}
