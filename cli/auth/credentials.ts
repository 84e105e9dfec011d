import { createUser, fromSeed } from "@nats-io/nkeys"
import { Result } from "effect"
import { clientOf, type Proof, USERS_JS_DOMAIN } from "./serverConfig.ts"
import type { AuthUser } from "./users.ts"

/** How users prove who they are. Of an NKey the server keeps the public half only. */
export type Method = "nkeys" | "passwords"

/** What a user alone may know: an NKey's seed, or a password. */
export type Secret = string

const variableOf: Readonly<Record<Method, string>> = { nkeys: "NATS_NKEY_SEED", passwords: "NATS_PASSWORD" }

export const newSecret = (method: Method, random: (bytes: number) => Uint8Array): Secret =>
  method === "nkeys"
    ? new TextDecoder().decode(createUser().getSeed())
    : Buffer.from(random(PASSWORD_BYTES)).toString("base64url")

const PASSWORD_BYTES = 24

/** The secret in a file that an earlier call has written; undefined if it holds none of this kind. */
export const secretIn = (envFile: string, method: Method): Secret | undefined =>
  new RegExp(`^${variableOf[method]}=(\\S+)$`, "m").exec(envFile)?.[1]

/** What the server is told of a secret; fails where the seed is none. */
export const proofOf = (secret: Secret, method: Method): Result.Result<Proof, string> =>
  method === "passwords"
    ? Result.succeed({ password: secret })
    : Result.try({
        try: () => ({ publicKey: fromSeed(new TextEncoder().encode(secret)).getPublicKey() }),
        catch: () => "its NATS_NKEY_SEED is no NKey seed"
      })

/** The environment of whatever connects as this user. `caFile` where the server uses TLS. */
export const envFileOf = (user: AuthUser, secret: Secret, method: Method, caFile: string | undefined): string =>
  [
    ...(method === "passwords" ? [`NATS_USER=${user.name}`] : []),
    `${variableOf[method]}=${secret}`,
    `NATS_INBOX_PREFIX=${clientOf(user).inboxPrefix}`,
    ...(user.side === "outside" ? [`NATS_JS_DOMAIN=${USERS_JS_DOMAIN}`] : []),
    ...(caFile === undefined ? [] : [`NATS_TLS_CA=${caFile}`]),
    ""
  ].join("\n")
