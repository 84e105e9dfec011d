import { assert, describe, it } from "@effect/vitest"
import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream"
import { Effect, Layer, Option, Stream } from "effect"
import { Bus } from "#bus/Bus.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { Publisher } from "#bus/Publisher.ts"
import { topologyDefaults } from "#ecs-core/FleetTopology.ts"
import { DurablesOf, ServiceNames, Streams, Subjects } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import {
  attempts,
  bucketKeys,
  changing,
  OTHER,
  orders,
  pulls,
  RUN,
  readings,
  taking,
  written
} from "#test/support/attempts.ts"
import { connectedAs, type Env, guardedServer, optionsOf, refused } from "#test/support/auth.ts"
import { onNatsServers } from "#test/support/NatsServer.ts"
import { request, stored } from "#test/support/runs.ts"

/** What each user of `fleet auth init` may not do, asked of a real server, and the little that it may. */

const users = `--producer web --producer web-one=${RUN} --reader guest --reader guest-one=${RUN}`.split(" ")

const ports = (env: Env) => Effect.flatMap(optionsOf(env), (options) => Layer.build(Layer.fresh(Bus.layer(options))))

/** A server with a fleet's streams, and this many users. */
const setUp = Effect.fnUntraced(function* (binary: Parameters<typeof guardedServer>[0]) {
  const guarded = yield* guardedServer(binary, users)
  const init = yield* ports(guarded.envOf("init"))
  yield* setUpFleet(topologyDefaults).pipe(Effect.provideContext(init))
  return { ...guarded, operator: yield* ports(guarded.envOf("operator")) }
})

/** A message of each run, as whoever may write it. */
const publish = (env: Env, stream: string, subject: (runId: string) => string) =>
  Effect.flatMap(ports(env), (as) =>
    Effect.forEach([RUN, OTHER], (runId) =>
      Publisher.use((publisher) => publisher.createOnce({ stream, subject: subject(runId), data: runId }))
    ).pipe(Effect.provideContext(as))
  )

