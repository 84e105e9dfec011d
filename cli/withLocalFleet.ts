import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Clock, Effect } from "effect"
import { startFleet } from "./local/start.ts"
import { Output } from "./Output.ts"
import { lengthOf } from "./render/time.ts"

/** Runs a command on a fleet of its own: started in this process on free ports, in a folder that goes with it. */
export const withLocalFleet = <A, E, R>(command: Effect.Effect<A, E, R>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { err, errStyle } = yield* Output
      const began = yield* Clock.currentTimeMillis
      yield* err(`${errStyle.dim("starting nats-server, local-aws, dispatcher, launcher, watcher, log-streamer")}\n`)
      const fleet = yield* startFleet({
        nats: { storeDir: yield* temporaryFolder, port: 0 },
        aws: { real: false, port: 0 },
        tell: () => Effect.void
      })
      const took = lengthOf((yield* Clock.currentTimeMillis) - began)
      yield* err(`${errStyle.dim(`started in ${took}; all of it stops with the run`)}\n`)
      return yield* Effect.raceFirst(Effect.provideContext(command, fleet.ports), fleet.died)
    })
  )

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "fleet-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
)
