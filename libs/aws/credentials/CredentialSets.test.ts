import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Fiber, Layer } from "effect"
import { AwsConfig } from "#aws/AwsConfig.ts"
import { tempFolder } from "#test/support/NatsServer.ts"
import { CredentialSets } from "./CredentialSets.ts"

const secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
const file = (secretAccessKey: string) =>
  `team-a:\n  accessKeyId: AKIATEAMA\n  secretAccessKey: ${secretAccessKey}\nteam-b: { profile: team-b }\n`

const setsOf = (path: string | undefined) =>
  CredentialSets.layer.pipe(
    Layer.provide(AwsConfig.layer),
    Layer.provide(
      ConfigProvider.layer(
        ConfigProvider.fromEnv({
          env: {
            FLEET_AWS_CREDENTIALS_CHECK_SECONDS: "0.1",
            ...(path === undefined ? {} : { FLEET_AWS_CREDENTIALS_FILE: path })
          }
        })
      )
    )
  )

const fileWith = (text: string) =>
  Effect.map(tempFolder("sets"), (folder) => {
    const path = join(folder, "sets.yaml")
    writeFileSync(path, text)
    return path
  })

const sets = CredentialSets

describe("CredentialSets", () => {
  it.effect("without a file there is only default", () =>
    Effect.gen(function* () {
      const { find, names } = yield* sets
      assert.deepStrictEqual(names(), ["default"])
      assert.strictEqual(find(undefined), find("default"))
      assert.isUndefined(find("team-a"))
    }).pipe(Effect.provide(setsOf(undefined)))
  )

  it.live("a file that changes brings the changed sets anew, and leaves the others as they are", () =>
    Effect.gen(function* () {
      const path = yield* fileWith(file(secret))
      yield* Effect.gen(function* () {
        const { find, nextChange } = yield* sets
        const [a, b] = [find("team-a"), find("team-b")]
        const changed = yield* Effect.forkChild(nextChange, { startImmediately: true })
        writeFileSync(path, `${file("rotated")}team-c: { ambient: true }\n`)
        yield* Fiber.join(changed)
        assert.notStrictEqual(find("team-a"), a)
        assert.strictEqual(find("team-b"), b)
        assert.isDefined(find("team-c"))
      }).pipe(Effect.provide(setsOf(path)))
    })
  )

  it.live("a file that has become wrong, or is gone, changes nothing, and the status says so", () =>
    Effect.gen(function* () {
      const path = yield* fileWith(file(secret))
      yield* Effect.gen(function* () {
        const { find, nextChange, status } = yield* sets
        const before = find("team-a")
        const statusThat = (says: RegExp) => Effect.repeat(status, { until: (now) => says.test(now) })
        writeFileSync(path, `team-a: { secretAccessKey: ${secret} }\n`)
        const told = yield* statusThat(/is not used as it is now: .*accessKeyId: is missing/)
        assert.notInclude(told, secret)
        rmSync(path)
        yield* statusThat(/cannot be read \(ENOENT\)/)
        assert.strictEqual(find("team-a"), before)
        const changed = yield* Effect.forkChild(nextChange, { startImmediately: true })
        writeFileSync(path, file("rotated"))
        yield* Fiber.join(changed)
        assert.strictEqual(yield* status, "ok")
        assert.notStrictEqual(find("team-a"), before)
      }).pipe(Effect.provide(setsOf(path)))
    })
  )

  it.live.each([
    {
      what: "no YAML",
      text: `team-a: { secretAccessKey: ${secret}\nteam-b: [`,
      says: /Line \d+ is no YAML \([A-Z_]+\)/
    },
    { what: "a name twice", text: `a: { ambient: true }\na: { profile: ${secret} }\n`, says: /DUPLICATE_KEY/ },
    {
      what: "two problems",
      text: `a: { profil: p }\nb: { secretAccessKey: ${secret} }\n`,
      says: /Did you mean profile.*\n.*\n.*b/s
    }
  ])("$what: the process does not start, and no secret is shown", ({ says, text }) =>
    Effect.gen(function* () {
      const path = yield* fileWith(text)
      const failure = yield* Effect.flip(Effect.provide(sets, setsOf(path)))
      assert.match(failure.message, says)
      assert.include(failure.message, "FLEET_AWS_CREDENTIALS_FILE")
      assert.notInclude(failure.message, secret)
    })
  )

  it.effect("a file that is not there: the process does not start", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(Effect.provide(sets, setsOf("nowhere.yaml")))
      assert.include(failure.message, "nowhere.yaml needs attention:\n  It cannot be read (ENOENT).")
    })
  )
})
