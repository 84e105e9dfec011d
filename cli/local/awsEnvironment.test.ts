import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { localAwsEnvironment, localServiceSettings } from "./awsEnvironment.ts"

describe("localAwsEnvironment", () => {
  const environment = localAwsEnvironment("http://127.0.0.1:4577")

  it("leads every service of the SDK to local-aws", () => {
    assert.strictEqual(environment["AWS_ENDPOINT_URL"], "http://127.0.0.1:4577")
    for (const name of ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_ECS", "AWS_ENDPOINT_URL_EC2"]) {
      assert.isTrue(name in environment && environment[name] === undefined, name)
    }
  })
})

describe("localServiceSettings", () => {
  it("are those of deploy/.env too", () => {
    const lines = readFileSync("deploy/.env", "utf8").matchAll(/^([A-Z_]+)=(.*)$/gm)
    const shared = [...lines].filter(([, name = ""]) => name in localServiceSettings)
    assert.deepStrictEqual(Object.fromEntries(shared.map(([, name, value]) => [name, value])), localServiceSettings)
  })

  it("listens for last lines longer than a missing log stream is remembered", () => {
    assert.isAbove(
      Number(localServiceSettings["FLEET_LOGS_DRAIN_QUIET_SECONDS"]),
      Number(localServiceSettings["FLEET_AWS_MISSING_STREAM_SECONDS"])
    )
  })
})
