import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Result, type Schema } from "effect"
import { type Codec, codec } from "#ecs-core/Codec.ts"
import { LogCodecs } from "#ecs-core/LogLine.ts"
import { Codecs } from "#ecs-core/Messages.ts"
import { decodeRequest } from "#ecs-core/RequestProblems.ts"
import { RunRequest } from "#ecs-core/RunRequest.ts"
import { Outcome } from "#ecs-core/RunState.ts"
import { AttemptKinds } from "#ecs-core/Subjects.ts"

/**
 * Messages as they were published once must decode for ever: streams keep them for days, and producers do not upgrade
 * with us. A file here is never changed; a new shape gets a new file, an incompatible one a new folder (`v2`).
 */
const folder = new URL("./messages/v1/", import.meta.url)

const requestCodec: Codec<RunRequest> = {
  encode: codec(RunRequest).encode,
  decode: (json) => Result.mapError(decodeRequest(JSON.parse(json)), ([problem]) => problem as never)
}

const codecs: Readonly<
  Record<string, Pick<Codec<never>, "encode"> & { readonly decode: (json: string) => Result.Result<unknown, unknown> }>
> = {
  "run.requested": requestCodec,
  "run.cancel": Codecs.runCancel,
  "run.queued": Codecs.runQueued,
  "taskdef.ready": Codecs.taskdefReady,
  "task.launching": Codecs.taskLaunching,
  "task.started": Codecs.taskStarted,
  "task.deferred": Codecs.taskDeferred,
  "task.rejected": Codecs.taskRejected,
  "task.changed": Codecs.taskChanged,
  "task.stopped": Codecs.taskStopped,
  "task.stop": Codecs.taskStop,
  "run.finished": Codecs.runFinished,
  logs: LogCodecs.message
}

/** `<kind>.json` or `<kind>--<variant>.json`. */
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => ({
    name,
    kind: name.replace(/\.json$/, "").replace(/--.*$/, ""),
    variant: /--(.*)\.json$/.exec(name)?.[1]
  }))

const textOf = (name: string): string => readFileSync(new URL(name, folder), "utf8")

describe("golden messages", () => {
  it.each(files)("$name decodes and encodes back to the same JSON", ({ name, kind }) => {
    const text = textOf(name)
    const known = codecs[kind]
    if (known === undefined) return assert.fail(`${name}: no codec for messages of kind "${kind}"`)
    const value = Result.getOrThrow(known.decode(text))
    assert.deepStrictEqual(JSON.parse(known.encode(value as never)), JSON.parse(text))
  })

  it("there is one for every kind of message", () => {
    const wanted = ["run.requested", "run.cancel", "run.queued", "run.finished", "logs", ...AttemptKinds]
    assert.deepStrictEqual(Object.keys(codecs).toSorted(), wanted.toSorted())
    const missing = wanted.filter((kind) => files.every((file) => file.kind !== kind))
    assert.deepStrictEqual(missing, [], `put an example of each into ${folder.pathname}`)
  })

  it("there is a codec of ours behind every one of them", () => {
    const tested = new Set<unknown>(Object.values(codecs))
    const forgotten = Object.entries(Codecs).filter(([, known]) => !tested.has(known))
    assert.deepStrictEqual(forgotten, [])
  })

  it.each(Outcome.literals)("there is a run.finished that %s", (outcome) => {
    const variant = outcome.replace("_", "-")
    const file = files.find((candidate) => candidate.kind === "run.finished" && candidate.variant === variant)
    assert.isDefined(file)
    assert.include(textOf(file?.name ?? ""), `"outcome": "${outcome}"`)
  })

  it.each([
    { what: "a batch and an end", kind: "logs", variants: ["batch", "end"] },
    { what: "the least and the most", kind: "run.requested", variants: ["minimal", "full"] }
  ])("$kind shows $what", ({ kind, variants }) => {
    assert.includeMembers(
      files.filter((file) => file.kind === kind).map(({ variant }) => variant ?? ""),
      variants
    )
  })

  it("the full request has every field there is", () => {
    const request = JSON.parse(textOf("run.requested--full.json")) as object
    assert.sameMembers(Object.keys(request), Object.keys(RunRequest.fields))
  })

  it.each(files)("$name is read without its v too, as version 1", ({ name, kind }) => {
    const { v: _v, ...rest } = JSON.parse(textOf(name)) as Record<string, Schema.Json>
    assert.isTrue(Result.isSuccess(codecs[kind]?.decode(JSON.stringify(rest)) ?? Result.fail("no codec")))
  })
})
