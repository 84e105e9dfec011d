import { GenericContainer, Network, type StartedNetwork, type StartedTestContainer, Wait } from "testcontainers"
import { docker, fleet, image, natsImage } from "#test/docker/docker.ts"
import { sdkEnv } from "#test/support/LocalAws.ts"
import { freePort } from "#test/support/ports.ts"

export const services = ["dispatcher", "launcher", "watcher", "log-streamer"] as const

/** What only one container may have: its ports are those of loopback, the same after a restart. */
class LoopbackContainer extends GenericContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    const bindings: Record<string, ReadonlyArray<{ HostPort: string }>> = this.hostConfig.PortBindings ?? {}
    this.hostConfig.PortBindings = Object.fromEntries(
      Object.entries(bindings).map(([port, hosts]) => [port, hosts.map((each) => ({ ...each, HostIp: "127.0.0.1" }))])
    )
  }
}

export interface ContainerFleet {
  readonly natsUrl: string
  readonly awsUrl: string
  readonly nats: StartedTestContainer
  readonly service: (name: (typeof services)[number]) => StartedTestContainer
  /** One more replica. */
  readonly add: (name: (typeof services)[number]) => Promise<StartedTestContainer>
  /** Takes a container from the network, and brings it back. */
  readonly disconnect: (container: StartedTestContainer) => Promise<void>
  readonly reconnect: (container: StartedTestContainer) => Promise<void>
  readonly stop: () => Promise<void>
}

const volume = "ecs-fleet-test-containers"

/** NATS with its files on a volume, local-aws, and each service from the image, in a network of their own. */
export const startContainers = async (settings: Readonly<Record<string, string>>): Promise<ContainerFleet> => {
  const started: Array<StartedTestContainer> = []
  const network = await new Network().start()
  const begin = async (container: GenericContainer): Promise<StartedTestContainer> => {
    const running = await container.withNetwork(network).start()
    started.push(running)
    return running
  }
  const stop = async () => {
    for (const container of started.toReversed()) await container.stop({ timeout: 0 })
    await network.stop()
    await docker(["volume", "rm", "-f", volume])
  }
  try {
    const [natsPort, awsPort] = [await freePort(), await freePort()]
    const [nats] = await Promise.all([begin(natsContainer(natsPort)), begin(localAwsContainer(awsPort))])
    const natsUrl = `nats://127.0.0.1:${natsPort}`
    const made = await fleet(["init", "--local"], { NATS_URL: natsUrl })
    if (made.code !== 0) throw new Error(made.err)
    const env = { NATS_URL: "nats://nats:4222", ...sdkEnv("http://local-aws:4577"), ...settings }
    const add = (name: string) => begin(serviceContainer(name, env))
    const running = await Promise.all(services.map(async (name) => [name, await add(name)] as const))
    return {
      natsUrl,
      awsUrl: `http://127.0.0.1:${awsPort}`,
      nats,
      service: (name) => Object.fromEntries(running)[name] ?? nats,
      add,
      disconnect: (container) => inNetwork("disconnect", network, container),
      reconnect: (container) => inNetwork("connect", network, container),
      stop
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const natsContainer = (port: number): GenericContainer =>
  new LoopbackContainer(natsImage)
    .withCommand(["--jetstream", "--store_dir", "/data"])
    .withBindMounts([{ source: volume, target: "/data" }])
    .withNetworkAliases("nats")
    .withExposedPorts({ container: 4222, host: port })
    .withWaitStrategy(Wait.forLogMessage("Server is ready"))

const localAwsContainer = (port: number): GenericContainer =>
  new LoopbackContainer(image)
    .withCommand(["local-aws", "--host", "0.0.0.0"])
    .withNetworkAliases("local-aws")
    .withExposedPorts({ container: 4577, host: port })
    .withWaitStrategy(Wait.forLogMessage("local-aws is ready"))

const serviceContainer = (name: string, env: Readonly<Record<string, string>>): GenericContainer =>
  new GenericContainer(image)
    .withCommand([name])
    .withEnvironment(env)
    .withDroppedCapabilities("ALL")
    .withWaitStrategy(Wait.forLogMessage('"started"'))

const inNetwork = async (what: "connect" | "disconnect", network: StartedNetwork, container: StartedTestContainer) =>
  void (await docker(["network", what, network.getName(), container.getId()]))
