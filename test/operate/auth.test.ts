import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Bus } from "#bus/Bus.ts"
import { obtainNatsServer } from "#bus/server/NatsBinary.ts"
import { ServiceNames, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { type Env, guardedServer, optionsOf } from "#test/support/auth.ts"
import { quickSettings } from "#test/support/EmbeddedFleet.ts"
import { fleet, program, start } from "#test/support/fleetCommand.ts"
import { LocalAws, layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"
import { tempFolder } from "#test/support/NatsServer.ts"
import { startService } from "#test/support/Processes.ts"
import { cancel, finished, firstOn, request, take } from "#test/support/runs.ts"

/**
 * A whole fleet, each service a process with credentials of its own, a producer and a reader that can do nothing else.
 * The server's log names every right that was missing: it must name none.
 */

const settings = { ...quickSettings, FLEET_DEFINITION_SWEEP_SECONDS: "1", FLEET_DEFINITION_IDLE_SECONDS: "1" }

const users = "npx fleet auth init --producer web --reader web --reader guest=nightly-1".split(" ").slice(4)

/** The ports of one user. */
const ports = (env: Env) => Effect.flatMap(optionsOf(env), (options) => Layer.build(Layer.fresh(Bus.layer(options))))

const shell = (script: string) => ({ command: ["sh", "-c", script] })

/** On the server found first; what each right allows is asked of the newest, too (`auth-rights.test.ts`). */
describe("a fleet with the least rights", () => {
  it.live(
    "does all it has to: runs, retries, cancels, dead letters, take-overs, commands",
    () =>
      Effect.gen(function* () {
        const { envOf, violations } = yield* guardedServer(yield* obtainNatsServer(), users)
        const folder = yield* tempFolder("services")
        const aws = sdkEnv((yield* LocalAws).url)
        const as = (user: string, ...args: ReadonlyArray<string>) =>
          fleet({ folder, env: { ...settings, ...envOf(user) } }, ...args)
        const init = yield* as("init", "init", "--local")
        assert.strictEqual(init.code, 0, init.err)
        const launch = (name: (typeof ServiceNames)[number]) =>
          startService(name, folder, { ...settings, ...aws, ...envOf(name) })
        const services = yield* Effect.forEach(ServiceNames, launch)

        yield* Effect.gen(function* () {
          yield* request({ ...shell("echo hello; exit 3"), autoDeregisterTaskDefinition: true }, "nightly-1")
          assert.strictEqual((yield* finished("nightly-1")).exitCode, 3)
          const retry = { attempts: 1, backoffSeconds: 1 }
          yield* request({ ...shell("exit 1"), retry }, "again")
          assert.deepInclude(yield* finished("again"), { attempts: 2 })
          yield* request({ command: 1 }, "wrong")
          assert.strictEqual((yield* finished("wrong")).outcome, "rejected")

          yield* request(shell("echo on; sleep 60"), "long")
          yield* firstOn(Streams.logs, Subjects.logs("long"))
          yield* Effect.forEach(services, ({ terminate }) => terminate, { concurrency: "unbounded" })
          yield* Effect.forEach(ServiceNames, launch)
          yield* cancel("long", "enough")
          assert.strictEqual((yield* finished("long")).outcome, "cancelled")
        }).pipe(Effect.provideContext(yield* ports(envOf("web"))))

        yield* Effect.gen(function* () {
          yield* request("{", "unreadable")
          yield* take(Streams.dead, Subjects.dead("dispatcher", "unreadable"), 1)
        }).pipe(Effect.provideContext(yield* ports(envOf("operator"))))
        assert.include((yield* as("operator", "dead", "ls")).out, "run.requested.unreadable")
        assert.strictEqual((yield* as("operator", "dead", "retry", "--all")).code, 0)
        assert.strictEqual((yield* as("operator", "dead", "rm", "--all")).code, 0)

        const ran = yield* as("operator", "run", "--", "sh", "-c", "echo of the operator; exit 4")
        assert.deepStrictEqual([ran.code, ran.out], [4, "of the operator\n"], ran.err)
        const stopping = yield* start({ folder, env: envOf("operator") }, [
          "run",
          "--",
          "sh",
          "-c",
          "echo up; sleep 60"
        ])
        yield* stopping.wrote("up")
        const live = yield* as("operator", "ps", "--json")
        const { runId } = JSON.parse(live.out) as { readonly runId: string }
        assert.strictEqual((yield* as("operator", "stop", runId)).code, 0)
        assert.include((yield* as("operator", "describe", runId)).out, "cancelled")
        for (const user of ["operator", "web"]) {
          assert.include((yield* as(user, "logs", "-f", "nightly-1")).out, "hello")
          assert.include((yield* as(user, "ps", "--all")).out, "nightly-1")
        }
        const handed = yield* as("web", "run", "--detach", "--", "sh", "-c", "echo of the producer")
        assert.include((yield* as("web", "logs", "-f", handed.out.trim())).out, "of the producer")

        const example = yield* program({ folder, env: envOf("web") }, join("examples", "follow.js"), "nightly-1")
        assert.deepStrictEqual(example, { code: 0, out: "hello\n", err: "" })

        assert.deepStrictEqual(violations(), [])
        assert.strictEqual((yield* as("guest", "stop", "nightly-1")).code, 69)
        assert.isNotEmpty(violations(), "the server's log names what it refuses")
      }).pipe(Effect.scoped, Effect.provide(Layer.fresh(localAws({ timeScale: "dev" })))),
    120_000
  )
})
