import { assert, describe, it } from "@effect/vitest"
import { JetStreamApiError } from "@nats-io/jetstream"
import {
  ClosedConnectionError,
  DrainingConnectionError,
  InvalidArgumentError,
  NoRespondersError,
  PermissionViolationError,
  RequestError,
  TimeoutError
} from "@nats-io/transport-node"
import { wireErrorOf } from "./natsFault.ts"
import type { WireFault } from "./Wire.ts"

const api = (err_code: number, code: number) =>
  new JetStreamApiError({ err_code, code, description: `error ${err_code}` })

const notEnabled = Object.assign(new Error("jetstream is not enabled"), { name: "JetStreamNotEnabled" })
const denied = new PermissionViolationError("Permissions Violation", "publish", "a")

const table: ReadonlyArray<readonly [string, unknown, WireFault]> = [
  ["wrong last sequence", api(10_071, 400), "wrongLastSequence"],
  ["wrong last sequence, in a cluster", api(10_164, 400), "wrongLastSequence"],
  ["duplicate message id is in process", api(10_158, 400), "transient"],
  ["JetStream system temporarily unavailable", api(10_008, 503), "transient"],
  ["maximum bytes exceeded", api(10_077, 503), "full"],
  ["insufficient resources", api(10_023, 503), "refused"],
  ["message size exceeds maximum allowed", api(10_054, 400), "tooLarge"],
  ["header size exceeds maximum allowed", api(10_097, 400), "tooLarge"],
  ["stream not found", api(10_059, 404), "missing"],
  ["consumer not found", api(10_014, 404), "missing"],
  ["sequence not found", api(10_043, 400), "missing"],
  ["stream name already in use", api(10_058, 400), "exists"],
  ["consumer already exists", api(10_148, 400), "exists"],
  ["any other refusal", api(10_065, 400), "refused"],
  ["no stream, no leader, no JetStream", notEnabled, "transient"],
  ["no responders", new NoRespondersError("a"), "transient"],
  ["time-out", new TimeoutError(), "transient"],
  ["connection disconnected", new RequestError("connection disconnected"), "transient"],
  ["request while closed", new RequestError("", { cause: new ClosedConnectionError() }), "closed"],
  ["closed", new ClosedConnectionError(), "closed"],
  ["draining", new DrainingConnectionError(), "closed"],
  ["permission", denied, "denied"],
  ["permission of a request", new RequestError("", { cause: denied }), "denied"],
  ["payload", InvalidArgumentError.format("payload", "max_payload size exceeded"), "tooLarge"],
  ["another argument", InvalidArgumentError.format("subject", "is wrong"), "refused"],
  ["a bug", new TypeError("undefined is not a function"), "refused"],
  ["a thrown string", "broken", "refused"]
]

describe("failures of the client", () => {
  it.each(table)("%s", (_, error, fault) => {
    assert.strictEqual(wireErrorOf(error).fault, fault)
  })

  it("keep their message", () => {
    assert.deepStrictEqual(
      [wireErrorOf("broken").message, wireErrorOf(api(10_077, 503)).message],
      ["broken", "error 10077"]
    )
  })
})
