import { assert, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Queue, References } from "effect"
import { Bus } from "#bus/Bus.ts"
import { Publisher } from "#bus/Publisher.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { RunId } from "#ecs-core/Ids.ts"
import { LogCodecs, type LogLine } from "#ecs-core/LogLine.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { aLine, aRun } from "#test/support/builders.ts"
import { ready, requested, started } from "#test/support/messages.ts"
import { layerTestWith, onNatsServers } from "#test/support/NatsServer.ts"
import type { Signal } from "./Interrupts.ts"
import { showLogs } from "./logs.ts"
import type { LogsOptions } from "./logsOptions.ts"
import { onScreen, putRun, type Screen } from "./memoryFleet.ts"

/** Readers of a real nats-server that is restarted while they read: every line once and in order, long ones whole. */

/** A screen of which one can wait until something stands on it. */
const watchedScreen = () => {
  const waiting = new Map<string, Deferred.Deferred<void>>()
  let written = ""
  const screen: Screen = {
    err: "",
    get out() {
      return written
    },
    set out(text) {
      written = text
      for (const [part, seen] of waiting) if (written.includes(part)) Deferred.doneUnsafe(seen, Effect.void)
    }
  }
  const wrote = (part: string) =>
    Effect.suspend(() => {
      const seen = Deferred.makeUnsafe<void>()
      waiting.set(part, seen)
      screen.out = written
      return Deferred.await(seen)
    })
  return { screen, wrote }
}

const follow = Effect.fnUntraced(function* (runs: ReadonlyArray<string>, change: Partial<LogsOptions> = {}) {
  const { screen, wrote } = watchedScreen()
  const signals = yield* Queue.unbounded<Signal>()
  const containers = { kind: "own" } as const
  const options = { runs, follow: true, containers, wanted: {}, timestamps: false, json: false, ...change }
  const fiber = yield* Effect.forkChild(showLogs(options).pipe(Effect.provide(onScreen(screen, signals))))
  return { screen, wrote, fiber }
})

const someLines = (from: number, to: number): ReadonlyArray<LogLine> =>
  Array.from({ length: to - from }, (_, n) => aLine(`line ${from + n}`))

const piece = (part: number, change: Partial<LogLine> = {}) => aLine(`piece ${part} `, { id: "long", part, ...change })

/** Appends batches as the log-streamer does: each once, right behind the one before. */
const writer = (runId: string) => {
  let last = 0
  const append = Effect.fnUntraced(function* (data: string) {
    const publisher = yield* Publisher
    last = yield* publisher.append({ stream: Streams.logs, subject: Subjects.logs(runId), data }, last)
  })
  return {
    lines: (lines: ReadonlyArray<LogLine>) => append(LogCodecs.batch.encode({ attempt: 1, lines, positions: [] })),
    end: append(LogCodecs.end.encode({ end: { lines: 0, containers: [], complete: true } }))
  }
}

const run = (id: string) => ({ ...aRun(requested(0), ready(1), started(2)), runId: RunId.make(id) })

const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "reader" })))
const quietly = Layer.succeed(References.MinimumLogLevel, "Fatal")

await onNatsServers("fleet logs -f over restarts", (binary) => {
  const services = Layer.effectDiscard(setUpFleet(topologyDefaults)).pipe(
    Layer.provideMerge(bus),
    Layer.provideMerge(layerTestWith({ binary })),
    Layer.provide(quietly)
  )

  layer(services, { excludeTestServices: true })((it) => {
    it.effect("a reader from the beginning, one that comes late and one of the last lines see each line once", () =>
      Effect.gen(function* () {
        const { restart } = yield* NatsServer
        yield* putRun(run("steady-1"))
        const write = writer("steady-1")
        const early = yield* follow(["steady-1"])
        yield* write.lines([...someLines(0, 100), piece(1)])
        yield* early.wrote("line 99\n")
        yield* restart
        yield* write.lines([piece(2), ...someLines(100, 150)])
        const late = yield* follow(["steady-1"])
        const last = yield* follow(["steady-1"], { tail: 10 })
        yield* Effect.all([late.wrote("line 149\n"), last.wrote("line 149\n"), early.wrote("line 149\n")])
        yield* restart
        yield* write.lines([piece(3, { last: true }), ...someLines(150, 200)])
        yield* write.end
        yield* Effect.forEach([early, late, last], ({ fiber }) => Fiber.join(fiber))
        const texts = (lines: ReadonlyArray<LogLine>) => lines.map(({ text }) => `${text}\n`).join("")
        const end = `piece 1 piece 2 piece 3 \n${texts(someLines(150, 200))}`
        assert.strictEqual(early.screen.out, `${texts(someLines(0, 150))}${end}`)
        assert.strictEqual(late.screen.out, early.screen.out)
        assert.strictEqual(last.screen.out, `${texts(someLines(140, 150))}${end}`)
      })
    )

    it.effect("two runs at once, with lines published while the server goes down and comes up", () =>
      Effect.gen(function* () {
        const { restart } = yield* NatsServer
        const ids = ["both-1", "both-2"]
        yield* Effect.forEach(ids, (id) => putRun(run(id)))
        const reader = yield* follow(ids)
        const write = (id: string) => {
          const { lines, end } = writer(id)
          const all = Effect.forEach(someLines(0, 60), (line) => lines([line]), { discard: true })
          return Effect.andThen(all, end)
        }
        yield* Effect.all([write("both-1"), write("both-2"), Effect.andThen(reader.wrote("| line 9\n"), restart)], {
          concurrency: "unbounded"
        })
        yield* Fiber.join(reader.fiber)
        const shown = reader.screen.out.trimEnd().split("\n")
        for (const id of ids) {
          assert.deepStrictEqual(
            shown.filter((line) => line.startsWith(`${id} | `)),
            someLines(0, 60).map(({ text }) => `${id} | ${text}`)
          )
        }
      })
    )
  })
})
