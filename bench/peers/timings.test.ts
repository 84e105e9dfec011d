import { assert, describe, it } from "@effect/vitest"
import type { LaunchedTask } from "#services/local-aws/Journal.ts"
import { type PeerEvent, parseEvents, timingsOf } from "./timings.ts"

const task = (taskArn: string, createdAt: number, endedAt?: number): LaunchedTask => ({
  taskArn,
  region: "us-east-1",
  clusterArn: "",
  taskDefinitionArn: "",
  createdAt,
  lastStatus: "RUNNING",
  containers: [],
  ...(endedAt === undefined ? {} : { endedAt })
})

const event = (kind: PeerEvent["kind"], at: number, run: string, task?: string): PeerEvent => ({
  kind,
  at,
  run,
  ...(task === undefined ? {} : { task })
})

describe("timings of a peer", () => {
  it("joins what the peer tells with the tasks, by the ARN that it was given", () => {
    const events = [
      event("handIn", 1, "a"),
      event("submitted", 5, "a"),
      event("launched", 8, "a", "arn:a"),
      event("noticed", 20, "", "arn:a")
    ]
    assert.deepStrictEqual(timingsOf(events, [task("arn:a", 7, 15)]), [
      { handedInAt: 1, submittedAt: 5, arrivedAt: 7, endedAt: 15, noticedAt: 20, isFailed: false }
    ])
  })

  it("counts what happens twice the first time, and tells a failure", () => {
    const events = [
      event("submitted", 4, "a"),
      event("handIn", 1, "a"),
      event("submitted", 9, "a"),
      event("failed", 10, "a")
    ]
    assert.deepStrictEqual(timingsOf(events, []), [{ handedInAt: 1, submittedAt: 4, isFailed: true }])
  })

  it("leaves out a line that is still being written", () => {
    assert.lengthOf(parseEvents('{"kind":"ready","run":"","at":1}\n{"kind":"han'), 1)
  })
})