await onNatsServers("rights", (binary) => {
  describe("a service", () => {
    it.live("cannot pull from, look at, acknowledge, change or delete what another consumes, nor change its own", () =>
      Effect.gen(function* () {
        const { envOf } = yield* setUp(binary)
        for (const service of ServiceNames) {
          const mine = (name: string) => DurablesOf[service].includes(name)
          const foreign = taking.filter(({ name }) => !mine(name)).map(({ subject }) => subject)
          const own = taking.filter(({ name }) => mine(name)).map(({ subject }) => subject)
          assert.isNotEmpty(own, service)
          assert.deepStrictEqual(yield* refused(envOf(service), [...foreign, ...own, ...changing]), [
            ...foreign,
            ...changing
          ])
        }
        const pool = "$JS.API.CONSUMER.MSG.NEXT.FLEET_QUEUES.pool-narrow"
        for (const service of ServiceNames)
          assert.deepStrictEqual(
            yield* refused(envOf(service), [pool]),
            service === "dispatcher" ? [] : [pool],
            service
          )
      }).pipe(Effect.scoped)
    )

    it.live("cannot publish what another writes, and only the dispatcher writes records", () =>
      Effect.gen(function* () {
        const { envOf } = yield* setUp(binary)
        for (const service of ServiceNames) {
          const foreign = written.filter(([, writers]) => !writers.includes(service)).map(([subject]) => subject)
          const own = written.filter(([, writers]) => writers.includes(service)).map(([subject]) => subject)
          const keys = service === "dispatcher" ? [] : bucketKeys
          const denied = yield* refused(envOf(service), [...own, ...foreign, ...bucketKeys])
          assert.deepStrictEqual(denied, [...foreign, ...keys], service)
        }
      }).pipe(Effect.scoped)
    )

    it.live("listens to nothing but its own inbox", () =>
      Effect.gen(function* () {
        const { envOf, violations } = yield* setUp(binary)
        const launcher = yield* connectedAs(envOf("launcher"))
        for (const subject of ["task.>", "_INBOX_dispatcher.>", "_INBOX.>", ">"])
          launcher.subscribe(subject, { callback: () => {} })
        yield* Effect.promise(() => launcher.flush())
        assert.lengthOf(violations(), 4)
      }).pipe(Effect.scoped)
    )
  })

  describe("a producer", () => {
    it.live("publishes requests and cancels and nothing else: no fact can be forged", () =>
      Effect.gen(function* () {
        const { envOf } = yield* setUp(binary)
        const web = envOf("web")
        assert.deepStrictEqual(yield* refused(web, orders), [])
        assert.deepStrictEqual(yield* refused(web, attempts(orders)), attempts(orders))
      }).pipe(Effect.scoped)
    )

    it.live("of one id publishes that one only, and gets its acknowledgement", () =>
      Effect.gen(function* () {
        const { envOf, operator } = yield* setUp(binary)
        const own = [Subjects.runRequested(RUN), Subjects.runCancel(RUN)]
        assert.deepStrictEqual(yield* refused(envOf("web-one"), own), [])
        assert.deepStrictEqual(yield* refused(envOf("web-one"), attempts(own)), attempts(own))
        const one = yield* ports(envOf("web-one"))
        assert.strictEqual(yield* request({}, RUN).pipe(Effect.provideContext(one)), RUN)
        const other = yield* Effect.flip(request({}, OTHER).pipe(Effect.provideContext(one)))
        assert.deepInclude(other, { _tag: "BusUnavailable", reason: "Denied" })
        const inbox = yield* stored(Streams.inbox, ">").pipe(Effect.provideContext(operator))
        assert.deepStrictEqual([...new Set(inbox.map(({ subject }) => subject))], [Subjects.runRequested(RUN)])
      }).pipe(Effect.scoped)
    )
  })

  describe("a reader", () => {
    it.live("may publish only what reading needs", () =>
      Effect.gen(function* () {
        const { envOf } = yield* setUp(binary)
        const whole = ["STREAM.MSG.GET.FLEET_LOGS", "STREAM.INFO.FLEET_LOGS", "STREAM.INFO.FLEET"]
        const reading = [
          ...readings(RUN),
          ...readings(OTHER),
          ...pulls,
          ...whole.map((request) => `$JS.FLEET.API.${request}`)
        ]
        assert.deepStrictEqual(yield* refused(envOf("guest"), reading), [])
        assert.deepStrictEqual(yield* refused(envOf("guest"), attempts(reading)), attempts(reading))
        const one = [...readings(RUN), ...pulls]
        assert.deepStrictEqual(yield* refused(envOf("guest-one"), one), [])
        assert.deepStrictEqual(yield* refused(envOf("guest-one"), attempts(one)), attempts(one))
      }).pipe(Effect.scoped)
    )

    it.live("of one run sees its lines and its end, and no other's", () =>
      Effect.gen(function* () {
        const { envOf } = yield* setUp(binary)
        yield* publish(envOf("log-streamer"), Streams.logs, Subjects.logs)
        yield* publish(envOf("dispatcher"), Streams.fleet, Subjects.runFinished)
        const sees = Effect.fnUntraced(function* (runId: string) {
          const { replay } = yield* Messages
          const first = (stream: string, subject: string) => Stream.runHead(replay({ stream, subject, follow: true }))
          const lines = yield* first(Streams.logs, Subjects.logs(runId))
          const end = yield* first(Streams.fleet, Subjects.runFinished(runId))
          return [lines, end].map((message) => text(Option.getOrThrow(message)))
        })
        const [one, all] = [yield* ports(envOf("guest-one")), yield* ports(envOf("guest"))]
        for (const may of [one, all]) assert.deepStrictEqual(yield* Effect.provideContext(sees(RUN), may), [RUN, RUN])
        assert.deepStrictEqual(yield* Effect.provideContext(sees(OTHER), all), [OTHER, OTHER])
        const denied = yield* Effect.flip(Effect.provideContext(sees(OTHER), one))
        assert.deepInclude(denied, { _tag: "BusUnavailable", reason: "Denied" })
      }).pipe(Effect.scoped)
    )

    it.live("of one run reads with the official client alone", () =>
      Effect.gen(function* () {
        const { envOf } = yield* setUp(binary)
        yield* publish(envOf("log-streamer"), Streams.logs, Subjects.logs)
        const guest = yield* connectedAs(envOf("guest-one"))
        const domain = envOf("guest-one")["NATS_JS_DOMAIN"] ?? ""
        const lines = yield* Effect.promise(async () => {
          const jsm = await jetstreamManager(guest, { domain, checkAPI: false })
          const config = { name: "reader-1", filter_subject: Subjects.logs(RUN), ack_policy: AckPolicy.None }
          const info = await jsm.consumers.add(Streams.logs, config)
          const message = await jetstream(guest, { domain }).consumers.getConsumerFromInfo(info).next()
          return message?.string()
        })
        assert.strictEqual(lines, RUN)
      }).pipe(Effect.scoped)
    )

    it.live("of one run cannot ask for another by a body that says otherwise than its subject", () =>
      Effect.gen(function* () {
        const { envOf } = yield* setUp(binary)
        const guest = yield* connectedAs(envOf("guest-one"))
        const [subject = ""] = readings(RUN)
        const create = (config: object) =>
          Effect.promise(async () => {
            const body = { stream_name: Streams.logs, config: { name: "any", ack_policy: "none", ...config } }
            const answer = await guest.request(subject, JSON.stringify(body), { timeout: 5_000 })
            return answer.json<{ readonly error?: object; readonly config?: object }>()
          })
        const other = Subjects.logs(OTHER)
        for (const filter of [{ filter_subject: other }, { filter_subject: ">" }, { filter_subjects: [other] }, {}])
          assert.property(yield* create(filter), "error", JSON.stringify(filter))
        const both = yield* create({ filter_subject: Subjects.logs(RUN), filter_subjects: [other] })
        assert.notProperty(both.config ?? {}, "filter_subjects")
      }).pipe(Effect.scoped)
    )
  })

  it.live("an answer that a user has sent to another subject stays in the users' account", () =>
    Effect.gen(function* () {
      const { envOf, operator } = yield* setUp(binary)
      const ask = Effect.fnUntraced(function* (user: string, subject: string, body: object) {
        const connection = yield* connectedAs(envOf(user))
        const data = JSON.stringify(body)
        for (const reply of [Subjects.runCancel(OTHER), Subjects.taskStopped(OTHER, 1)])
          connection.publish(subject, data, { reply })
        yield* Effect.promise(() => connection.request(subject, data, { timeout: 5_000 }))
      })
      const facts = Effect.map(stored(Streams.fleet, ">"), (all) => all.map(({ subject }) => subject))
      yield* ask("web-one", Subjects.runRequested(RUN), {})
      const [creation = ""] = readings(RUN)
      const config = { name: "any", filter_subject: Subjects.logs(RUN), ack_policy: "none" }
      yield* ask("guest-one", creation, { stream_name: Streams.logs, config })
      assert.deepStrictEqual(yield* Effect.provideContext(facts, operator), [])
      yield* ask("operator", Subjects.runRequested(RUN), {})
      const within = [Subjects.runCancel(OTHER), Subjects.taskStopped(OTHER, 1)]
      assert.deepStrictEqual(yield* Effect.provideContext(facts, operator), within, "which one account would not stop")
    }).pipe(Effect.scoped)
  )
})
