import { Effect, Schedule } from "effect"
import { chanceFrom } from "#aws/model/chance.ts"
import { Streams } from "#ecs-core/Subjects.ts"
import type { Fleet } from "#test/chaos/Fleet.ts"
import { type Ledger, overCount } from "#test/chaos/Ledger.ts"
import type { ChaosOptions } from "#test/chaos/options.ts"
import type { Replica } from "#test/chaos/Replicas.ts"
import { serverName } from "#test/chaos/Surroundings.ts"

/** Kills so far. */
export interface Kills {
  services: number
  /** No service is killed now. */
  isCalm: boolean
  leaders: number
}

export const makeKills = (): Kills => ({ services: 0, isCalm: false, leaders: 0 })

/** SIGKILL for a service that chance names, for ever. */
export const killServices = (
  replicas: ReadonlyArray<Replica>,
  { killEveryMillis, only, seed }: ChaosOptions,
  kills: Kills
): Effect.Effect<void> => {
  if (killEveryMillis === 0) return Effect.void
  const chance = chanceFrom(seed)
  const victims = replicas.filter(({ service }) => only === undefined || service === only)
  const one = Effect.gen(function* () {
    const victim = victims[Math.floor(chance() * victims.length)]
    if (!kills.isCalm && victim !== undefined && (yield* victim.kill)) kills.services += 1
  })
  return Effect.asVoid(Effect.repeat(one, Schedule.fixed(killEveryMillis)))
}

/** Whether the leader of the facts or that of the lines dies: one after the other. */
const ledStreams = [Streams.fleet, Streams.logs]

/** Runs that have to be over with one server less, before it comes back. */
const runsWithoutIt = 10

/** When a third of the runs is over, and again after two thirds, the server that leads a stream is killed. */
export const killLeaders = (fleet: Fleet, ledger: Ledger, runs: number, kills: Kills) =>
  Effect.forEach(
    ledStreams,
    (stream, at) =>
      Effect.gen(function* () {
        yield* until(() => overCount(ledger) >= (runs * (at + 1)) / (ledStreams.length + 1))
        const leader = yield* Effect.repeat(fleet.operator.leader(stream), {
          schedule: Schedule.spaced("200 millis"),
          until: (leader) => leader !== undefined
        })
        const victim = fleet.servers.find((_, index) => serverName(index) === leader)
        if (victim === undefined) return yield* Effect.die(new Error(`No server is called ${leader}.`))
        yield* victim.kill
        kills.leaders += 1
        console.log(`killed ${leader}, which led ${stream}`)
        const enough = Math.min(runs, overCount(ledger) + runsWithoutIt)
        yield* until(() => overCount(ledger) >= enough)
        yield* victim.start
      }),
    { discard: true }
  )

const until = (isSo: () => boolean) =>
  Effect.repeat(Effect.sync(isSo), { schedule: Schedule.spaced("200 millis"), until: (so) => so })
