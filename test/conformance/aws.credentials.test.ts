import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { afterEach, vi } from "vitest"
import { Aws } from "#aws/Aws.ts"
import { Ecs } from "#aws/Ecs.ts"
import { Gate } from "#aws/gate/Gate.ts"
import { roleKeyId } from "#services/local-aws/sts.ts"
import { inject, LocalAws, layerTest, sdkEnv } from "#test/support/LocalAws.ts"
import { tempFolder } from "#test/support/NatsServer.ts"

/** The SDK's own providers, and what local-aws sees of them: which key signs a call. */

const roleArn = "arn:aws:iam::123456789012:role/fleet"
const secretAccessKey = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"

afterEach(() => {
  vi.unstubAllEnvs()
})

const profile = (keyId: string) => `[team-b]\naws_access_key_id=${keyId}\naws_secret_access_key=${secretAccessKey}\n`
const file = (keyId: string) => `
team-a: { accessKeyId: ${keyId}, secretAccessKey: ${secretAccessKey}, region: eu-west-1 }
team-b: { profile: team-b }
team-c: { fromEnv: TEAM_C }
team-d: { assumeRole: { roleArn: "${roleArn}", source: team-a } }
`

/** The ports over local-aws, with these sets; the folder has both files. */
const withSets = Effect.gen(function* () {
  const folder = yield* tempFolder("sets")
  const [path, profiles] = [join(folder, "sets.yaml"), join(folder, "credentials")]
  writeFileSync(path, file("AKIATEAMA"))
  writeFileSync(profiles, profile("AKIATEAMB"))
  const env = {
    ...sdkEnv((yield* LocalAws).url),
    AWS_SHARED_CREDENTIALS_FILE: profiles,
    AWS_CONFIG_FILE: join(folder, "config"),
    TEAM_C_ACCESS_KEY_ID: "AKIATEAMC",
    TEAM_C_SECRET_ACCESS_KEY: secretAccessKey
  }
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  const settings = {
    ...env,
    FLEET_AWS_CREDENTIALS_FILE: path,
    FLEET_AWS_CREDENTIALS_CHECK_SECONDS: "0.1",
    FLEET_AWS_CREDENTIALS_PROBE_SECONDS: "0.1"
  }
  const ports = Aws.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: settings }))))
  return { path, profiles, ports }
})

const ask = (credentials?: string) =>
  Effect.flatMap(Ecs, (ecs) => ecs.describeCluster(credentials === undefined ? {} : { credentials }, "default"))

const rejecting = (accessKeyId: string) =>
  inject({ action: "*", accessKeyId, times: 0, error: { name: "ExpiredTokenException", message: "expired" } })

const pauses = Effect.flatMap(Gate, (gate) => gate.pauses)
const nobodyPauses = Effect.repeat(pauses, { until: (all) => all.length === 0 })

describe("sets of credentials over the SDK", () => {
  it.live.each([
    { set: undefined, keyId: "local" },
    { set: "team-a", keyId: "AKIATEAMA" },
    { set: "team-b", keyId: "AKIATEAMB" },
    { set: "team-c", keyId: "AKIATEAMC" },
    { set: "team-d", keyId: roleKeyId(roleArn) }
  ])("$set signs with $keyId, and no other set does", ({ keyId, set }) =>
    Effect.gen(function* () {
      const { ports } = yield* withSets
      yield* rejecting(keyId)
      yield* Effect.gen(function* () {
        const cluster = yield* Effect.result(ask(set))
        assert.deepStrictEqual(cluster._tag === "Failure" && cluster.failure.retry, "credentials")
        for (const other of [undefined, "team-a", "team-b", "team-c", "team-d"]) {
          if (other !== set && !(set === "team-a" && other === "team-d")) yield* ask(other)
        }
        const [pause] = yield* pauses
        assert.strictEqual(pause?.credentials, set ?? "default")
      }).pipe(Effect.provide(ports))
    }).pipe(Effect.scoped, Effect.provide(layerTest()))
  )

  it.live("a set's region is that of calls that name none", () =>
    Effect.gen(function* () {
      const { ports } = yield* withSets
      const arnOf = (target: { region?: string; credentials?: string }) =>
        Effect.provide(
          Effect.flatMap(Ecs, (ecs) =>
            Effect.map(ecs.describeCluster(target, "default"), ({ clusterArn }) => clusterArn)
          ),
          ports
        )
      assert.include(yield* arnOf({ credentials: "team-a" }), ":eu-west-1:")
      assert.include(yield* arnOf({ credentials: "team-a", region: "us-west-2" }), ":us-west-2:")
      assert.include(yield* arnOf({ credentials: "team-b" }), ":us-east-1:")
    }).pipe(Effect.scoped, Effect.provide(layerTest()))
  )

  it.live("a key that is rotated in the file is used without a restart, and ends the pause", () =>
    Effect.gen(function* () {
      const { path, ports } = yield* withSets
      yield* rejecting("AKIATEAMA")
      yield* Effect.gen(function* () {
        yield* Effect.flip(ask("team-a"))
        writeFileSync(path, file("AKIAROTATED"))
        yield* nobodyPauses
        yield* ask("team-a")
        yield* ask("team-d")
      }).pipe(Effect.provide(ports))
    }).pipe(Effect.scoped, Effect.provide(layerTest()))
  )

  it.live("so is one that is rotated in a profile: a probe reads it again", () =>
    Effect.gen(function* () {
      const { profiles, ports } = yield* withSets
      yield* rejecting("AKIATEAMB")
      yield* Effect.gen(function* () {
        yield* Effect.flip(ask("team-b"))
        writeFileSync(profiles, profile("AKIAROTATED"))
        yield* nobodyPauses
        yield* ask("team-b")
      }).pipe(Effect.provide(ports))
    }).pipe(Effect.scoped, Effect.provide(layerTest()))
  )

  it.live("a role that may not be assumed pauses its set and says why; the call itself was never made", () =>
    Effect.gen(function* () {
      const { ports } = yield* withSets
      const message = `User: arn:aws:iam::1:user/hub is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`
      yield* inject({ action: "AssumeRole", times: 0, error: { name: "AccessDenied", message, status: 403 } })
      yield* Effect.gen(function* () {
        const failure = yield* Effect.flip(ask("team-d"))
        assert.deepStrictEqual([failure.code, failure.retry], ["CredentialsRejected", "credentials"])
        assert.include(failure.message, "sts:AssumeRole")
        yield* ask("team-a")
      }).pipe(Effect.provide(ports))
    }).pipe(Effect.scoped, Effect.provide(layerTest()))
  )

  it.live("a set that nobody told this process pauses too, and goes on when the file has it", () =>
    Effect.gen(function* () {
      const { path, ports } = yield* withSets
      yield* Effect.gen(function* () {
        const failure = yield* Effect.flip(ask("team_e"))
        assert.deepStrictEqual([failure.code, failure.retry], ["CredentialsRejected", "credentials"])
        assert.include(failure.message, "No set of credentials is named 'team_e' here. Did you mean 'team-")
        writeFileSync(path, `${file("AKIATEAMA")}team_e: { fromEnv: TEAM_C }\n`)
        yield* nobodyPauses
        yield* ask("team_e")
      }).pipe(Effect.provide(ports))
    }).pipe(Effect.scoped, Effect.provide(layerTest()))
  )
})
