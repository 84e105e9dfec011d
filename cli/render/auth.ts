import type { Style } from "./style.ts"

export interface AuthWritten {
  /** The folder as people call it from here. */
  readonly folder: string
  readonly files: ReadonlyArray<{ readonly name: string; readonly state: string }>
  readonly services: ReadonlyArray<string>
  /** Those who use the fleet from an account of their own. */
  readonly outside: ReadonlyArray<string>
  /** Certificate and key of the server, where there are some. */
  readonly tls?: { readonly certificate: string; readonly key: string }
}

/** What was written, whose credentials are where, and how to start with them. */
export const authText = (style: Style, { folder, files, services, outside, tls }: AuthWritten): string => {
  const at = (name: string): string => `${folder}/${name}`
  const flags = tls === undefined ? "" : ` --tls --tlscert ${at(tls.certificate)} --tlskey ${at(tls.key)}`
  const environment = (user: string): string => `  ${user.padEnd(NAME_WIDTH)} ${at(`${user}.env`)}`
  return [
    ...files.map(({ name, state }) => `${state.padEnd(STATE_WIDTH)} ${at(name)}`),
    "",
    style.bold("Start the server, then set the fleet up:"),
    `  nats-server -js -c ${at("accounts.conf")}${flags}`,
    `  env $(cat ${at("init.env")}) fleet init`,
    style.bold("Give each service its own environment, and NATS_URL:"),
    ...services.map(environment),
    style.bold("At the command line:"),
    `  env $(cat ${at("operator.env")}) fleet ps`,
    ...(outside.length === 0 ? [] : [style.bold("Hand out:"), ...outside.map(environment)]),
    ""
  ].join("\n")
}

const STATE_WIDTH = 7
const NAME_WIDTH = 12
