import { assert, describe, it } from "@effect/vitest"
import { type BusFacts, busFindings, busUnreachable } from "./busFindings.ts"

const facts: BusFacts = {
  url: "nats://host:4222",
  serverVersion: "2.12.0",
  replicas: 1,
  hasAccounts: true,
  pieces: [
    { what: "stream FLEET", state: "ok" },
    { what: "bucket fleet-runs", state: "ok" },
    { what: "consumer FLEET/watcher", state: "ok" }
  ],
  unreadable: [],
  fleetId: "0f1ee700"
}

/** The findings that are not as in a fleet where all is well. */
const others = (change: Partial<BusFacts>) => {
  const well = new Set(busFindings(facts).map((each) => JSON.stringify(each)))
  return busFindings({ ...facts, ...change })
    .filter((each) => !well.has(JSON.stringify(each)))
    .map(({ check, fix, says, verdict }) => [check, verdict, says, ...(fix === undefined ? [] : [fix])])
}

const INIT = "Run: fleet init"

describe("findings about NATS", () => {
  it("are OK where all is well", () => {
    assert.deepStrictEqual(
      busFindings(facts).map(({ check, verdict }) => [check, verdict]),
      ["nats", "streams", "buckets", "consumers", "rights", "fleet id"].map((check) => [check, "OK"])
    )
  })

  it.each<readonly [string, Partial<BusFacts>, ReadonlyArray<ReadonlyArray<string>>]>([
    [
      "an old server",
      { serverVersion: "2.9.9" },
      [["nats", "NG", "nats-server 2.9.9 is too old", "Use 2.9.10 or newer"]]
    ],
    [
      "something missing",
      { pieces: [{ what: "stream FLEET", state: "missing" }, ...facts.pieces.slice(1)] },
      [["streams", "NG", "missing: FLEET", INIT]]
    ],
    [
      "something else than the settings say",
      { pieces: [...facts.pieces.slice(0, 2), { what: "consumer FLEET/watcher", state: "differs" }] },
      [
        [
          "consumers",
          "NG",
          "not as the settings say: FLEET/watcher",
          `${INIT}, or set the variables of docs/settings.md here as the services have them`
        ]
      ]
    ],
    ["no fleet id", { fleetId: undefined }, [["fleet id", "NG", "there is none", INIT]]],
    [
      "a server that asks nobody",
      { hasAccounts: false },
      [["rights", "OK", "everybody who reaches this server may do everything: docs/security.md"]]
    ],
    [
      "credentials that see little",
      {
        pieces: [...facts.pieces.slice(0, 2), { what: "consumer FLEET/watcher", state: "unknown" }],
        unreadable: ["a", "b", "c", "d", "e"],
        fleetId: undefined
      },
      [
        ["consumers", "SKIP", "these credentials may not look at FLEET/watcher"],
        [
          "rights",
          "NG",
          "NATS does not let these credentials see consumer FLEET/watcher, bucket a, bucket b, bucket c, bucket d and 1 more",
          "Use the operator's credentials, as docs/security.md has them: env $(cat fleet-auth/operator.env) fleet verify"
        ],
        ["fleet id", "SKIP", "these credentials may not read it"]
      ]
    ]
  ])("%s", (_, change, expected) => {
    assert.deepStrictEqual(others(change), expected)
  })

  it.each([
    ["Nothing answers at nats://a:1. Start it.", "Nothing answers at nats://a:1", "Start it."],
    [
      "NATS rejects the credentials: check NATS_CREDS (nats://a:1: no)",
      "NATS rejects the credentials",
      "check NATS_CREDS (nats://a:1: no)"
    ],
    ["It broke.", "It broke", "Check NATS_URL and the credentials: docs/settings.md"]
  ])("nobody there: %s", (message, says, fix) => {
    const [nats, ...rest] = busUnreachable(message)
    assert.deepStrictEqual(nats, { check: "nats", verdict: "NG", says, fix })
    assert.lengthOf(rest, 5)
    for (const { verdict } of rest) assert.strictEqual(verdict, "SKIP")
  })
})
