import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, assert, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import type { Fault } from "#aws/model/Fault.ts"
import { Buckets } from "#bus/Bucket.ts"
import { Bus } from "#bus/Bus.ts"
import { text } from "#bus/Message.ts"
import { Messages } from "#bus/Messages.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { BucketNames, parseSubject, type ServiceName, Streams } from "#ecs-core/Subjects.ts"
import { least } from "#test/parity/launched.ts"
import { expire, keepPool, teamKey, writeSets } from "#test/support/credentialSets.ts"
import { quickSettings } from "#test/support/EmbeddedFleet.ts"
import { fleet } from "#test/support/fleetCommand.ts"
import { clearFaults, inject, LocalAws, layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"
import { layerTest as natsServer, tempFolder } from "#test/support/NatsServer.ts"
import { startService } from "#test/support/Processes.ts"
import { cancel, finished, firstOn, output, request, stored, take } from "#test/support/runs.ts"

/**
 * Values that nobody but the program may see, in every place where a request or a setting can hold one. Whole flows bring
 * them near everything that people read; then all of that is searched. By design two places hold them, for operators'
 * eyes only: the requests themselves in `FLEET_IN`, and the launch orders (`taskdef.ready`) in `FLEET`; so does a dead
 * letter, which is the original message: `fleet dead` shows it masked.
 */
const canary = (place: string) => `canary-${place}-0f1ee7`

const team = { ...teamKey("team-a"), secretAccessKey: canary("aws-secret"), sessionToken: canary("aws-token") }
const sets = writeSets([team])
afterAll(sets.remove)

const entry = (place: string) => ({ name: `${place.toUpperCase()}_KEY`, value: canary(place) })

/** A canary in every place. */
const everywhere = {
  ...least,
  pool: "canaries",
  env: { API_KEY: canary("env") },
  command: [
    "sh",
    "-c",
    `DB_PASSWORD=${canary("script")}; true`,
    "--api-key",
    canary("flag"),
    `--token=${canary("assigned")}`
  ],
  taskDefinition: {
    containerDefinitions: [
      { name: "main", environment: [entry("definition")] },
      {
        name: "sidecar",
        image: "local/shell",
        essential: false,
        command: ["true", `--password=${canary("sidecar-flag")}`],
        environment: [entry("sidecar")],
        logConfiguration: { logDriver: "splunk", options: { "splunk-token": canary("splunk") } }
      }
    ]
  },
  taskRunRequest: { overrides: { containerOverrides: [{ name: "sidecar", environment: [entry("override")] }] } }
}

const leaked = (value: unknown): ReadonlyArray<string> => [
  ...new Set([...JSON.stringify(value).matchAll(/canary-[a-z-]+-0f1ee7/g)].map(([found]) => found))
]

/** AWS's answer quotes what it was sent. */
const echoing = (action: string, name: string, ...places: ReadonlyArray<string>): Fault => ({
  action,
  error: {
    name,
    message: `Invalid value: ${places.map(canary).join(" and ")} in {"value":"${canary(places[0] ?? "")}"}`
  }
})

const names: ReadonlyArray<ServiceName> = ["dispatcher", "launcher", "watcher", "log-streamer"]

/** What a collector of logs, traces and metrics is sent. */
const collector = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly sent: Array<string>; readonly close: () => void }>((resume) => {
    const sent: Array<string> = []
    const server = createServer((incoming, response) => {
      incoming.on("data", (chunk: Buffer) => sent.push(chunk.toString("utf8")))
      incoming.on("end", () => response.setHeader("content-type", "application/json").end("{}"))
    })
    server.listen(0, "127.0.0.1", () => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      resume(Effect.succeed({ url, sent, close: () => void server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "test" })))
const outside = bus.pipe(Layer.provideMerge(Layer.mergeAll(natsServer, localAws({ runtime: "process" }))))

/** Flows to every kind of end; their run ids. */
const flows = Effect.gen(function* () {
  const succeeded = yield* request(everywhere)
  assert.strictEqual((yield* finished(succeeded)).outcome, "succeeded")
  const refused = yield* request({ ...everywhere, comand: canary("misspelt") })
  assert.strictEqual((yield* finished(refused)).outcome, "rejected")
  yield* inject(echoing("RunTask", "InvalidParameterException", "env", "override", "flag", "assigned"))
  const rejected = yield* request(everywhere)
  assert.strictEqual((yield* finished(rejected)).outcome, "rejected")
  yield* inject(echoing("RegisterTaskDefinition", "ClientException", "definition", "sidecar", "splunk", "sidecar-flag"))
  const undefinable = yield* request({ ...everywhere, image: "local/other" })
  assert.strictEqual((yield* finished(undefinable)).outcome, "rejected")
  yield* inject({
    action: "RunTask",
    stop: {
      stopCode: "TaskFailedToStart",
      stoppedReason: `CannotStartContainerError: exec: "sh -c --token=${canary("assigned")}": not found`,
      containerReason: `CannotStartContainerError: --token=${canary("assigned")}`,
      beforeRunning: true
    }
  })
  const crashed = yield* request(everywhere)
  assert.strictEqual((yield* finished(crashed)).outcome, "crashed")
  const failed = yield* request({ ...everywhere, command: ["sh", "-c", `PASSWORD=${canary("script")}; exit 3`] })
  assert.strictEqual((yield* finished(failed)).outcome, "failed")
  yield* expire(team)
  const waiting = yield* request(everywhere)
  yield* firstOn(Streams.fleet, `task.deferred.${waiting}.1`)
  yield* clearFaults
  yield* cancel(waiting)
  yield* finished(waiting)
  const undecodable = yield* request(`{"env":{"API_KEY":"${canary("env")}"},`)
  yield* finished(undecodable)
  yield* take(Streams.dead, "dead.>", 1)
  for (const runId of [succeeded, crashed, failed]) yield* output(runId)
  return [succeeded, refused, rejected, undefinable, crashed, failed, waiting, undecodable]
})

const bucketEntries = (name: string) =>
  Effect.gen(function* () {
    const entries = yield* (yield* (yield* Buckets).open(name)).entries()
    return entries.map(({ key, value }) => [name, key, text({ data: value })])
  })

/** Everything in `FLEET` but the launch orders, and the reasons of dead letters. */
const messages = Effect.gen(function* () {
  const fleetMessages = yield* stored(Streams.fleet, ">")
  const orders = fleetMessages.filter(({ subject }) => parseSubject(subject)?.kind === "taskdef.ready")
  assert.isNotEmpty(leaked(orders.map(text)), "launch orders are known to hold values")
  const dead = yield* stored(Streams.dead, "dead.>")
  return [
    ...fleetMessages.filter((message) => !orders.includes(message)).map((message) => [message.subject, text(message)]),
    ...dead.map(({ headers, subject }) => [subject, JSON.stringify(headers)])
  ]
})

it.live(
  "a secret value is in nothing that users and operators read, however its run ends (peers 73, scenario 41)",
  () =>
    Effect.gen(function* () {
      const { sent, url } = yield* collector
      const env = {
        ...quickSettings,
        ...sdkEnv((yield* LocalAws).url),
        NATS_URL: (yield* NatsServer).url,
        LOG_LEVEL: "trace",
        OTLP_URL: url,
        FLEET_AWS_CREDENTIALS_FILE: sets.path,
        FLEET_AWS_CREDENTIALS_PROBE_SECONDS: "0.2"
      }
      const folder = yield* tempFolder("services")
      const services = yield* Effect.forEach(names, (name) => startService(name, folder, env))
      yield* finished(yield* request(least))
      yield* keepPool("canaries", { credentials: team.set })
      const runIds = yield* flows
      const commands = [
        ["ps", "--all"],
        ["dead", "ls"],
        ["dead", "show", "1"],
        ...runIds.flatMap((runId) => [
          ["describe", runId],
          ["describe", runId, "--json"],
          ["logs", runId]
        ])
      ]
      const place = { folder, env: { NATS_URL: env.NATS_URL } }
      const shown = yield* Effect.forEach(commands, (args) => fleet(place, ...args))
      yield* Effect.forEach(services, ({ terminate }) => terminate)
      const seen = {
        ...Object.fromEntries(services.map(({ log, name }) => [`log of ${name}`, log()])),
        collector: sent,
        messages: yield* messages,
        logs: (yield* Stream.runCollect(
          (yield* Messages).replay({ stream: Streams.logs, subject: ">", follow: false })
        )).map(text),
        ...Object.fromEntries(shown.map(({ err, out }, at) => [`fleet ${commands[at]?.join(" ")}`, out + err])),
        records: yield* Effect.forEach(Object.values(BucketNames), bucketEntries)
      }
      for (const [where, what] of Object.entries(seen)) {
        assert.isAbove(JSON.stringify(what).length, 10, where)
        assert.deepStrictEqual(leaked(what), [], where)
      }
      assert.include(JSON.stringify(seen.records), "***")
    }).pipe(Effect.scoped, Effect.provide(outside)),
  180_000
)
