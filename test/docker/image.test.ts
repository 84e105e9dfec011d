import { assert, describe, it } from "vitest"
import { version } from "#process/Version.ts"
import { baseImage, docker, image } from "#test/docker/docker.ts"

const inspected = async (name: string) =>
  JSON.parse(await docker(["image", "inspect", "-f", "{{json .}}", name])) as Inspected

interface Inspected {
  readonly Size: number
  readonly Config: {
    readonly User: string
    readonly Env: ReadonlyArray<string>
    readonly Labels: Readonly<Record<string, string>>
    readonly Healthcheck: { readonly Test: ReadonlyArray<string> }
  }
}

/** Nothing to write on, nothing to be allowed, nobody to talk to. */
const hardened = ["run", "--rm", "--read-only", "--cap-drop", "ALL", "--network", "none"]
const programs = ["dispatcher", "launcher", "watcher", "log-streamer", "local-aws"]

describe("the image", () => {
  it("is at most 80 MB larger than its base", async () => {
    const [own, base] = await Promise.all([inspected(image), inspected(baseImage)])
    assert.isAtMost((own.Size - base.Size) / 1e6, 80)
  })

  it("says its version: label, variable and command agree with package.json", async () => {
    const { Config } = await inspected(image)
    assert.strictEqual(Config.Labels["org.opencontainers.image.version"], version)
    assert.include(Config.Env, `FLEET_VERSION=${version}`)
    assert.strictEqual(await docker([...hardened, image, "fleet", "--version"]), `fleet ${version}`)
  })

  it("runs as a user without rights, and knows when it is well", async () => {
    const { Config } = await inspected(image)
    assert.strictEqual(Config.User, "node")
    assert.isNotEmpty(Config.Healthcheck.Test)
    assert.notStrictEqual(await docker([...hardened, image, "id", "-u"]), "0")
  })

  it.each(programs)(
    "%s: the command chooses it, on a read-only file system; a bad setting ends it with 78",
    async (name) => {
      const bad = ["-e", "FLEET_ACK_WAIT_SECONDS=soon", "-e", "LOCAL_AWS_PORT=soon"]
      const script = `${name} 2>/tmp/said || echo $?; cat /tmp/said`
      const said = await docker([...hardened, "--tmpfs", "/tmp", ...bad, image, "sh", "-c", script])
      assert.match(said, new RegExp(`^78\\n[^]*^${name} cannot start`, "m"))
    }
  )

  it("holds no tests, no sources, no tools", async () => {
    const files = await docker([...hardened, image, "sh", "-c", "find /app -type f"])
    assert.notMatch(files, /\.ts$|test|node_modules/m)
  })
})
