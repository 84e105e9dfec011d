import { assert, describe, it } from "@effect/vitest"
import { bytes } from "#bus/Message.ts"
import { encodePoolEntry } from "#ecs-core/Pool.ts"
import { goodKey, pauseKey } from "#ecs-core/Subjects.ts"
import { poolSteps } from "./poolFile.ts"

const entry = (key: string, value: string, revision = 7) => ({ key, value: bytes(value), revision, time: 0 })
const fromFile = (pool: object) => encodePoolEntry({ pool: { ...pool }, isFromFile: true })
const byHand = (pool: object) => encodePoolEntry({ pool: { ...pool }, isFromFile: false })

const alpine = { image: "alpine", cpu: 512 }
const file = new Map([["nightly", alpine]])

describe("poolSteps", () => {
  it.each([
    { what: "is missing", value: undefined, news: "create", later: undefined },
    { what: "is equal", value: fromFile(alpine), news: undefined, later: undefined },
    {
      what: "is equal, its members in another order",
      value: fromFile({ cpu: 512, image: "alpine" }),
      news: undefined,
      later: undefined
    },
    {
      what: "is another version's of the file",
      value: fromFile({ image: "debian" }),
      news: "update",
      later: undefined
    },
    { what: "was written by hand", value: byHand({ image: "debian" }), news: "update", later: "update" },
    { what: "was written by hand, to the same effect", value: byHand(alpine), news: "update", later: "update" },
    { what: "is no JSON", value: "{", news: "update", later: "update" },
    { what: "is a list", value: "[]", news: "update", later: "update" },
    { what: "is the file's, but not valid", value: fromFile({ cpu: "much" }), news: "update", later: "update" },
    {
      what: "is the file's, of a later version of ours",
      value: fromFile({ image: "debian", fieldToCome: 1 }),
      news: "update",
      later: undefined
    }
  ])("the entry $what: news of the file $news it, a later look $later", ({ value, news, later }) => {
    const entries = value === undefined ? [] : [entry("nightly", value)]
    const kinds = (isNews: boolean) => poolSteps(file, entries, isNews).map(({ kind }) => kind)
    assert.deepStrictEqual([kinds(true), kinds(false)], [news ? [news] : [], later ? [later] : []])
    for (const step of poolSteps(file, entries, true)) {
      assert.deepInclude(step, { pool: "nightly", value: fromFile(alpine) })
      if (step.kind === "update") assert.strictEqual(step.revision, 7)
    }
  })

  it("deletes what a file wrote and the file no longer names, as news alone; nothing else", () => {
    const entries = [
      entry("old", fromFile({}), 3),
      entry("theirs", byHand({})),
      entry("broken", "{"),
      entry(pauseKey("old"), '{"at":"2026-03-01T09:00:00.000Z"}'),
      entry(goodKey("old"), '{"revision":3,"pool":{},"source":"file"}'),
      entry("later.kind", '{"source":"file"}')
    ]
    assert.deepStrictEqual(poolSteps(new Map(), entries, true), [
      { kind: "delete", pool: "old", revision: 3, why: "the file no longer names it" }
    ])
    assert.deepStrictEqual(poolSteps(new Map(), entries, false), [])
  })

  it("carried out by one version, then looked at by another: nothing more to do until there is news", () => {
    const other = new Map([
      ["nightly", { image: "debian" }],
      ["more", {}]
    ])
    const bucket = [...other].map(([name, pool]) => entry(name, fromFile(pool)))
    assert.deepStrictEqual(poolSteps(file, bucket, false), [])
    assert.deepStrictEqual(poolSteps(other, bucket, true), [])
  })
})
