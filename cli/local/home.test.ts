import { assert, describe, it } from "@effect/vitest"
import { fleetHome, readUpFile } from "./home.ts"

describe("fleetHome", () => {
  it.each([
    { env: {}, home: "/srv/.fleet" },
    { env: { FLEET_HOME: "" }, home: "/srv/.fleet" },
    { env: { FLEET_HOME: "other" }, home: "/srv/other" },
    { env: { FLEET_HOME: "/var/lib/fleet" }, home: "/var/lib/fleet" }
  ])("$env is $home", ({ env, home }) => {
    assert.strictEqual(fleetHome(env, "/srv"), home)
  })

  it("has no file where nothing runs", () => {
    assert.isUndefined(readUpFile("/does/not/exist"))
  })
})
