import { readFileSync } from "node:fs"
import { Config, Effect, Option, Redacted, Schema, SchemaIssue, SchemaTransformation } from "effect"
import type { ConnectionOptions } from "./Connection.ts"

/** Where NATS is when nobody says. */
export const DEFAULT_NATS_URL = "nats://127.0.0.1:4222"

const isCreds = (text: string): boolean => text.includes("BEGIN NATS USER JWT")

const readFileOf = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** The content of a `.creds` file: given as it is, as base64, or by the file's path. */
const Creds = Schema.String.pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transformEffect({
      decode: (given) => {
        const forms = [given, Buffer.from(given, "base64").toString("utf8"), readFileOf(given)]
        const content = forms.find(isCreds)
        return content === undefined
          ? Effect.fail(
              new SchemaIssue.InvalidValue({ message: "must be the path of a .creds file, or its content in base64" })
            )
          : Effect.succeed(content)
      },
      encode: (content) => Effect.succeed(content)
    })
  )
)

/** A path that can be read now; a wrong one would otherwise look like a server that cannot be reached. */
const ReadableFile = Schema.String.check(
  Schema.makeFilter((path) => readFileOf(path) !== "" || "must be the path of a file that can be read")
)

/** `SU…`, as `nsc` and `nk` print it. */
const NkeySeed = Schema.String.check(Schema.isPattern(/^S[A-Z2-7]{57}$/, { message: "must be an NKey seed (SU…)" }))

const Servers = Schema.String.check(
  Schema.makeFilter(
    (list) =>
      serversOf(list).every((server) => URL.canParse(server)) ||
      "must be addresses such as nats://host:4222, separated by commas"
  )
)

const serversOf = (list: string): ReadonlyArray<string> =>
  list.split(",").map((server) => (server.includes("://") ? server.trim() : `nats://${server.trim()}`))

const file = (name: string) => Config.option(Config.schema(ReadableFile, name))
const optional = (name: string) => Config.option(Config.String(name))
const secret = (name: string) => Config.option(Config.Redacted(name))

/** The connection's settings, the same for every process; each is a variable of the environment. */
export const connectionConfig = {
  /**
   * The NATS server, or several with commas between; `tls://` for TLS, `nats://user:password@host:4222` for an account.
   */
  natsUrl: Config.schema(Servers, "NATS_URL").pipe(Config.withDefault(DEFAULT_NATS_URL)),
  /** A `.creds` file: its path, or its content in base64. */
  natsCreds: Config.option(Config.map(Config.schema(Creds, "NATS_CREDS"), (creds) => Redacted.make(creds))),
  /** Seed of an nkey. */
  natsNkeySeed: Config.option(Config.map(Config.schema(NkeySeed, "NATS_NKEY_SEED"), (seed) => Redacted.make(seed))),
  /** User, with `NATS_PASSWORD`. */
  natsUser: optional("NATS_USER"),
  /** Its password. */
  natsPassword: secret("NATS_PASSWORD"),
  /** Path of a PEM file with authorities; with any of these three the connection uses TLS. */
  natsTlsCa: file("NATS_TLS_CA"),
  /** Path of the client's own certificate. */
  natsTlsCert: file("NATS_TLS_CERT"),
  /** Path of its key. */
  natsTlsKey: file("NATS_TLS_KEY"),
  /** For accounts that may subscribe below one prefix only. Unset: `_INBOX`. */
  natsInboxPrefix: optional("NATS_INBOX_PREFIX"),
  /** JetStream's domain, for users that reach the fleet from [an account of their own](docs/security.md). */
  natsJsDomain: optional("NATS_JS_DOMAIN")
}

export type ConnectionValues = {
  readonly [K in keyof typeof connectionConfig]: Config.Success<(typeof connectionConfig)[K]>
}

/** The options of a connection that shows itself to the server under this name. */
export const connectionOptions = (values: ConnectionValues, name: string): ConnectionOptions => {
  const urls = serversOf(values.natsUrl).map((server) => new URL(server))
  const files = present({ caFile: values.natsTlsCa, certFile: values.natsTlsCert, keyFile: values.natsTlsKey })
  const wantsTls = Object.keys(files).length > 0 || urls.some(({ protocol }) => protocol === "tls:")
  return {
    servers: urls.map(({ host }) => `nats://${host}`),
    name,
    ...accountIn(urls),
    ...present({
      creds: values.natsCreds,
      nkeySeed: values.natsNkeySeed,
      user: values.natsUser,
      pass: values.natsPassword,
      inboxPrefix: values.natsInboxPrefix,
      jsDomain: values.natsJsDomain
    }),
    ...(wantsTls ? { tls: files } : {})
  }
}

/** User and password of the first address that has them. `NATS_USER` and `NATS_PASSWORD` win. */
const accountIn = (urls: ReadonlyArray<URL>): Pick<ConnectionOptions, "user" | "pass"> => {
  const url = urls.find(({ username }) => username !== "")
  if (url === undefined) return {}
  return { user: decodeURIComponent(url.username), pass: Redacted.make(decodeURIComponent(url.password)) }
}

type Present<T> = { -readonly [K in keyof T]?: T[K] extends Option.Option<infer A> ? A : never }

const present = <T extends Readonly<Record<string, Option.Option<unknown>>>>(fields: T): Present<T> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (Option.isSome(value) ? [[name, value.value]] : []))
  ) as Present<T>
