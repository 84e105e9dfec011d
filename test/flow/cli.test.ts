import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fleet, projectRoot, start, variables, watch } from "#test/support/fleetCommand.ts"
import { runTestServer, tempFolder } from "#test/support/NatsServer.ts"
import { freePort } from "#test/support/ports.ts"

/** The command as its users start it: a process of its own, judged by what it writes and by its exit code. */

const folder = tempFolder("cli")

/** A port that nothing listens on. */
const closedPort = Effect.promise(freePort)

const inOrder = (text: string, parts: ReadonlyArray<string>): void => {
  let from = 0
  for (const part of parts) {
    const at = text.indexOf(part, from)
    assert.isAtLeast(at, 0, `"${part}" comes in its place in:\n${text}`)
    from = at + part.length
  }
}

describe("fleet run --local", () => {
  it.live("starts what it needs, shows states and lines, ends with the program's exit code", () =>
    Effect.gen(function* () {
      const place = { folder: yield* folder }
      const program = "for i in 1 2 3; do echo line $i; sleep 0.1; done; exit 3"
      const { code, out, err } = yield* fleet(place, "run", "--local", "--", "sh", "-c", program)
      assert.strictEqual(code, 3)
      assert.strictEqual(out, "line 1\nline 2\nline 3\n")
      inOrder(err, ["starting nats-server", "started in", "● requested r-", "✗ failed · exit code 3"])
      assert.match(err, /● (defining|launching|provisioning|pending|running)\n/)
      assert.isFalse(existsSync(join(place.folder, ".fleet")))
    })
  )

  it.live("a program that is not there ends with 125 and says what to check", () =>
    Effect.gen(function* () {
      const { code, out, err } = yield* fleet({ folder: yield* folder }, "run", "--local", "--", "no-such-program")
      assert.strictEqual(code, 125)
      assert.strictEqual(out, "")
      inOrder(err, ["✗ crashed", "no-such-program", "→ Check the command"])
    })
  )
})

describe("fleet run --dry-run", () => {
  it.live("prints both AWS calls and starts nothing, also without NATS", () =>
    Effect.gen(function* () {
      const place = { folder: yield* folder, env: { NATS_URL: `nats://127.0.0.1:${yield* closedPort}` } }
      const { code, out, err } = yield* fleet(place, "run", "--dry-run", "--env", "A=secret", "--", "echo", "hello")
      assert.strictEqual(code, 0)
      assert.hasAllKeys(JSON.parse(out), ["RegisterTaskDefinition", "RunTask"])
      assert.notInclude(out + err, "secret")
      assert.match(err, /NATS does not answer[^]*dry run: nothing started\n$/)
    })
  )
})

describe("without a fleet", () => {
  it.live("every command that needs one says in one line what to do", () =>
    Effect.gen(function* () {
      const url = `nats://127.0.0.1:${yield* closedPort}`
      const place = { folder: yield* folder, env: { NATS_URL: url } }
      const commands = [
        ["ps"],
        ["run", "--", "true"],
        ["logs", "a-run"],
        ["describe", "a-run"],
        ["stop", "a-run"],
        ["init"]
      ]
      const ends = yield* Effect.forEach(commands, (args) => fleet(place, ...args), { concurrency: "unbounded" })
      const err = `Nothing answers at ${url}. Start everything with \`fleet up\`, or set NATS_URL.\n`
      assert.deepStrictEqual(
        ends,
        commands.map(() => ({ code: 69, out: "", err }))
      )
    })
  )

  it.live("a misspelt flag is answered in a few lines, with exit code 2", () =>
    Effect.gen(function* () {
      const { code, out, err } = yield* fleet({ folder: yield* folder }, "ps", "--josn")
      assert.strictEqual(code, 2)
      assert.strictEqual(out, "")
      inOrder(err, ["--josn", "--json", "Try: fleet ps --help"])
    })
  )
})

