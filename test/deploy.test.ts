import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { version } from "#process/Version.ts"

/** What stands in deploy/ and elsewhere too says the same in both places. Containers of it: test/docker. */
const read = (path: string): string => readFileSync(`deploy/${path}`, "utf8")

const namesIn = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/^([A-Z_0-9]+)=/gm)].map(([, name = ""]) => name)

describe("deploy", () => {
  it("the image has the version of package.json", () => {
    assert.include(read("Dockerfile"), `ARG FLEET_VERSION=${version}\n`)
    for (const file of ["Dockerfile", "compose.yml"]) assert.include(read(file), `ecs-fleet:${version}`)
  })

  it.each([".env", "cluster.env", "aws.env"])("what %s sets, compose hands on", (file) => {
    const compose = read("compose.yml")
    for (const name of namesIn(read(file)).filter((each) => each !== "COMPOSE_PROFILES"))
      assert.match(compose, new RegExp(`^ +${name}:$|\\$\\{${name}[:}]`, "m"), name)
  })
})
