import { assert, describe, it } from "@effect/vitest"
import { Option, Result } from "effect"
import { parseRequestFile, type RequestFlags, requestBody } from "./request.ts"

const noFlags: RequestFlags = {
  image: Option.none(),
  env: [],
  cpu: Option.none(),
  memory: Option.none(),
  name: Option.none(),
  pool: Option.none(),
  cluster: Option.none(),
  label: [],
  command: []
}

const environment = { HOME: "/home/me" }

describe("requestBody", () => {
  it.each([
    { what: "nothing", flags: {}, file: {}, body: {} },
    {
      what: "the command as a list",
      flags: { command: ["sh", "-c", "exit 3"] },
      file: {},
      body: { command: ["sh", "-c", "exit 3"] }
    },
    {
      what: "every flag",
      flags: {
        image: Option.some("alpine"),
        cpu: Option.some(512),
        memory: Option.some(1024),
        name: Option.some("nightly"),
        pool: Option.some("gpu"),
        cluster: Option.some("batch")
      },
      file: {},
      body: { image: "alpine", cpu: 512, memory: 1024, name: "nightly", pool: "gpu", cluster: "batch" }
    },
    {
      what: "flags over the file",
      flags: { image: Option.some("alpine:2"), command: ["b"] },
      file: { image: "alpine:1", command: "a", cpu: 256 },
      body: { image: "alpine:2", command: ["b"], cpu: 256 }
    },
    {
      what: "variables name by name, values with =, and one of the caller's own",
      flags: { env: ["A=1", "B=x=y", "C=", "HOME"] },
      file: { env: { A: "0", D: null } },
      body: { env: { A: "1", B: "x=y", C: "", D: null, HOME: "/home/me" } }
    },
    {
      what: "labels",
      flags: { label: ["team=data"] },
      file: { labels: { a: "b" } },
      body: { labels: { a: "b", team: "data" } }
    },
    {
      what: "the file's own mistakes as they are",
      flags: {},
      file: { comand: 1, env: "x" },
      body: { comand: 1, env: "x" }
    }
  ])("takes $what", ({ flags, file, body }) => {
    assert.deepStrictEqual(Result.getOrThrow(requestBody({ ...noFlags, ...flags }, file, environment)), body)
  })

  it.each([
    { flags: { env: ["NOT_THERE"] }, says: "there is no variable NOT_THERE" },
    { flags: { env: ["=1"] }, says: '--env takes NAME=VALUE, got "=1"' },
    { flags: { label: ["team"] }, says: '--label takes NAME=VALUE, got "team"' }
  ])("refuses with: $says", ({ flags, says }) => {
    const result = requestBody({ ...noFlags, ...flags }, {}, environment)
    assert.include(Result.getOrThrow(Result.flip(result)).message, says)
  })
})

describe("parseRequestFile", () => {
  it.each([
    { path: "request.json", content: '{"command": ["true"]}' },
    { path: "request.yaml", content: "command:\n  - 'true'\n" },
    { path: "-", content: '{"command": ["true"]}' },
    { path: "-", content: "command: ['true']" }
  ])("reads $path: $content", ({ path, content }) => {
    assert.deepStrictEqual(Result.getOrThrow(parseRequestFile(path, content)), { command: ["true"] })
  })

  it.each([
    { path: "request.json", content: "{", says: "request.json cannot be read: " },
    { path: "request.yaml", content: "a: [", says: "request.yaml cannot be read: " },
    { path: "request.yaml", content: "- a", says: "must hold one object" },
    { path: "request.yaml", content: "", says: "must hold one object" }
  ])("refuses $path: $content", ({ path, content, says }) => {
    const { message } = Result.getOrThrow(Result.flip(parseRequestFile(path, content)))
    assert.include(message, says)
    assert.notInclude(message, "\n")
  })
})
