import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { authUsers } from "./users.ts"

const named = (producer: ReadonlyArray<string>, reader: ReadonlyArray<string> = []) =>
  Result.map(authUsers({ producer, reader }), (users) => users.filter(({ side }) => side === "outside"))

const rightsOf = (producer: ReadonlyArray<string>, reader: ReadonlyArray<string> = []) =>
  Result.getOrThrow(named(producer, reader)).map(({ name, rights }) => ({ name, publish: rights.publish ?? [] }))

describe("users", () => {
  it("are those who work on the fleet, and nobody else unless named", () => {
    const users = Result.getOrThrow(authUsers({ producer: [], reader: [] }))
    assert.deepStrictEqual(
      users.map(({ name, side }) => [name, side]),
      ["init", "dispatcher", "launcher", "watcher", "log-streamer", "operator"].map((name) => [name, "fleet"])
    )
  })

  it("may publish any request, or those of the ids that are listed", () => {
    assert.deepStrictEqual(rightsOf(["web", "cron=a,b"]), [
      { name: "web", publish: ["run.requested", "run.requested.*", "run.cancel.*"] },
      { name: "cron", publish: ["run.requested.a", "run.cancel.a", "run.requested.b", "run.cancel.b"] }
    ])
  })

  it("named twice may do both", () => {
    const [web] = Result.getOrThrow(named(["web=a", "web=b"], ["web=a"]))
    assert.deepStrictEqual(web?.rights.publish, ["run.requested.a", "run.cancel.a", "run.requested.b", "run.cancel.b"])
    assert.deepStrictEqual(
      web?.rights.replay?.map(({ subject }) => subject),
      ["logs.a", "run.finished.a"]
    )
  })

  it("that read may publish nothing of the fleet's", () => {
    assert.deepStrictEqual(rightsOf([], ["guest", "one=a"]), [
      { name: "guest", publish: [] },
      { name: "one", publish: [] }
    ])
  })

  it.each([
    ["", 'the name "" must be 1 to 64'],
    ["a.b", 'the name "a.b" must be'],
    ["x".repeat(65), "must be 1 to 64"],
    ["launcher", 'the name "launcher" is taken by the fleet itself'],
    ["web=", 'the run id "" must be'],
    ["web=a,b c", 'the run id "b c" must be'],
    ["web=team-*", "NATS has no wildcard for a part of an id"],
    ["web=a=b", 'the run id "a=b" must be']
  ])("named %s are refused, with what is allowed", (given, says) => {
    const refused = Result.getOrThrow(Result.flip(named([given])))
    assert.include(refused[0] ?? "", `--producer ${given}: `)
    assert.include(refused[0] ?? "", says)
  })

  it("have all their problems told at once", () => {
    const refused = Result.getOrThrow(Result.flip(named(["a b", "web=*"], ["operator"])))
    assert.lengthOf(refused, 3)
  })
})
