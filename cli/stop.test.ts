import { assert, describe, it } from "@effect/vitest"
import { Option, Result } from "effect"
import { wayOf } from "./stop.ts"

const none = {
  run: Option.none(),
  infrastructure: Option.none(),
  all: false,
  state: [],
  pool: Option.none(),
  label: [],
  since: Option.none(),
  yes: false,
  wait: false,
  detach: false
}
const some = Option.some("x")

describe("the command line of fleet stop", () => {
  it.each([
    { what: "a run", flags: { run: some, detach: true } },
    { what: "a task", flags: { infrastructure: some } },
    {
      what: "all",
      flags: { all: true, state: ["running"], pool: some, label: ["a=b"], since: some, yes: true, wait: true }
    }
  ])("$what", ({ flags }) => {
    assert.isTrue(Result.isSuccess(wayOf({ ...none, ...flags })))
  })

  it.each([
    { what: "nothing", flags: {}, says: "Name one run" },
    { what: "a run and all", flags: { run: some, all: true }, says: "Name one run" },
    { what: "a run and a task", flags: { run: some, infrastructure: some }, says: "Name one run" },
    { what: "all, detached", flags: { all: true, detach: true }, says: "leave --detach out" },
    {
      what: "flags of --all, every one at once",
      flags: { run: some, state: ["running"], pool: some, label: ["a=b"], since: some, yes: true, wait: true },
      says: "--state, --pool, --label, --since, --yes, --wait: only together with --all"
    }
  ])("$what is refused", ({ flags, says }) => {
    const failure = Result.getOrThrow(Result.flip(wayOf({ ...none, ...flags })))
    assert.strictEqual(failure.exitCode, 2)
    assert.include(failure.message, says)
  })
})
