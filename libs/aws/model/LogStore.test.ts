import { assert, describe, it } from "@effect/vitest"
import { append, createGroup, createStream, type LogStreamRecord, makeLogStore } from "./LogStore.ts"

const aStore = (limits: { readonly maxEvents: number; readonly maxCharacters: number }) => {
  const store = makeLogStore(limits)
  const group = createGroup(store, "g", 0)
  const [old, young] = [createStream(store, group, "old", 0), createStream(store, group, "young", 0)]
  const write = (stream: LogStreamRecord, count: number, message = "x") => {
    for (let line = 0; line < count; line++) append(store, stream, { timestamp: line, ingestionTime: line, message })
  }
  return { store, old, young, write, kept: () => [store.events, old.events.length, young.events.length] }
}

describe("a full log store", () => {
  it("at 100 events it keeps all, at 101 it forgets the oldest streams' first", () => {
    const { old, young, write, kept } = aStore({ maxEvents: 100, maxCharacters: 1e6 })
    write(old, 60)
    write(young, 40)
    assert.deepStrictEqual(kept(), [100, 60, 40])
    write(young, 1)
    assert.deepStrictEqual(kept(), [90, 49, 41])
  })

  it("counts characters too", () => {
    const { store, old, young, write, kept } = aStore({ maxEvents: 1e6, maxCharacters: 1000 })
    write(old, 5, "x".repeat(100))
    write(young, 5, "x".repeat(100))
    assert.deepStrictEqual([store.characters, kept()], [1000, [10, 5, 5]])
    write(young, 1, "y")
    assert.deepStrictEqual([store.characters, kept()], [801, [9, 3, 6]])
  })

  it("a stream that was emptied and goes on writing is emptied again", () => {
    const { old, write, kept } = aStore({ maxEvents: 10, maxCharacters: 1e6 })
    write(old, 1000)
    assert.isAtMost(kept()[0] ?? 0, 10)
  })
})
