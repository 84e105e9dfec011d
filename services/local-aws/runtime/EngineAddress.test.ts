import { assert, describe, it } from "@effect/vitest"
import { parseDockerHost } from "./EngineAddress.ts"

describe("DOCKER_HOST", () => {
  it.each([
    { text: "unix:///run/docker.sock", address: { socketPath: "/run/docker.sock" } },
    { text: "tcp://10.0.0.1:2376", address: { host: "10.0.0.1", port: 2376 } },
    { text: "tcp://engine", address: { host: "engine", port: 2375 } },
    { text: "http://engine:80/", address: { host: "engine", port: 80 } },
    { text: "ssh://me@host", address: undefined },
    { text: "unix://docker.sock", address: undefined },
    { text: "/run/docker.sock", address: undefined },
    { text: "", address: undefined }
  ])("'$text'", ({ address, text }) => {
    assert.deepStrictEqual<unknown>(parseDockerHost(text), address)
  })
})
