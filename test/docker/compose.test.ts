import { statSync } from "node:fs"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Compose, composed } from "#test/docker/Compose.ts"
import { baseImage, docker, image } from "#test/docker/docker.ts"

/**
 * deploy/compose.yml as a user starts it: `up -d --wait` builds the image where there is none; NATS, local-aws and the
 * services in containers of their own, the command line outside.
 */
const ownImage = "ecs-fleet:compose-test"
const socket = (process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock").replace(/^unix:\/\//, "")

let here: Compose

beforeAll(async () => {
  await docker(["image", "rm", "-f", ownImage])
  here = await composed("compose", { image: ownImage })
  await here.compose("up", "-d", "--wait", "--scale", "launcher=3")
})

afterAll(async () => {
  await here.down()
  await docker(["image", "rm", "-f", ownImage])
})

const statuses = async () => (await here.compose("ps", "--format", "{{.Service}} {{.Health}}")).split("\n").toSorted()

interface Inspected {
  readonly Name: string
  readonly Mounts: ReadonlyArray<{ readonly Source: string }>
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean
    readonly CapDrop: ReadonlyArray<string>
    readonly SecurityOpt: ReadonlyArray<string>
    readonly Memory: number
    readonly NanoCpus: number
    readonly PidsLimit: number
    readonly PortBindings: Readonly<Record<string, ReadonlyArray<{ readonly HostIp: string }>>>
  }
}

describe("the fleet in containers", () => {
  it("runs a program and ends with its exit code", async () => {
    const ended = await here.fleet("run", "--", "sh", "-c", "echo hello; exit 3")
    assert.strictEqual(ended.code, 3, ended.err)
    assert.strictEqual(ended.out, "hello\n")
  })

  it("every container is healthy, of a scaled service each replica", async () => {
    assert.deepStrictEqual(await statuses(), [
      "dispatcher healthy",
      "launcher healthy",
      "launcher healthy",
      "launcher healthy",
      "local-aws healthy",
      "log-streamer healthy",
      "nats healthy",
      "watcher healthy"
    ])
  })

  it("every container is hardened: nothing to write on, no capability, limits, ports of loopback only, no socket", async () => {
    const all = JSON.parse(await docker(["inspect", ...(await here.containers())])) as ReadonlyArray<Inspected>
    assert.lengthOf(all, 8)
    for (const { HostConfig: host, Mounts, Name } of all) {
      assert.deepInclude(host, { ReadonlyRootfs: true, CapDrop: ["ALL"] }, Name)
      assert.include(host.SecurityOpt, "no-new-privileges:true", Name)
      for (const limit of [host.Memory, host.NanoCpus, host.PidsLimit]) assert.isAbove(limit, 0, Name)
      for (const { HostIp } of Object.values(host.PortBindings).flat()) assert.strictEqual(HostIp, "127.0.0.1", Name)
      assert.notInclude(Mounts.map(({ Source }) => Source).join(" "), "docker.sock", Name)
    }
  })

  it("an idle service takes less than 130 MB", async () => {
    const ids = await Promise.all(["dispatcher", "launcher", "watcher", "log-streamer"].map(here.containers))
    const used = await docker(["stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", ...ids.flat()])
    for (const line of used.split("\n")) {
      const mebibytes = Number(/ ([\d.]+)MiB/.exec(line)?.[1])
      assert.isBelow(mebibytes * 1.048576, 130, line)
    }
  })

  it("SIGTERM: a service stops by itself, with exit code 0, and is taken back", async () => {
    await here.compose("stop", "watcher")
    assert.include(await here.compose("ps", "-a", "--format", "{{.Service}} {{.ExitCode}}"), "watcher 0")
    await here.compose("up", "-d", "--wait", "--no-recreate", "watcher")
    assert.strictEqual((await here.fleet("run", "--", "true")).code, 0)
  })

  it("with docker-tasks.yml a task is a container of the engine, of any image, and leaves nothing", async () => {
    const group = String(statSync(socket).gid)
    const flags = ["-f", "deploy/compose.yml", "-f", "deploy/docker-tasks.yml"]
    const env = { DOCKER_SOCKET: socket, DOCKER_GROUP: group }
    const withDocker = await composed("docker-tasks", { flags, env })
    try {
      await withDocker.compose("up", "-d", "--wait")
      const found = "docker ps would show me"
      const ended = await withDocker.fleet("run", "--image", baseImage, "--", "sh", "-c", `echo ${found}; exit 3`)
      assert.strictEqual(ended.code, 3, ended.err)
      assert.strictEqual(ended.out, `${found}\n`)
      const absent = await withDocker.fleet("run", "--image", "127.0.0.1:1/nobody/has-this", "--", "true")
      assert.include(absent.err, "CannotPullContainerError")
      const owner = "label=ecs-fleet.local-aws.owner=ecs-fleet-test-docker-tasks"
      assert.strictEqual(await docker(["ps", "-aq", "--filter", owner]), "")
    } finally {
      await withDocker.down()
    }
  })
})

describe("profiles", () => {
  it("aws: no local-aws, AWS's own endpoints, the shell's credentials", async () => {
    const env = { AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "AKIAEXAMPLE" }
    const flags = ["-f", "deploy/compose.yml", "--env-file", "deploy/aws.env"]
    const { compose } = await composed("aws", { image, flags, env })
    const services = (await compose("config", "--services")).split("\n").toSorted()
    assert.deepStrictEqual(services, ["dispatcher", "init", "launcher", "log-streamer", "nats", "watcher"])
    const { services: config } = JSON.parse(await compose("config", "--format", "json")) as {
      readonly services: Readonly<Record<string, { readonly environment?: Readonly<Record<string, string | null>> }>>
    }
    assert.deepInclude(config["launcher"]?.environment, { ...env, AWS_ENDPOINT_URL: "", AWS_SESSION_TOKEN: null })
    assert.notProperty(config["launcher"]?.environment, "FLEET_LOGS_LATE_SECONDS")
  })

  it("cluster: three nats-servers, three copies of every stream, and one of them may die", async () => {
    const flags = ["-f", "deploy/compose.yml", "--env-file", "deploy/.env", "--env-file", "deploy/cluster.env"]
    const cluster = await composed("cluster", { flags })
    try {
      await cluster.compose("up", "-d", "--wait")
      const script = "fetch('http://nats-1:8222/jsz?streams=1&config=1').then((r) => r.text()).then(console.log)"
      const answer = JSON.parse(await cluster.compose("exec", "-T", "launcher", "node", "-e", script)) as Jsz
      const streams = answer.account_details.flatMap(({ stream_detail }) => stream_detail)
      assert.isAtLeast(streams.length, 9)
      for (const { config } of streams) assert.strictEqual(config.num_replicas, 3, config.name)
      await cluster.compose("kill", "nats-3")
      // Amid the election of new leaders the lines may come later than the command waits for them.
      assert.strictEqual((await cluster.fleet("run", "--", "sh", "-c", "exit 3")).code, 3)
      const ended = await cluster.fleet("run", "--", "sh", "-c", "echo hello; exit 3")
      assert.strictEqual(ended.code, 3, ended.err)
      assert.strictEqual(ended.out, "hello\n", ended.err)
    } finally {
      await cluster.down()
    }
  })
})

interface Jsz {
  readonly account_details: ReadonlyArray<{
    readonly stream_detail: ReadonlyArray<{ readonly config: { readonly name: string; readonly num_replicas: number } }>
  }>
}
