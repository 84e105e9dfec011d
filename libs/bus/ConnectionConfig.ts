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

const optional = (name: string) => Config.option(Config.String(name))
const secret = (name: string) => Config.option(Config.Redacted(name))

/** The connection's settings, the same for every process; each is a variable of the environment. */
export const connectionConfig = {
  /** One server or several, separated by commas. */
  natsUrl: Config.String("NATS_URL").pipe(Config.withDefault(DEFAULT_NATS_URL)),
  /** Content of a `.creds` file as base64, or its path. */
  natsCreds: Config.option(Config.map(Config.schema(Creds, "NATS_CREDS"), (creds) => Redacted.make(creds))),
  natsNkeySeed: secret("NATS_NKEY_SEED"),
  natsUser: optional("NATS_USER"),
  natsPassword: secret("NATS_PASSWORD"),
  /** Paths of PEM files; with any of them the connection uses TLS. */
  natsTlsCa: optional("NATS_TLS_CA"),
  natsTlsCert: optional("NATS_TLS_CERT"),
  natsTlsKey: optional("NATS_TLS_KEY"),
  /** For accounts that may subscribe below one prefix only. */
  natsInboxPrefix: optional("NATS_INBOX_PREFIX")
}

export type ConnectionValues = {
  readonly [K in keyof typeof connectionConfig]: Config.Success<(typeof connectionConfig)[K]>
}

/** The options of a connection that shows itself to the server under this name. */
export const connectionOptions = (values: ConnectionValues, name: string): ConnectionOptions => {
  const tls = present({ caFile: values.natsTlsCa, certFile: values.natsTlsCert, keyFile: values.natsTlsKey })
  return {
    servers: values.natsUrl.split(",").map((server) => server.trim()),
    name,
    ...present({
      creds: values.natsCreds,
      nkeySeed: values.natsNkeySeed,
      user: values.natsUser,
      pass: values.natsPassword,
      inboxPrefix: values.natsInboxPrefix
    }),
    ...(Object.keys(tls).length === 0 ? {} : { tls })
  }
}

type Present<T> = { -readonly [K in keyof T]?: T[K] extends Option.Option<infer A> ? A : never }

const present = <T extends Readonly<Record<string, Option.Option<unknown>>>>(fields: T): Present<T> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (Option.isSome(value) ? [[name, value.value]] : []))
  ) as Present<T>
