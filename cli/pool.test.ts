import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Queue } from "effect"
import { text } from "#bus/Message.ts"
import { RunId } from "#ecs-core/Ids.ts"
import type { Json } from "#ecs-core/Json.ts"
import { encodePoolEntry } from "#ecs-core/Pool.ts"
import { goodKey, pauseKey } from "#ecs-core/Subjects.ts"
import { aRun } from "#test/support/builders.ts"
import { requested } from "#test/support/messages.ts"
import { tempFolder } from "#test/support/NatsServer.ts"
import type { Signal } from "./Interrupts.ts"
import { memoryFleet, onScreen, putRun, type Screen } from "./memoryFleet.ts"
import type { Output } from "./Output.ts"
import { listPools, pauseOne, removePool, resumeOne, setPool, showPool, validatePools } from "./pool.ts"
import { openPools } from "./poolBucket.ts"

/** What the command writes, or how it fails. */
const on = <A, E extends { readonly message: string }, R>(command: Effect.Effect<A, E, R | Output>) =>
  Effect.gen(function* () {
    const screen: Screen = { out: "", err: "" }
    const signals = yield* Queue.unbounded<Signal>()
    const failed = yield* command.pipe(
      Effect.provide(onScreen(screen, signals)),
      Effect.as(""),
      Effect.catch(({ message }) => Effect.succeed(message))
    )
    return { ...screen, failed }
  })

const fileWith = (content: string) =>
  Effect.map(tempFolder("pool"), (folder) => {
    const path = join(folder, "pool.yaml")
    writeFileSync(path, content)
    return path
  })

const set = (name: string, content: string) =>
  Effect.scoped(Effect.flatMap(fileWith(content), (file) => on(setPool({ name, file }))))
const get = (name: string, raw = false) => on(showPool({ name, raw, json: false }))
const list = (json = false) => on(listPools({ json }))
const pause = (name: string, reason?: string) => on(pauseOne({ name, reason: Option.fromUndefinedOr(reason) }))

const stored = (key: string) =>
  Effect.map(
    Effect.flatMap(openPools, (pools) => pools.get(key)),
    Option.map(({ value }) => text({ data: value }))
  )
const put = (key: string, value: string) => Effect.flatMap(openPools, (pools) => pools.put(key, value))
const fromFile = (pool: Json) => encodePoolEntry({ pool, isFromFile: true })

