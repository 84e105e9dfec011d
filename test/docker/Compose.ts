import { docker, fleet, image } from "#test/docker/docker.ts"
import { freePort } from "#test/support/ports.ts"

/** deploy/compose.yml under a project name of its own, on free ports, apart from a fleet that runs on this machine. */
export interface Compose {
  readonly natsUrl: string
  /** `docker compose …` of this project; its output. */
  readonly compose: (...args: ReadonlyArray<string>) => Promise<string>
  /** `fleet …` against this project's NATS, from outside. */
  readonly fleet: (...args: ReadonlyArray<string>) => ReturnType<typeof fleet>
  /** The containers of one service, or of all. */
  readonly containers: (service?: string) => Promise<ReadonlyArray<string>>
  readonly down: () => Promise<void>
}

export interface ComposeOptions {
  readonly image?: string
  /** What stands before the command: `-f`, `--env-file`. */
  readonly flags?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
}

const portNames = ["NATS_PORT", "NATS_PORT_2", "NATS_PORT_3", "NATS_MONITOR_PORT", "LOCAL_AWS_PORT"]

export const composed = async (name: string, options: ComposeOptions = {}): Promise<Compose> => {
  const project = `ecs-fleet-test-${name}`
  const flags = options.flags ?? ["-f", "deploy/compose.yml"]
  const ports: Record<string, string> = {}
  for (const port of portNames) ports[port] = String(await freePort())
  const env = { FLEET_IMAGE: options.image ?? image, ...ports, ...options.env }
  const natsUrl = `nats://127.0.0.1:${ports["NATS_PORT"]}`
  const compose: Compose["compose"] = (...args) => docker(["compose", "-p", project, ...flags, ...args], env)
  return {
    natsUrl,
    compose,
    fleet: (...args) => fleet(args, { NATS_URL: natsUrl }),
    containers: async (service) => (await compose("ps", "-q", ...(service === undefined ? [] : [service]))).split("\n"),
    down: async () => void (await compose("down", "--volumes", "--remove-orphans", "--timeout", "0"))
  }
}
