import { assert, it } from "@effect/vitest"
import { connect, type Msg } from "@nats-io/transport-node"
import { Effect } from "effect"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { type Compared, inMemory, skeleton, withCompared } from "./compared.ts"

const RUNS = 20

/** What is sent to the server for a run: messages, values, reads and acknowledgements, without what delivers them. */
const watched = ["$KV.>", "$JS.API.STREAM.MSG.>", "$JS.ACK.>", "run.finished.*", "task.>", "taskdef.>", "logs.*"]

const kindOf = ({ subject, data }: Msg): string => {
  const body = subject.startsWith("$JS.API") ? ` ${new TextDecoder().decode(data)}` : ""
  return `${subject}${body}`
    .replace(/bench-\d+/, "<runId>")
    .replace(/"seq":\d+/, '"seq":<seq>')
    .replace(/^(\$JS\.ACK\.[^.]+\.[^.]+)\..*/, "$1")
    .replace(/,"no_erase":true/, "")
}

/** Of each kind, how many a run causes, rounded: what a fleet looks at now and then is no part of a run. */
const perRun = (compared: Compared) =>
  withCompared(compared, (producer) =>
    Effect.gen(function* () {
      const { url } = yield* NatsServer
      const counts = new Map<string, number>()
      const nc = yield* Effect.promise(() => connect({ servers: url }))
      for (const subject of watched) {
        nc.subscribe(subject, {
          callback: (_, message) => {
            const kind = kindOf(message)
            counts.set(kind, (counts.get(kind) ?? 0) + 1)
          }
        })
      }
      yield* Effect.promise(() => nc.flush())
      yield* producer.openLoop(RUNS, 10)
      yield* Effect.promise(() => nc.close())
      const rounded = [...counts].map(([kind, count]) => [kind, Math.round(count / RUNS)] as const)
      return Object.fromEntries(rounded.filter(([, count]) => count > 0).toSorted(([a], [b]) => a.localeCompare(b)))
    })
  )

it.live(
  "sends what the fleet sends for a run",
  () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* perRun(skeleton), yield* perRun(inMemory("memory")))
    }),
  60_000
)
