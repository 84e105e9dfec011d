import { Duration, Effect, type Scope } from "effect"
import { EcsModel } from "#aws/model/EcsModel.ts"
import { MemoryServer } from "#bus/MemoryServer.ts"
import { WireError } from "#bus/wire/Wire.ts"
import { parseSubject, Streams } from "#ecs-core/Subjects.ts"
import { kill, type Process, terminate } from "./Process.ts"
import type { World } from "./World.ts"

type Act = Effect.Effect<void, never, Scope.Scope>

/** Everything that befalls processes, servers and tasks from outside, until interrupted. `begin` starts a process anew. */
export const trouble = Effect.fnUntraced(function* (
  world: World,
  processes: readonly [Process, ...ReadonlyArray<Process>],
  begin: (process: Process) => Effect.Effect<void>
) {
  const { weather } = world
  const all: ReadonlyArray<readonly [number, Act]> = [
    ...processTroubles(world, processes, begin),
    ...serverTroubles(world, yield* MemoryServer),
    ...taskTroubles(world, yield* EcsModel)
  ]
  for (const [seconds, act] of all) if (Number.isFinite(seconds)) yield* Effect.forkScoped(often(world, seconds, act))
  world.witness.note(`weather ${JSON.stringify(weather)}`)
  return yield* Effect.never
}, Effect.scoped)

const often = ({ dice }: World, seconds: number, act: Act) =>
  Effect.forever(
    Effect.andThen(
      Effect.suspend(() => Effect.sleep(Duration.seconds(seconds * dice.spread(0.2, 3)))),
      act
    )
  )

/** The longest pause of a process, seconds: longer than a token is trusted. */
const FREEZE_SECONDS_MAX = 6000

const processTroubles = (
  world: World,
  processes: readonly [Process, ...ReadonlyArray<Process>],
  begin: (process: Process) => Effect.Effect<void>
): ReadonlyArray<readonly [number, Act]> => {
  const { weather, dice, witness } = world
  const later = (process: Process) =>
    Effect.andThen(
      Effect.suspend(() => Effect.sleep(Duration.seconds(dice.spread(0.1, 60)))),
      begin(process)
    )
  const toLiving = (what: string, act: (process: Process) => Act): Act =>
    Effect.suspend(() => {
      const process = dice.pick(processes)
      if (process.fate.dead) return Effect.void
      witness.note(`${what} ${process.name}`)
      return act(process)
    })
  return [
    [weather.crashEverySeconds, toLiving("kill", (process) => Effect.andThen(kill(process), later(process)))],
    [
      weather.restartEverySeconds,
      toLiving("terminate", (process) => Effect.andThen(terminate(process), later(process)))
    ],
    [
      weather.freezeEverySeconds,
      toLiving("freeze", ({ fate }) =>
        Effect.sync(() => {
          fate.frozenUntil = Math.max(fate.frozenUntil, world.now() + 1000 * dice.spread(1, FREEZE_SECONDS_MAX))
        })
      )
    ]
  ]
}

const serverTroubles = (
  { weather, witness }: World,
  server: typeof MemoryServer.Service
): ReadonlyArray<readonly [number, Act]> => [
  [
    weather.natsRestartEverySeconds,
    Effect.andThen(
      Effect.sync(() => witness.note("restart nats-server")),
      server.restart
    )
  ],
  [
    weather.trimEverySeconds,
    Effect.sync(() => {
      witness.note("trim")
      witness.trimmed = true
      trimLogs(server)
      trimFinished(server, (runId) => witness.finished.has(runId))
    })
  ]
]

/** A message is dropped at this age at the earliest: longer than any pause here; in production it is days. */
const OLD_MILLIS = 3 * 3_600_000

/** The older half of all batches goes, as age drops them; never the last of a run, whose age is kept young. */
const trimLogs = ({ state }: typeof MemoryServer.Service): void => {
  const logs = state.stream(Streams.logs)
  if (logs instanceof WireError) return
  for (let seq = 1; seq <= logs.lastSeq / 2; seq++) {
    const message = logs.at(seq)
    if (message === undefined || state.now - message.time < OLD_MILLIS) continue
    if (logs.last(message.subject)?.seq !== seq) logs.remove(seq)
  }
}

/** What happened on the way of runs that are over; never what a process may not have read yet. */
const trimFinished = ({ state }: typeof MemoryServer.Service, isFinished: (runId: string) => boolean): void => {
  const fleet = state.stream(Streams.fleet)
  if (fleet instanceof WireError) return
  for (let seq = 1; seq <= fleet.lastSeq / 2; seq++) {
    const message = fleet.at(seq)
    if (message === undefined || state.now - message.time < OLD_MILLIS) continue
    const parsed = parseSubject(message.subject)
    const isOnTheWay = parsed?.kind === "task.changed" || parsed?.kind === "task.deferred"
    if (isOnTheWay && isFinished(parsed.runId)) fleet.remove(seq)
  }
}

const taskTroubles = (
  { weather, dice, witness }: World,
  { faults, unspoilt }: typeof EcsModel.Service
): ReadonlyArray<readonly [number, Act]> => [
  [
    weather.platformStop > 0 ? 60 : Number.POSITIVE_INFINITY,
    Effect.suspend(() => {
      const [first, ...rest] = [...witness.tasks.values()].flatMap((arns) => [...arns])
      if (first === undefined || !dice.chance(weather.platformStop)) return Effect.void
      const arn = dice.pick([first, ...rest])
      const isForgotten = dice.chance(weather.taskForgotten)
      witness.troubled(arn, isForgotten ? "forgotten" : "interrupted")
      return isForgotten
        ? Effect.asVoid(faults.forget(arn))
        : Effect.asVoid(faults.stop(arn, "SpotInterruption", "Your Spot Task was interrupted."))
    })
  ],
  [
    weather.heldInProvisioning > 0 ? 30 : Number.POSITIVE_INFINITY,
    Effect.suspend(() =>
      dice.chance(weather.heldInProvisioning)
        ? Effect.asVoid(faults.inject({ action: "RunTask", hold: "PROVISIONING" }))
        : Effect.void
    )
  ],
  [
    weather.deregisterEverySeconds,
    Effect.gen(function* () {
      witness.note("deregister every definition")
      const { ecs } = unspoilt
      const { taskDefinitionArns = [] } = yield* ecs.ListTaskDefinitions("us-east-1", {})
      for (const taskDefinition of taskDefinitionArns)
        yield* ecs.DeregisterTaskDefinition("us-east-1", { taskDefinition })
    }).pipe(Effect.orDie)
  ]
]
