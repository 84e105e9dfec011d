/** Where a Docker engine listens. */
export type EngineAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number }

/** Where it listens when nobody says. */
export const defaultDockerHost = "unix:///var/run/docker.sock"

const defaultPort = 2375

/**
 * Docker's own variable `DOCKER_HOST`, `unix:///run/docker.sock` or `tcp://10.0.0.1:2375`; undefined for anything else:
 * of an engine behind SSH or TLS the socket has to be forwarded.
 */
export const parseDockerHost = (text: string): EngineAddress | undefined => {
  const socketPath = /^unix:\/\/(\/.+)$/.exec(text)?.[1]
  if (socketPath !== undefined) return { socketPath }
  const [, host, port] = /^(?:tcp|http):\/\/([A-Za-z0-9.-]+)(?::(\d{1,5}))?\/?$/.exec(text) ?? []
  return host === undefined ? undefined : { host, port: port === undefined ? defaultPort : Number(port) }
}