describe("fleet up", () => {
  it.live("serves the other commands in its folder until it is stopped", () =>
    Effect.gen(function* () {
      const place = { folder: yield* folder }
      const up = yield* start(place, ["up", "--nats-port", "0", "--aws-port", "0"])
      yield* up.wrote("ready")

      const second = yield* fleet(place, "up", "--nats-port", "0", "--aws-port", "0")
      assert.deepInclude(second, { code: 1, out: "" })
      assert.include(second.err, "runs in")

      assert.include((yield* fleet(place, "ps")).out, "Nothing is running")
      const detached = yield* fleet(place, "run", "--detach", "--name", "hello", "--", "sh", "-c", "echo hi; exit 4")
      const runId = detached.out.trim()
      assert.match(runId, /^hello-[0-9a-z]{10}$/)
      assert.deepInclude(yield* fleet(place, "logs", "-f", runId.slice(0, 8)), { code: 0, out: "hi\n" })
      const stop = yield* fleet(place, "stop", runId)
      assert.include(stop.out, `Run ${runId} is over already: ✗ failed · exit code 4`)
      const json = yield* fleet(place, "ps", "--all", "--json")
      assert.deepInclude(JSON.parse(json.out), { runId, state: "failed", exitCode: 4, name: "hello" })
      assert.include((yield* fleet(place, "describe", runId)).out, "failed with exit code 4")
      const unknown = yield* fleet(place, "stop", `${runId.slice(0, -1)}!`)
      assert.strictEqual(unknown.code, 1)
      assert.include(unknown.err, `Did you mean ${runId}?`)

      yield* up.signal("SIGTERM")
      const ended = yield* up.ended
      assert.strictEqual(ended.code, 0, ended.err)
      inOrder(ended.out, ["nats-server", "nats://127.0.0.1:", "ready"])
      assert.isFalse(existsSync(join(place.folder, ".fleet", "up.json")))
    })
  )

  it.live("Ctrl-C in fleet run cancels the run; a fleet that is started again knows it still", () =>
    Effect.gen(function* () {
      const place = { folder: yield* folder }
      const up = yield* start(place, ["up", "--nats-port", "0", "--aws-port", "0"])
      yield* up.wrote("ready")
      const run = yield* start(place, ["run", "--", "sh", "-c", "echo started; sleep 600"])
      yield* run.wrote("started")
      yield* run.signal("SIGINT")
      const { code, err } = yield* run.ended
      assert.strictEqual(code, 130)
      inOrder(err, ["● requested", "cancelling", "■ cancelled"])
      yield* up.signal("SIGINT")
      assert.strictEqual((yield* up.ended).code, 0)

      const again = yield* start(place, ["up", "--nats-port", "0", "--aws-port", "0"])
      yield* again.wrote("ready")
      assert.match((yield* fleet(place, "ps", "--all")).out, /cancelled/)
    })
  )
})

describe("fleet init", () => {
  it.live("creates everything once, and applies changed settings of the logs to the stream that is there", () =>
    Effect.gen(function* () {
      const { url } = yield* runTestServer()
      const init = (settings: Readonly<Record<string, string>> = {}) =>
        Effect.flatMap(folder, (place) => fleet({ folder: place, env: { NATS_URL: url, ...settings } }, "init"))
      assert.include((yield* init()).out, "created  stream FLEET_LOGS\n")
      const smaller = { FLEET_LOGS_AGE_SECONDS: "3600", FLEET_LOGS_BYTES_MAX: "1048576" }
      assert.match(
        (yield* init(smaller)).out,
        /^updated {2}stream FLEET_LOGS\nFleet [0-9a-f]{8}, topology revision \d+\.\n$/
      )
      assert.match((yield* init(smaller)).out, /^Nothing to do/)
      const wrong = yield* init({ FLEET_LOGS_AGE_SECONDS: "0", FLEET_LOGS_BYTES_MAX: "1048575" })
      assert.strictEqual(wrong.code, 78)
      inOrder(wrong.err, [
        "FLEET_LOGS_AGE_SECONDS: has a value that is not allowed; it must be a whole number from 1 on",
        "FLEET_LOGS_BYTES_MAX: has a value that is not allowed; it must be a whole number from 1048576 on"
      ])
    })
  )
})

describe("on a Node that is too old", () => {
  it.live("says so, and how to get a newer one", () =>
    Effect.gen(function* () {
      const older = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } })'
      const args = [
        "--import",
        `data:text/javascript,${encodeURIComponent(older)}`,
        join(projectRoot, "cli", "fleet.js")
      ]
      const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], env: variables() })
      const { code, out, err } = yield* watch(child).ended
      assert.deepStrictEqual([code, out], [1, ""])
      assert.match(err, /^fleet needs Node 24 or newer; this is 20\.1\.0\.\n.*npx fleet/)
    })
  )
})
