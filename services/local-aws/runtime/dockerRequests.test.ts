import { assert, describe, it } from "@effect/vitest"
import type { ContainerSpec } from "#aws/model/Runtime.ts"
import { ownerOf } from "./choose.ts"
import { createBody, labelsOf, pullError, readFrames, splitReference } from "./dockerRequests.ts"
import { noBytes } from "./lines.ts"

const spec: ContainerSpec = {
  taskArn: "arn:aws:ecs:us-east-1:000000000000:task/default/abc",
  containerName: "main",
  image: "busybox",
  command: ["sh", "-c", "true"],
  environment: { A: "1", B: "x=y" },
  essential: true,
  stopTimeoutSeconds: 30
}

const ownership = { owner: "here:4577", instance: "1" }
const engine = { NCPU: 2, CpuCfsQuota: true }
const bodyOf = (rest: Partial<ContainerSpec> = {}, on = engine) =>
  createBody({ ...spec, ...rest }, ownership, "bridge", on)

describe("a container's request", () => {
  it("image, command, environment, labels and network", () => {
    const { Cmd, Env, HostConfig, Image, Labels, ...others } = bodyOf()
    assert.deepStrictEqual([Image, Cmd, Env], ["busybox", ["sh", "-c", "true"], ["A=1", "B=x=y"]])
    assert.deepStrictEqual(Labels, labelsOf(spec, ownership))
    assert.strictEqual(HostConfig.NetworkMode, "bridge")
    assert.notProperty(others, "Entrypoint")
  })

  it.each([
    { name: "the image's own entry point stays", rest: {}, asked: [undefined, ["sh", "-c", "true"]] },
    { name: "one of the definition", rest: { entryPoint: ["sh", "-c"] }, asked: [["sh", "-c"], ["true"]] },
    { name: "an entry point alone", rest: { entryPoint: spec.command }, asked: [spec.command, undefined] },
    { name: "neither: the image says it all", rest: { command: [] }, asked: [undefined, undefined] }
  ])("$name", ({ asked, rest }) => {
    const { Cmd, Entrypoint } = bodyOf(rest)
    assert.deepStrictEqual<unknown>([Entrypoint, Cmd], asked)
  })

  it.each([
    { limits: {}, nanoCpus: 0, memory: 0 },
    { limits: { taskCpuUnits: 256, memoryMiB: 512 }, nanoCpus: 250_000_000, memory: 536_870_912 },
    { limits: { taskCpuUnits: 2048 }, nanoCpus: 2_000_000_000, memory: 0 },
    { limits: { taskCpuUnits: 4096 }, nanoCpus: 2_000_000_000, memory: 0 }
  ])("limits $limits on two processors", ({ limits, memory, nanoCpus }) => {
    const { HostConfig } = bodyOf({ limits })
    assert.deepInclude(HostConfig, { NanoCpus: nanoCpus, Memory: memory, MemorySwap: memory })
  })

  it("no bound of CPU where the kernel has none", () => {
    const { HostConfig } = bodyOf({ limits: { taskCpuUnits: 256 } }, { NCPU: 2, CpuCfsQuota: false })
    assert.strictEqual(HostConfig.NanoCpus, 0)
  })
})

describe("an image's name", () => {
  it.each([
    { image: "busybox", name: "busybox", tag: "latest" },
    { image: "busybox:1.37", name: "busybox", tag: "1.37" },
    { image: "registry:5000/jobs", name: "registry:5000/jobs", tag: "latest" },
    { image: "registry:5000/jobs:v1", name: "registry:5000/jobs", tag: "v1" },
    { image: "jobs@sha256:ab", name: "jobs", tag: "sha256:ab" },
    { image: "registry:5000/jobs:v1@sha256:ab", name: "registry:5000/jobs", tag: "sha256:ab" }
  ])("$image", ({ image, name, tag }) => {
    assert.deepStrictEqual(splitReference(image), { name, tag })
  })
})

describe("a pull's progress", () => {
  it.each([
    { progress: '{"status":"Pulling"}\r\n{"status":"Done"}\r\n', error: undefined },
    { progress: '{"status":"Pulling"}\r\n{"errorDetail":{},"error":"no space left"}\r\n', error: "no space left" },
    { progress: "", error: undefined }
  ])("$progress", ({ error, progress }) => {
    assert.strictEqual(pullError(progress), error)
  })
})

describe("frames", () => {
  const frame = (stream: number, text: string) => {
    const header = Buffer.alloc(8)
    header.writeUInt8(stream, 0)
    header.writeUInt32BE(Buffer.byteLength(text), 4)
    return Buffer.concat([header, Buffer.from(text)])
  }

  it("come out whole, wherever the chunks end", () => {
    const all = Buffer.concat([frame(1, "one\n"), frame(2, ""), frame(2, "zwei ü\n"), frame(1, "x".repeat(300))])
    for (let size = 1; size <= all.length; size++) {
      let rest = noBytes
      const seen: Array<string> = []
      for (let at = 0; at < all.length; at += size) {
        const read = readFrames(rest, all.subarray(at, at + size))
        rest = read.rest
        seen.push(...read.frames.map(({ bytes, stream }) => `${stream}:${bytes.toString()}`))
      }
      assert.deepStrictEqual(seen, ["1:one\n", "2:", "2:zwei ü\n", `1:${"x".repeat(300)}`])
      assert.lengthOf(rest, 0)
    }
  })
})

describe("the owner of containers", () => {
  it.each([
    { port: 4577, owner: "here:4577" },
    { port: 0, owner: "here:by chance" }
  ])("on port $port", ({ owner, port }) => {
    assert.strictEqual(ownerOf("here", port, "by chance"), owner)
  })
})
