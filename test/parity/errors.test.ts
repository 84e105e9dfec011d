import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { nothingReturned } from "#aws/AwsFailureRows.ts"
import type { Fault } from "#aws/model/Fault.ts"
import { Codecs, type RunFinished } from "#ecs-core/Messages.ts"
import { Streams, Subjects } from "#ecs-core/Subjects.ts"
import { AwsWire } from "#test/parity/AwsWire.ts"
import { keptElsewhere, least } from "#test/parity/launched.ts"
import { endings, exceptions, failures, type Provocation } from "#test/parity/provocations.ts"
import { layerFleetWith } from "#test/support/EmbeddedFleet.ts"
import { clearFaults, faults, inject } from "#test/support/LocalAws.ts"
import { layerTest as natsServer } from "#test/support/NatsServer.ts"
import { cancel, finished, firstOn, output, request } from "#test/support/runs.ts"

/**
 * Every row of the tables of errors, brought about once at AWS's edge; what the run then ends with is kept in a file.
 * After a wanted change: UPDATE_GOLDEN=1 npx vitest run test/parity/errors.test.ts, format, and read the difference.
 */
const folder = new URL("../golden/errors/", import.meta.url)
const isUpdating = process.env["UPDATE_GOLDEN"] !== undefined

const all = [...exceptions, ...failures, ...endings]
const names = [...all.map(({ name }) => name), nothingReturned.name, "definition-inactive-linked"]

/** What differs from run to run, replaced. */
const normalised = (end: RunFinished): object => {
  const text = Codecs.runFinished.encode(end)
  const plain = text
    .replaceAll(end.runId, "<run>")
    .replaceAll(/\b[0-9a-f]{32}\b/g, "<task>")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
  return JSON.parse(plain) as object
}

const compare = (name: string, end: RunFinished): void => {
  const file = new URL(`${name}.json`, folder)
  if (isUpdating) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, `${JSON.stringify(normalised(end), null, 2)}\n`)
  }
  assert.isTrue(existsSync(file), `${file.pathname} is missing: write it with UPDATE_GOLDEN=1`)
  assert.deepStrictEqual(normalised(end), JSON.parse(readFileSync(file, "utf8")))
}

/** Each provocation has a cluster of its own, so that its fault meets nobody else; who is alone registers anew. */
const provoke = ({ cancel: isCancelled = false, fault, name, request: body }: Provocation) =>
  Effect.gen(function* () {
    if (fault !== undefined) yield* inject(hasCluster(fault.action) ? { ...fault, cluster: name } : fault)
    const own = isAlone(fault) && "image" in body ? { family: name } : {}
    const runId = yield* request({ ...body, cluster: name, ...own })
    if (isCancelled) {
      yield* firstOn(Streams.fleet, Subjects.taskStarted(runId, 1))
      yield* cancel(runId, "not needed any more")
    }
    compare(name, yield* finished(runId))
    if (fault?.action === "FilterLogEvents") yield* output(runId)
    if (fault !== undefined) yield* assertMet(name, fault)
  })

/** An error that never came about proves nothing. */
const assertMet = (name: string, { action }: Fault) =>
  Effect.gen(function* () {
    const injected = (yield* faults).find((each) => each.action === action && (each.cluster ?? name) === name)
    assert.isAbove(injected?.fired ?? 0, 0, `${name}: no call of ${action} met its fault`)
  })

/** Calls that name a cluster, so that a fault can be meant for one run alone. */
const hasCluster = (action: string): boolean => action === "RunTask" || action === "StopTask"
const isAlone = (fault: Fault | undefined): boolean => fault !== undefined && !hasCluster(fault.action)
/** Last comes what makes the registrations after it slow. */
const alone = all
  .filter(({ fault }) => isAlone(fault))
  .toSorted((a, b) => Number(a.name === "concurrent-revisions") - Number(b.name === "concurrent-revisions"))
const together = all.filter(({ fault }) => !isAlone(fault))

const layerFleet = layerFleetWith(natsServer, AwsWire.layer({ runtime: "simulated", clusters: names }), {
  FLEET_AWS_NETWORK_CACHE_SECONDS: "0"
})

layer(layerFleet, { excludeTestServices: true })("errors, each at a cluster of its own", (it) => {
  it.effect.each(together)("$name ends its run as its golden file says", provoke, { concurrent: true })

  it.effect("an inactive definition that somebody else keeps is theirs to register again", () =>
    Effect.gen(function* () {
      const name = "definition-inactive-linked"
      const taskDefinitionArn = yield* keptElsewhere()
      const error = { name: "ClientException", message: "TaskDefinition is inactive" }
      yield* inject({ action: "RunTask", cluster: name, error })
      compare(name, yield* finished(yield* request({ taskDefinitionArn, cluster: name })))
    })
  )

  it.effect("a launch that answers nothing at all is repeated", () =>
    Effect.gen(function* () {
      const { name } = nothingReturned
      const wire = yield* AwsWire
      wire.answerOnce(({ action, input }) => action === "RunTask" && input["cluster"] === name, {})
      const runId = yield* request({ ...least, cluster: name })
      compare(name, yield* finished(runId))
      assert.lengthOf(
        wire.calls().filter(({ action, input }) => action === "RunTask" && input["cluster"] === name),
        2
      )
    })
  )
})

layer(layerFleet, { excludeTestServices: true })("errors of calls that name no cluster, one by one", (it) => {
  it.effect.each(alone)("$name, alone, ends its run as its golden file says", (provocation) =>
    Effect.ensuring(provoke(provocation), clearFaults)
  )
})

describe("golden errors", () => {
  it("are of rows that exist, one each", () => {
    assert.strictEqual(new Set(names).size, names.length)
    assert.sameMembers(
      readdirSync(folder),
      names.map((name) => `${name}.json`)
    )
  })
})
