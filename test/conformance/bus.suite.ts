import { describe, layer } from "@effect/vitest"
import type { Layer } from "effect"
import type { BenchServices } from "./bus.bench.ts"
import { bucketSuite } from "./bus.bucket.suite.ts"
import { consumerSuite } from "./bus.consumer.suite.ts"
import { deadLetterSuite } from "./bus.dead.suite.ts"
import { leasesSuite } from "./bus.leases.suite.ts"
import { messagesSuite } from "./bus.messages.suite.ts"
import { publisherSuite } from "./bus.publisher.suite.ts"
import { restartSuite } from "./bus.restart.suite.ts"
import { topologySuite } from "./bus.topology.suite.ts"

/*
 * The one suite for every implementation of the bus, in real time: the servers under test have no other. It comes in two
 * parts, so that they can run beside each other on servers of their own.
 */

/** Each test has streams of its own, so they run side by side. */
export const busSuite = <E>(bench: Layer.Layer<BenchServices, E>): void => {
  layer(bench, { excludeTestServices: true })((it) => {
    describe.concurrent("publisher", () => {
      publisherSuite(it)
    })
    describe.concurrent("messages", () => {
      messagesSuite(it)
    })
    describe.concurrent("consumer", () => {
      consumerSuite(it)
    })
    describe.concurrent("dead letters", () => {
      deadLetterSuite(it)
    })
    describe.concurrent("leases", () => {
      leasesSuite(it)
    })
    describe.concurrent("buckets", () => {
      bucketSuite(it)
    })
    describe.concurrent("topology", () => {
      topologySuite(it)
    })
  })
}

/** Each test restarts the server, so they run one by one. */
export const busRestartSuite = <E>(bench: Layer.Layer<BenchServices, E>): void => {
  layer(bench, { excludeTestServices: true })((it) => {
    describe("restart", () => {
      restartSuite(it)
    })
  })
}