describe("fleet pool set", () => {
  it.effect("creates, replaces, and leaves alone what is equal; from YAML, JSON, or one of several pools", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* set("nightly", "image: alpine")).out, "pool nightly created\n")
      assert.strictEqual((yield* set("nightly", '{"image": "alpine"}')).out, "pool nightly unchanged\n")
      const several = "pools: {nightly: {image: debian, maxRunning: 2}, other: {}}"
      assert.strictEqual((yield* set("nightly", several)).out, "pool nightly updated\n")
      assert.deepStrictEqual(yield* stored("nightly"), Option.some('{"v":1,"image":"debian","maxRunning":2}'))
      assert.include((yield* set("more", several)).failed, 'holds no pool "more". It has: nightly, other')
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("keeps nothing that is not valid, and tells everything that is wrong with it", () =>
    Effect.gen(function* () {
      const { err, out } = yield* set("nightly", "{cpu: much, imgae: x, env: {TOKEN: [canary]}, maxRuning: 5}")
      assert.strictEqual(out, "")
      for (const part of [
        'Field "cpu"',
        'got "much"',
        'Did you mean "image"?',
        "env.TOKEN",
        'Did you mean "maxRunning"?'
      ]) {
        assert.include(err, part)
      }
      assert.notInclude(err, "canary")
      assert.deepStrictEqual(yield* stored("nightly"), Option.none())
      assert.include((yield* set("a.b", "{}")).failed, "cannot name a pool")
      assert.include((yield* set("nightly", "{")).failed, "neither YAML nor JSON")
      assert.include(
        (yield* on(setPool({ name: "nightly", file: "/none.yaml" }))).failed,
        "/none.yaml cannot be read: ENOENT"
      )
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("a pool of the dispatchers' file is theirs; a masked value is nobody's", () =>
    Effect.gen(function* () {
      yield* put("nightly", fromFile({ image: "alpine" }))
      assert.include((yield* set("nightly", "image: debian")).failed, "comes from the dispatchers' file (FLEET_POOLS)")
      assert.include((yield* on(removePool({ name: "nightly" }))).failed, "Change it there")
      assert.deepStrictEqual(yield* stored("nightly"), Option.some(fromFile({ image: "alpine" })))
      assert.include((yield* set("other", "env: {TOKEN: '***'}")).err, 'Field "env.TOKEN" is masked')
    }).pipe(Effect.provide(memoryFleet()))
  )
})

describe("fleet pool get", () => {
  const content =
    "image: a:{{ tag }}\nenv: {TOKEN: canary-1}\nvariables: {tag: {default: canary-2, description: of the image}}\n"

  it.effect("prints YAML with secrets masked; raw, it goes back in as it came", () =>
    Effect.gen(function* () {
      yield* set("nightly", content)
      const masked = yield* get("nightly")
      assert.notInclude(masked.out, "canary")
      assert.include(masked.out, "of the image")
      const raw = yield* get("nightly", true)
      assert.include(raw.out, "canary-1")
      assert.strictEqual((yield* set("nightly", raw.out)).out, "pool nightly unchanged\n")
      const { out } = yield* on(showPool({ name: "nightly", raw: false, json: true }))
      assert.notInclude(out, "canary")
      assert.deepInclude(JSON.parse(out), { pool: "nightly", from: "hand" })
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("tells what is odd about it, and of an unknown one which is near", () =>
    Effect.gen(function* () {
      yield* put("nightly", fromFile({ cpu: "much" }))
      yield* pause("nightly", "new quota")
      const { err } = yield* get("nightly")
      for (const part of ["comes from the dispatchers' file", "paused", "new quota", "not valid"])
        assert.include(err, part)
      assert.strictEqual((yield* get("nigthly")).failed, 'There is no pool "nigthly". Did you mean nightly?')
      assert.include((yield* get("other")).failed, "fleet pool ls")
    }).pipe(Effect.provide(memoryFleet()))
  )
})

describe("fleet pool ls", () => {
  it.effect("says how to make the first; lists pools alone, with limits, pause and source", () =>
    Effect.gen(function* () {
      assert.include((yield* list()).out, "fleet pool set default -f pool.yaml")
      yield* set("gpu", "{image: cuda, maxRunning: 3, maxSubmitPerSecond: 0.5}")
      yield* put("nightly", fromFile({}))
      yield* put("broken", "{")
      yield* put(goodKey("gpu"), '{"revision":1,"pool":{}}')
      yield* put("kind.to-come", "{}")
      yield* pause("nightly")
      const [header = "", ...rows] = (yield* list()).out.trimEnd().split("\n")
      assert.deepStrictEqual(
        [header, ...rows].map((row) => row.split(/ {2,}/)),
        [
          ["POOL", "STATE", "RUNNING", "PER SECOND", "FROM", "CHANGED", "IMAGE"],
          ["broken", "open, not valid", "-", "-", "hand", "0s", "-"],
          ["gpu", "open", "3", "0.5", "hand", "0s", "cuda"],
          ["nightly", "paused 0s", "-", "-", "file", "0s", "-"]
        ]
      )
      const programs = (yield* list(true)).out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Json)
      assert.deepStrictEqual(
        programs.map((pool) => pool["pool"]),
        ["broken", "gpu", "nightly"]
      )
    }).pipe(Effect.provide(memoryFleet()))
  )
})

describe("fleet pool rm", () => {
  it.effect("deletes the pool and its good version, warns of runs that are not over, keeps the pause", () =>
    Effect.gen(function* () {
      yield* set("gpu", "{}")
      yield* put(goodKey("gpu"), '{"revision":1,"pool":{}}')
      yield* pause("gpu")
      yield* putRun({ ...aRun(requested(0)), runId: RunId.make("waits"), pool: "gpu" })
      yield* putRun({ ...aRun(requested(0)), runId: RunId.make("other"), pool: "default" })
      const { err, out } = yield* on(removePool({ name: "gpu" }))
      assert.strictEqual(out, "pool gpu deleted\n")
      assert.include(err, "1 run of it not over")
      assert.include(err, "fleet ps --pool gpu")
      assert.include(err, "fleet pool resume gpu")
      assert.deepStrictEqual(yield* Effect.flatMap(openPools, (pools) => pools.keys()), [pauseKey("gpu")])
      assert.include((yield* on(removePool({ name: "gpu" }))).failed, 'no pool "gpu"')
    }).pipe(Effect.provide(memoryFleet()))
  )
})

describe("fleet pool pause and resume", () => {
  it.effect("each once: paused twice the first counts, resumed twice says so", () =>
    Effect.gen(function* () {
      yield* set("gpu", "{}")
      assert.include(
        (yield* pause("gpu", "new quota")).out,
        "pool gpu is paused. Launch again with: fleet pool resume gpu"
      )
      const first = yield* stored(pauseKey("gpu"))
      assert.include((yield* pause("gpu", "another")).out, "already paused 0s ago: new quota")
      assert.deepStrictEqual(yield* stored(pauseKey("gpu")), first)
      assert.include((yield* on(resumeOne({ name: "gpu" }))).out, "resumed; it was paused 0s ago: new quota")
      assert.deepStrictEqual(yield* stored(pauseKey("gpu")), Option.none())
      assert.include((yield* on(resumeOne({ name: "gpu" }))).out, "is not paused")
    }).pipe(Effect.provide(memoryFleet()))
  )

  it.effect("of a pool that is not there: says so, save for default, which need not be; a reason has its length", () =>
    Effect.gen(function* () {
      assert.include((yield* pause("gpu")).failed, 'no pool "gpu"')
      assert.include((yield* on(resumeOne({ name: "gpu" }))).failed, 'no pool "gpu"')
      assert.strictEqual((yield* pause("default", "x".repeat(200))).failed, "")
      assert.include((yield* pause("default", "x".repeat(201))).failed, "more than 200 characters")
    }).pipe(Effect.provide(memoryFleet()))
  )
})

describe("fleet pool validate", () => {
  it.effect("takes a pool, a file of several, a folder; tells what is wrong with any of them", () =>
    Effect.gen(function* () {
      const one = yield* fileWith("image: alpine")
      assert.include((yield* on(validatePools(one))).out, "is valid")
      const several = yield* fileWith("pools: {a: {}, b: {}}")
      assert.include((yield* on(validatePools(several))).out, "2 pools, valid: a, b")
      const folder = join(yield* tempFolder("pools"), "d")
      mkdirSync(folder)
      writeFileSync(join(folder, "c.json"), "{}")
      assert.include((yield* on(validatePools(folder))).out, "1 pool, valid: c")
      writeFileSync(join(folder, "c.json"), '{"cpu": 1}')
      const wrong = yield* on(validatePools(folder))
      assert.include(wrong.err, "pools.c.cpu")
      assert.strictEqual(wrong.failed, "ended with exit code 1")
      assert.include((yield* on(validatePools(yield* fileWith("cpu: 1")))).err, 'Field "cpu"')
      assert.include((yield* on(validatePools("/none"))).failed, "/none cannot be read")
    })
  )
})
