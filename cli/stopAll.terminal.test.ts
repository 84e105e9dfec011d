import { execFileSync, spawn } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Bus } from "#bus/Bus.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { Streams } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { aRun } from "#test/support/builders.ts"
import { main, variables } from "#test/support/fleetCommand.ts"
import { ready, started } from "#test/support/messages.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { stored } from "#test/support/runs.ts"
import { putRun } from "./memoryFleet.ts"

/** `fleet stop --all` on a terminal, where a person types the answer. */

const hasScript = (() => {
  try {
    return execFileSync("script", ["--version"], { encoding: "utf8" }).includes("util-linux")
  } catch {
    return false
  }
})()

/** What the terminal shows when this is typed behind the question. */
const typed = (text: string, url: string): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const command = `${process.execPath} ${main} stop --all`
    const child = spawn("script", ["-qec", command, "/dev/null"], {
      env: variables({ NATS_URL: url, NO_COLOR: "1" }),
      stdio: ["pipe", "pipe", "ignore"]
    })
    let shown = ""
    let hasTyped = false
    child.stdout.on("data", (chunk: Buffer) => {
      shown += chunk.toString("utf8")
      if (hasTyped || !shown.includes("[y/N]")) return
      hasTyped = true
      child.stdin.write(text)
    })
    child.once("close", () => resume(Effect.succeed(shown)))
    return Effect.sync(() => void child.kill("SIGKILL"))
  })

const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "test" })))

describe("fleet stop --all on a terminal", () => {
  it.live.skipIf(!hasScript)(
    "asks, and takes nothing but y and yes for yes (needs script of util-linux)",
    () =>
      Effect.gen(function* () {
        yield* setUpFleet(topologyDefaults)
        yield* putRun(aRun(ready(1), started(2)))
        const { url } = yield* NatsServer
        for (const text of ["n\n", "\n", "yet\n", "\u0004"]) {
          const shown = yield* typed(text, url)
          assert.include(shown, "Stop every run of this fleet (1 now)? [y/N]")
          assert.include(shown, "Nothing was stopped.")
        }
        assert.lengthOf(yield* stored(Streams.fleet, "run.cancel.*"), 0)
        for (const text of ["y\n", "YES\n"]) assert.include(yield* typed(text, url), "asked to stop 1 run")
        assert.lengthOf(yield* stored(Streams.fleet, "run.cancel.*"), 2)
      }).pipe(Effect.provide(bus.pipe(Layer.provideMerge(natsServer)))),
    120_000
  )
})
